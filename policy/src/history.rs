//! What happened in an execution, as lanes record it and hand it to the front.
//!
//! A lane records compactly and cheaply while it works; the front turns records into the history
//! that a person or a program reads, and only when somebody asked for one. Branches that another
//! lane ran are recorded there and merged by the lane that lent them. The front reads a recording
//! as the words of a process that may be hostile: every reference in it may point nowhere.

use crate::abi::message::{FunctionId, LaneId};
use crate::limit;
use serde::{Deserialize, Serialize};

/// Stands in a borrower's recording for the fan-out that lent, whose number only the lender knows.
pub const LENT: u64 = u64::MAX;

/// A state of the definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// JSON pointer to the state.
    pub pointer: String,
    /// Its name.
    pub state: String,
    /// Its `Type`; empty while nothing told it.
    pub kind: String,
}

/// Data of a state, whole or cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excerpt {
    /// Bytes of the whole; an estimate from below where nobody ever wrote the text.
    pub bytes: u64,
    /// The text or its beginning; none where it is too long to keep.
    pub text: Option<String>,
}

/// What a record tells. Names of fields are those of the workflow package's events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields' names say it, and the text above")]
pub enum What {
    /// A state began.
    Entered { input: Excerpt },
    /// A state ended; `caught` if a catcher led on.
    Exited { output: Excerpt, caught: bool },
    /// An error left a state.
    Failed { error: String, cause: String },
    /// A function was called.
    Scheduled {
        function: FunctionId,
        input: Excerpt,
    },
    /// The call that the branch made last ended.
    Ended {
        function: FunctionId,
        error: Option<(String, String)>,
    },
    /// The state will be tried again at `again_ns`.
    Retried {
        error: String,
        cause: String,
        attempt: u64,
        again_ns: u64,
    },
    /// A Map or Parallel began; its number is `fan`.
    FanStarted { fan: u64, total: u64 },
    /// The record's branch began as number `index` of `fan`.
    BranchStarted { fan: u64, index: u64 },
    /// Branch `index` of `fan` ended.
    BranchEnded { fan: u64, index: u64, failed: bool },
    /// `fan` ended; branches of it that had not ended are stopped.
    FanEnded { fan: u64, failed: bool },
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// When, in nanoseconds since the epoch.
    pub at_ns: u64,
    /// The lane that did it.
    pub lane: LaneId,
    /// Which walk through the definition: 0 is the execution's own, each branch has another.
    pub branch: u64,
    /// The state, as a place in [`Recording::places`].
    pub place: Option<u32>,
    /// What.
    pub what: What,
}

/// The records of an execution or of lent branches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// When the lane began, in nanoseconds since the epoch.
    pub began_ns: u64,
    /// When it was done.
    pub ended_ns: u64,
    /// The states that records name.
    pub places: Vec<Place>,
    /// What happened, in order as far as one lane tells it.
    pub records: Vec<Record>,
    /// Records that found no room.
    pub dropped: u64,
}

/// How much room a recording has left.
///
/// The last part of it is kept for records without which a failure cannot be explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    records: usize,
    bytes: usize,
}

/// How much a record matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// It is one of many.
    Ordinary,
    /// It belongs to the execution's own walk, outside of all branches.
    Own,
    /// It tells of an error.
    Needed,
}

impl Default for Room {
    fn default() -> Room {
        Room {
            records: limit::HISTORY_RECORDS,
            bytes: limit::HISTORY_BYTES,
        }
    }
}

impl Room {
    /// Takes room for one record with texts of `bytes`; false if there is none.
    pub fn take(&mut self, weight: Weight, bytes: usize) -> bool {
        let tenths = match weight {
            Weight::Ordinary => 2,
            Weight::Own => 1,
            Weight::Needed => 0,
        };
        let kept_records = limit::HISTORY_RECORDS / 10 * tenths;
        let kept_bytes = limit::HISTORY_BYTES / 10 * tenths;
        if self.records <= kept_records || self.bytes.saturating_sub(kept_bytes) < bytes {
            return false;
        }
        self.records = self.records.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
        true
    }

    /// Takes room for a longer text in a record that is there already.
    pub fn widen(&mut self, bytes: usize) -> bool {
        match self.bytes.checked_sub(bytes) {
            Some(left) => {
                self.bytes = left;
                true
            }
            None => false,
        }
    }
}

impl What {
    /// Bytes of its texts.
    pub fn bytes(&self) -> usize {
        let excerpt = |excerpt: &Excerpt| excerpt.text.as_ref().map_or(0, String::len);
        match self {
            What::Entered { input } | What::Scheduled { input, .. } => excerpt(input),
            What::Exited { output, .. } => excerpt(output),
            What::Failed { error, cause } | What::Retried { error, cause, .. } => {
                error.len().saturating_add(cause.len())
            }
            What::Ended { error, .. } => error
                .as_ref()
                .map_or(0, |(error, cause)| error.len().saturating_add(cause.len())),
            What::FanStarted { .. }
            | What::BranchStarted { .. }
            | What::BranchEnded { .. }
            | What::FanEnded { .. } => 0,
        }
    }

    /// Whether it tells of an error.
    pub fn is_error(&self) -> bool {
        match self {
            What::Failed { .. } | What::Retried { .. } => true,
            What::Exited { caught, .. } => *caught,
            What::Ended { error, .. } => error.is_some(),
            What::BranchEnded { failed, .. } | What::FanEnded { failed, .. } => *failed,
            What::Entered { .. }
            | What::Scheduled { .. }
            | What::FanStarted { .. }
            | What::BranchStarted { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_fifth_is_kept_for_the_own_walk_and_half_of_that_for_errors() {
        let mut room = Room::default();
        let tenth = limit::HISTORY_RECORDS / 10;
        for (weight, expected) in [
            (Weight::Ordinary, 8 * tenth),
            (Weight::Own, tenth),
            (Weight::Needed, tenth),
        ] {
            let taken = (0..).take_while(|_| room.take(weight, 0)).count();
            assert_eq!(taken, expected, "{weight:?}");
        }
    }

    #[test]
    fn texts_take_room_as_well() {
        let mut room = Room::default();
        assert!(!room.take(Weight::Ordinary, limit::HISTORY_BYTES));
        assert!(room.take(Weight::Needed, limit::HISTORY_BYTES));
        assert!(!room.widen(1));
        assert!(room.widen(0));
    }
}
