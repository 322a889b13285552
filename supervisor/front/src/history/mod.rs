//! The history of an execution: what lanes recorded, in the words of the Step Functions API.
//!
//! `assemble` makes events of a lane's recording; `spans` makes states, calls and pauses with a
//! beginning and an end of events; everything that is drawn or told afterwards is made of spans, so
//! that it can be made of a saved report as well. An attacker controls every text and every number
//! of a recording and of a saved report: references may point nowhere, times may run backwards.

pub mod assemble;
pub mod event;
pub mod spans;

pub use event::{Details, Event, EventType};

/// The history of one execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// Its events, in order of time.
    pub events: Vec<Event>,
    /// Records that found no room; their events are missing.
    pub dropped: u64,
}

use keylane_policy::limit::HISTORY_FAILED_BYTES;

/// The beginning of a text that events keep of an execution's input and output.
fn within(text: &str) -> &str {
    text.get(..text.floor_char_boundary(HISTORY_FAILED_BYTES))
        .unwrap_or_default()
}

#[cfg(test)]
pub(crate) mod tests;
