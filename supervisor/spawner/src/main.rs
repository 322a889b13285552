//! Starts lanes and zygotes, each jailed before it runs; ends them.

fn main() {}
