//! A report as `keylane run --json` printed it, read from a file that anybody may have written.

use crate::history::Event;
use keylane_policy::blame::{Blame, Failure};
use keylane_policy::limit::{HISTORY_RECORDS, INSPECT_BYTES};
use keylane_policy::report::{ErrorReport, FanReport, FunctionCalls};
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Events that a report has at most: a record makes at most three.
const EVENTS: usize = 3 * HISTORY_RECORDS;

/// How an execution ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// With an output.
    Succeeded,
    /// With an error.
    Failed,
    /// It was cancelled.
    Cancelled,
    /// It never began.
    Refused,
}

/// What is read of a report; its output is skipped.
#[derive(Clone, Debug, Deserialize)]
pub struct Saved {
    /// How it ended.
    pub status: Outcome,
    /// The workflow's name.
    #[serde(default)]
    pub workflow: String,
    /// Lanes of the deployment.
    #[serde(default)]
    pub lanes: u64,
    /// Nanoseconds that the lane measured.
    #[serde(default)]
    pub run_ns: u64,
    /// The error that ended it.
    #[serde(default)]
    pub error: Option<ErrorReport>,
    /// Why nothing ran.
    #[serde(default)]
    pub failure: Option<Failure>,
    /// Calls by function.
    #[serde(default)]
    pub functions: Vec<FunctionCalls>,
    /// Fan-outs.
    #[serde(default)]
    pub fans: Vec<FanReport>,
    /// What happened, if that was recorded.
    #[serde(default, deserialize_with = "few")]
    pub events: Option<Vec<Event>>,
    /// Records that found no room.
    #[serde(default)]
    pub events_dropped: u64,
}

/// A list that stops being read where it is longer than any report's.
fn few<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Event>>, D::Error> {
    struct Few;
    impl<'de> Visitor<'de> for Few {
        type Value = Option<Vec<Event>>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of events or null")
        }
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut events = Vec::new();
            while let Some(event) = list.next_element()? {
                if events.len() >= EVENTS {
                    return Err(A::Error::custom(format!("more than {EVENTS} events")));
                }
                events.push(event);
            }
            Ok(Some(events))
        }
    }
    deserializer.deserialize_any(Few)
}

/// Reads a report; `-` is standard input.
pub fn read(path: &Path) -> Result<Saved, Failure> {
    let bytes = read_bytes(path, "the report")?;
    parse(&bytes).map_err(|cause| refuse(path, "the report", cause))
}

fn refuse(path: &Path, what: &str, cause: String) -> Failure {
    let doing = format!("reading {what} {}", path.display());
    Failure::new(Blame::Operator, doing, cause)
        .advise("give a file that `keylane run --json` wrote")
}

/// The bytes of a file that may hold a report, within bounds; `-` is standard input.
pub fn read_bytes(path: &Path, what: &str) -> Result<Vec<u8>, Failure> {
    let refuse = |cause: String| refuse(path, what, cause);
    let bytes = if path == Path::new("-") {
        bytes(std::io::stdin())
    } else {
        // A FIFO or a device would never end.
        match std::fs::metadata(path) {
            Ok(found) if !found.is_file() => return Err(refuse("it is not a file".to_owned())),
            Ok(_) => File::open(path).and_then(bytes),
            Err(error) => Err(error),
        }
    };
    bytes.map_err(|error| refuse(error.to_string()))
}

fn bytes(from: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = from
        .take(INSPECT_BYTES.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if u64::try_from(read).is_ok_and(|read| read > INSPECT_BYTES) {
        let error = format!("it is longer than {INSPECT_BYTES} bytes");
        return Err(std::io::Error::other(error));
    }
    Ok(bytes)
}

/// A report from its text.
pub fn parse(bytes: &[u8]) -> Result<Saved, String> {
    serde_json::from_slice(bytes).map_err(|error| {
        // The error may quote the file.
        let (line, column) = (error.line(), error.column());
        let error = error.to_string();
        let error = crate::render::escape::cut(&error, 160);
        format!("it is no report (line {line}, column {column}): {error}")
    })
}
