//! Native functions in Rust, for the suites: FINRA's five rules, and functions that misbehave.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::exit,
    clippy::indexing_slicing,
    reason = "some of these functions fail on purpose"
)]

mod culprit;
mod decimal;
mod finra;
mod mixed;
mod working;
