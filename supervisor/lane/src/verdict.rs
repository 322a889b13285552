//! What a call's end means to the workflow: data, or a States Language error that names the
//! function, the cause and whose fault it is.

use crate::fate::End;
use crate::worker::CallFault;
use keylane_policy::abi::channel::ResponseKind;
use keylane_policy::abi::message::Ended;
use keylane_policy::blame::Blame;
use keylane_policy::limit::{ERROR_CAUSE_BYTES, ERROR_NAME_BYTES};
use keylane_workflow::{Data, TaskError};
use serde_json::Value;
use std::time::Duration;

/// Error names that begin so are the platform's: a function that raises one could make a Retry or
/// Catch believe something that did not happen (threats.md D3).
const RESERVED: [&str; 3] = ["States.", "Lambda.", "Keylane."];

/// A call that brought no data.
#[derive(Debug)]
pub(crate) struct Failed {
    /// The error as the workflow sees it.
    pub(crate) error: TaskError,
    /// Whose fault it is.
    pub(crate) blame: Blame,
}

impl Failed {
    /// Whether it is Python's word for EPERM, the answer to a denied call (errno(3)).
    pub(crate) fn is_refusal(&self) -> bool {
        ["PermissionError", "OSError"].contains(&self.error.error.as_str())
            && self.error.cause.contains("[Errno 1]")
    }

    /// The same error with the calls that were denied meanwhile, under `denials` of its cause.
    pub(crate) fn tell_denials(mut self, denials: Vec<String>) -> Failed {
        if !denials.is_empty()
            && let Ok(Value::Object(mut cause)) = serde_json::from_str(&self.error.cause)
        {
            cause.insert("denials".to_owned(), denials.into());
            let told = Value::Object(cause).to_string();
            if told.len() <= ERROR_CAUSE_BYTES {
                self.error.cause = told;
            }
        }
        self
    }
}

fn failed(blame: Blame, error: &str, cause: String) -> Failed {
    let error = TaskError {
        error: cut(error, ERROR_NAME_BYTES),
        cause: cut(&cause, ERROR_CAUSE_BYTES),
    };
    Failed { error, blame }
}

/// The first `limit` bytes of `text`, at a character border, marked where something is missing.
fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let kept = text
        .get(..text.floor_char_boundary(limit))
        .unwrap_or_default();
    format!("{kept}... ({} bytes in all)", text.len())
}

/// Judges the end of a call of function `name` that was allowed `allowed`.
pub(crate) fn judge(
    name: &str,
    allowed: Duration,
    answer: Result<(ResponseKind, Vec<u8>), CallFault>,
) -> Result<Data, Failed> {
    match answer {
        Ok((ResponseKind::Result, bytes)) => Data::from_untrusted(bytes).map_err(|fault| {
            let cause = format!("function {name:?} answered something that is not JSON: {fault}");
            failed(Blame::Function, "Keylane.InvalidResult", cause)
        }),
        Ok((ResponseKind::Error, bytes)) => Err(raised(name, bytes)),
        Err(CallFault::Timeout) => Err(failed(
            Blame::Function,
            "States.Timeout",
            format!(
                "function {name:?} did not answer within {:.3} s",
                allowed.as_secs_f64()
            ),
        )),
        Err(CallFault::Cancelled) => Err(failed(
            Blame::Workflow,
            "Keylane.Cancelled",
            format!("function {name:?} was ended: nobody waits for its answer any more"),
        )),
        Err(CallFault::Silent(silence)) => Err(failed(
            Blame::Function,
            "States.HeartbeatTimeout",
            format!(
                "function {name:?} sent no heartbeat for {:.0} s (HeartbeatSeconds); it sends one \
                 with context.heartbeat()",
                silence.as_secs_f64()
            ),
        )),
        Err(CallFault::Gone(End::Ended(how))) => {
            let cause = format!("function {name:?} ended without an answer: {}", ending(how));
            Err(failed(Blame::Function, "Lambda.Unknown", cause))
        }
        Err(CallFault::Gone(End::Meddled)) => {
            let cause = format!(
                "function {name:?} wrote to the socket by which its lane sees that its process \
                 lives; the process is ended"
            );
            Err(failed(Blame::Function, "Lambda.Unknown", cause))
        }
        Err(CallFault::Gone(End::Unstarted(failure))) => Err(failed(
            failure.blame,
            "Keylane.WorkerFailed",
            format!("{}: {}", failure.doing, failure.cause),
        )),
        Err(CallFault::Channel(fault)) => {
            let cause = format!("function {name:?} wrote over its channel: {fault}");
            Err(failed(Blame::Function, "Lambda.Unknown", cause))
        }
        Err(CallFault::TooLarge(asked, most)) => {
            let cause = format!(
                "the input of function {name:?} has {asked} bytes, its limit is {most}; raise \
                 `payload` of the function in keylane.toml"
            );
            Err(failed(Blame::Workflow, "States.DataLimitExceeded", cause))
        }
        Err(CallFault::System(error)) => {
            let cause = format!("calling function {name:?}: {error}");
            Err(failed(Blame::Host, "Keylane.WorkerFailed", cause))
        }
    }
}

/// The error that a function raised, in the form of Lambda's runtime API.
fn raised(name: &str, bytes: Vec<u8>) -> Failed {
    let invalid = |fault: String| {
        let cause = format!("function {name:?} failed, and its error is not readable: {fault}");
        failed(Blame::Function, "Lambda.Unknown", cause)
    };
    let data = match Data::from_untrusted(bytes) {
        Ok(data) => data,
        Err(fault) => return invalid(fault.to_string()),
    };
    let value: Value = match serde_json::from_str(data.text().as_str()) {
        Ok(value) => value,
        Err(fault) => return invalid(fault.to_string()),
    };
    let kind = value
        .get("errorType")
        .and_then(Value::as_str)
        .unwrap_or("Error");
    if RESERVED.iter().any(|prefix| kind.starts_with(prefix)) {
        let cause = format!("function {name:?} raised {kind:?}, a name that only Keylane may use");
        return failed(Blame::Function, "Keylane.ReservedErrorName", cause);
    }
    failed(Blame::Function, kind, value.to_string())
}

fn ending(how: Ended) -> String {
    match how {
        // A function cannot send signals, not even to itself: what would end by one says so thus.
        Ended::Exited(status @ 129..=159) => format!(
            "its process exited with status {status}, which stands for signal {} ({})",
            status.saturating_sub(128),
            signal_name(status.saturating_sub(128))
        ),
        Ended::Exited(status) => format!("its process exited with status {status}"),
        Ended::Signaled(signal) => {
            format!(
                "its process was ended by signal {signal} ({})",
                signal_name(signal)
            )
        }
        Ended::OutOfMemory => {
            "it met its memory limit: its processes together, with what is in /tmp \
                               and in memfds, used more than `memory` and `tmp` in keylane.toml \
                               allow, and the kernel ended them all"
                .to_owned()
        }
        Ended::Unknown => "its process is gone".to_owned(),
    }
}

/// What a signal means to somebody who reads of a crash (signal(7)).
fn signal_name(signal: i32) -> &'static str {
    match signal {
        4 => "SIGILL: an instruction that the processor does not have",
        6 => "SIGABRT: it aborted",
        7 => "SIGBUS: memory that is not there",
        8 => "SIGFPE: arithmetic",
        9 => "SIGKILL: it was killed, often for memory",
        11 => "SIGSEGV: memory that it may not touch",
        15 => "SIGTERM",
        24 => "SIGXCPU: its processor time",
        25 => "SIGXFSZ: the size of a file",
        31 => "SIGSYS: a system call of another architecture",
        _ => "see signal(7)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(kind: ResponseKind, bytes: &str) -> TaskError {
        let answer = Ok((kind, bytes.as_bytes().to_vec()));
        judge("f", Duration::from_secs(1), answer)
            .unwrap_err()
            .error
    }

    #[test]
    fn a_python_exception_keeps_its_class_name() {
        let text = r#"{"errorType":"KeyError","errorMessage":"'x'","stackTrace":[]}"#;
        assert_eq!(error_of(ResponseKind::Error, text).error, "KeyError");
    }

    #[test]
    fn a_function_cannot_raise_the_platforms_errors() {
        for name in ["States.Timeout", "Lambda.Unknown", "Keylane.WorkerFailed"] {
            let text = format!(r#"{{"errorType":"{name}","errorMessage":""}}"#);
            let error = error_of(ResponseKind::Error, &text);
            assert_eq!(error.error, "Keylane.ReservedErrorName");
        }
    }

    #[test]
    fn a_result_that_is_not_json_is_an_error_and_not_data() {
        for text in ["", "{", "NaN", "1 2", "{\"a\":1,\"a\":2}"] {
            assert_eq!(
                error_of(ResponseKind::Result, text).error,
                "Keylane.InvalidResult"
            );
        }
        assert_eq!(
            error_of(ResponseKind::Error, "\u{0}").error,
            "Lambda.Unknown"
        );
    }

    #[test]
    fn an_eperm_error_tells_what_was_denied_and_stays_an_object() {
        let text =
            r#"{"errorType":"PermissionError","errorMessage":"[Errno 1] Operation not permitted"}"#;
        let answer = Ok((ResponseKind::Error, text.as_bytes().to_vec()));
        let failed = judge("f", Duration::from_secs(1), answer).unwrap_err();
        assert!(failed.is_refusal());
        let told = failed.tell_denials(vec!["socket(...) is denied".to_owned()]);
        let cause: Value = serde_json::from_str(&told.error.cause).unwrap();
        assert_eq!(cause["denials"][0], "socket(...) is denied");
        assert_eq!(cause["errorType"], "PermissionError");
        let unchanged = told.error.cause.clone();
        let long = vec!["x".repeat(ERROR_CAUSE_BYTES)];
        assert_eq!(told.tell_denials(long).error.cause, unchanged);
    }

    #[test]
    fn long_names_and_causes_are_cut_and_say_so() {
        let name = "é".repeat(ERROR_NAME_BYTES);
        let text = format!(r#"{{"errorType":"{name}","errorMessage":""}}"#);
        let error = error_of(ResponseKind::Error, &text);
        assert!(error.error.len() < ERROR_NAME_BYTES + 40 && error.error.contains("in all"));
    }
}
