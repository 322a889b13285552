//! Runs inside an instance: loads the function, answers the channel. Not trusted.

fn main() {}
