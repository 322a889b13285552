//! Runs one workflow execution at a time and the calls of its functions.

fn main() {}
