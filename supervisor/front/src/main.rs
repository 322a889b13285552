//! Keylane's command line.

fn main() {}
