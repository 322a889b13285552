//! The report of one execution: what `keylane run --json` prints.
//!
//! The lane writes it, the front reads it as the words of a process that may be hostile.

use crate::blame::Blame;
use serde::{Deserialize, Serialize};

/// How an execution ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// With an output.
    Succeeded,
    /// With an error that nothing caught.
    Failed,
    /// It was cancelled.
    Cancelled,
}

/// An error that ended an execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorReport {
    /// The States Language error name.
    pub error: String,
    /// The cause as the workflow sees it.
    pub cause: String,
    /// Who can mend it.
    pub blame: Blame,
    /// The state that failed.
    pub state: Option<String>,
    /// JSON pointer to that state in the definition.
    pub pointer: Option<String>,
    /// The function whose call failed.
    pub function: Option<String>,
}

/// Why a fan-out ran where it ran, with the figures of that moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FanReport {
    /// JSON pointer to the Map or Parallel state.
    pub pointer: String,
    /// How many branches it had.
    pub branches: u64,
    /// How many of them other lanes ran.
    pub lent: u64,
    /// In how many portions.
    pub loans: u64,
    /// Lanes that could be used, this one included.
    pub lanes: u64,
    /// Measured time of one branch in nanoseconds (moving average), if one was measured.
    pub branch_ns: Option<u64>,
    /// Measured cost of a hand-over in nanoseconds.
    pub handover_ns: u64,
    /// The decision in words, with its numbers.
    pub decision: String,
}

/// The calls of one function.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionCalls {
    /// The function's name.
    pub function: String,
    /// Calls made.
    pub calls: u64,
    /// Calls that ended with an error.
    pub errors: u64,
    /// Nanoseconds from request to response, all calls together.
    pub total_ns: u64,
    /// The longest call in nanoseconds.
    pub longest_ns: u64,
    /// Workers forked for it during this execution.
    pub forks: u64,
}

/// The report of one execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// How it ended.
    pub status: Status,
    /// Its output as JSON text, if it succeeded.
    pub output: Option<String>,
    /// Its error, if it failed.
    pub error: Option<ErrorReport>,
    /// Nanoseconds from the lane's receipt of the input to the end.
    pub run_ns: u64,
    /// One entry for each Map and Parallel state that ran, in the order in which they ended; at
    /// most [`FAN_REPORTS`].
    pub fans: Vec<FanReport>,
    /// One entry for each function that was called.
    pub functions: Vec<FunctionCalls>,
}

/// Fan-outs that a report lists; a Map inside a Map of a thousand items would otherwise fill it.
pub const FAN_REPORTS: usize = 64;
