//! Errors of the States Language while it runs: a name and a cause.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Any error but the uncatchable ones.
pub(crate) const ALL: &str = "States.ALL";
/// Any error but timeouts and the uncatchable ones.
pub(crate) const TASK_FAILED: &str = "States.TaskFailed";
/// A state or the execution took longer than it may.
pub(crate) const TIMEOUT: &str = "States.Timeout";
/// A task sent no heartbeat for longer than it may.
pub(crate) const HEARTBEAT_TIMEOUT: &str = "States.HeartbeatTimeout";
/// The data does not fit the definition, e.g. a path selects nothing. Ends the execution.
pub(crate) const RUNTIME: &str = "States.Runtime";
/// State data grew too large or too deep. `States.ALL` does not match it.
pub(crate) const DATA_LIMIT: &str = "States.DataLimitExceeded";
/// An intrinsic function cannot work with its arguments.
pub(crate) const INTRINSIC: &str = "States.IntrinsicFailure";
/// A `ResultPath` does not fit the state's input.
pub(crate) const RESULT_PATH: &str = "States.ResultPathMatchFailure";
/// No rule of a Choice matched and it has no Default.
pub(crate) const NO_CHOICE: &str = "States.NoChoiceMatched";
/// More of a Map's items failed than its definition tolerates.
pub(crate) const THRESHOLD: &str = "States.ExceedToleratedFailureThreshold";
/// A function was called by a name that the project does not define.
pub(crate) const NO_FUNCTION: &str = "Lambda.ResourceNotFoundException";

/// A States Language error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskError {
    /// Its name, e.g. `States.Timeout` or the class name of a Python exception.
    pub error: String,
    /// Its cause, for people or as JSON text.
    pub cause: String,
}

impl TaskError {
    pub(crate) fn new(error: &str, cause: impl Into<String>) -> TaskError {
        TaskError {
            error: error.to_owned(),
            cause: cause.into(),
        }
    }

    pub(crate) fn runtime(cause: impl Into<String>) -> TaskError {
        TaskError::new(RUNTIME, cause)
    }
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.error, self.cause)
    }
}

impl std::error::Error for TaskError {}
