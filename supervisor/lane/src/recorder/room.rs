//! Where records go: places of states, records within the room that there is, and those that are
//! written or widened late because a failure made them worth it.

use super::Recorder;
use keylane_policy::history::{Excerpt, Place, Record, Weight, What};
use keylane_policy::limit::{HISTORY_DATA_BYTES, HISTORY_FAILED_BYTES};
use keylane_workflow::Data;
use std::sync::Arc;

/// A branch that runs.
#[derive(Debug)]
pub(super) struct Live {
    /// The record of its beginning; it is written late if the branch fails.
    pub(super) start: Late,
    /// The state that it is in, with its input.
    pub(super) entered: Option<Late>,
    /// The call that it made last, with the event that the function got.
    pub(super) called: Option<Late>,
}

/// A record that may have found no room, or no room for its whole text.
#[derive(Debug)]
pub(super) enum Late {
    /// It is here; the text may be made longer once.
    At(usize, Option<Data>),
    /// It is not here yet.
    Dropped(Record, Option<Data>),
}

/// Data as far as every record keeps it.
pub(super) fn excerpt(data: &Data) -> Excerpt {
    let (mut bytes, mut text) = (data.size(), None);
    if bytes <= HISTORY_DATA_BYTES {
        let whole = data.text();
        bytes = whole.as_str().len();
        text = (bytes <= HISTORY_DATA_BYTES).then(|| whole.as_str().to_owned());
    }
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    Excerpt { bytes, text }
}

/// The first `limit` bytes of a text, at a character border.
pub(super) fn cut(text: &str, limit: usize) -> String {
    let end = text.floor_char_boundary(limit);
    text.get(..end).unwrap_or_default().to_owned()
}

impl Recorder {
    /// The place of a state; what was not known of it before is added.
    pub(super) fn place(&mut self, pointer: &Arc<str>, state: &str, kind: &str) -> Option<u32> {
        if let Some(&place) = self.places.get(pointer) {
            let known = usize::try_from(place)
                .ok()
                .and_then(|at| self.recording.places.get_mut(at));
            if let Some(known) = known.filter(|known| known.kind.is_empty() && !kind.is_empty()) {
                known.state = state.to_owned();
                known.kind = kind.to_owned();
            }
            return Some(place);
        }
        if !self.room.widen(pointer.len().saturating_add(state.len())) {
            return None;
        }
        let place = u32::try_from(self.recording.places.len()).ok()?;
        self.recording.places.push(Place {
            pointer: pointer.to_string(),
            state: state.to_owned(),
            kind: kind.to_owned(),
        });
        self.places.insert(Arc::clone(pointer), place);
        Some(place)
    }

    pub(super) fn live(&mut self, branch: u64) -> &mut Live {
        self.live.entry(branch).or_insert(Live {
            // The execution's own walk has no record of its beginning.
            start: Late::At(usize::MAX, None),
            entered: None,
            called: None,
        })
    }

    pub(super) fn record(&self, branch: u64, place: Option<u32>, at_ns: u64, what: What) -> Record {
        Record {
            at_ns,
            lane: self.lane,
            branch,
            place,
            what,
        }
    }

    /// Adds a record that is only counted where it finds no room.
    pub(super) fn tell(&mut self, branch: u64, place: Option<u32>, at_ns: u64, what: What) {
        let _counted = self.push(self.record(branch, place, at_ns, what));
    }

    /// A branch begins.
    pub(super) fn start(&mut self, branch: u64, at_ns: u64, what: What) {
        let start = self.push_late(branch, None, at_ns, what, None);
        self.live(branch).start = start;
    }

    /// Adds a record if there is room; gives it back if not.
    pub(super) fn push(&mut self, record: Record) -> Result<usize, Record> {
        let weight = if record.what.is_error() {
            Weight::Needed
        } else if record.branch == 0 {
            Weight::Own
        } else {
            Weight::Ordinary
        };
        self.push_as(weight, record)
    }

    pub(super) fn push_as(&mut self, weight: Weight, record: Record) -> Result<usize, Record> {
        if !self.room.take(weight, record.what.bytes()) {
            self.recording.dropped = self.recording.dropped.saturating_add(1);
            return Err(record);
        }
        self.recording.records.push(record);
        Ok(self.recording.records.len().saturating_sub(1))
    }

    pub(super) fn push_late(
        &mut self,
        branch: u64,
        place: Option<u32>,
        at_ns: u64,
        what: What,
        data: Option<Data>,
    ) -> Late {
        match self.push(self.record(branch, place, at_ns, what)) {
            Ok(at) => Late::At(at, data),
            Err(record) => Late::Dropped(record, data),
        }
    }

    /// Records an error, and before it what one must know to understand it.
    pub(super) fn failure(&mut self, branch: u64, place: Option<u32>, at_ns: u64, what: What) {
        self.explain(branch);
        self.tell(branch, place, at_ns, what);
    }

    /// Makes sure that the beginning of a branch, the state that it is in and the call that it
    /// made are recorded, with their inputs.
    pub(super) fn explain(&mut self, branch: u64) {
        let Some(mut live) = self.live.remove(&branch) else {
            return;
        };
        live.start = self.complete(live.start);
        live.entered = live.entered.map(|late| self.complete(late));
        live.called = live.called.map(|late| self.complete(late));
        self.live.insert(branch, live);
    }

    pub(super) fn complete(&mut self, late: Late) -> Late {
        match late {
            Late::At(at, Some(data)) => {
                self.widen(at, &data);
                Late::At(at, None)
            }
            Late::At(at, None) => Late::At(at, None),
            Late::Dropped(record, data) => match self.push_as(Weight::Needed, record) {
                Ok(at) => {
                    // It was counted as dropped when it was.
                    self.recording.dropped = self.recording.dropped.saturating_sub(1);
                    if let Some(data) = data {
                        self.widen(at, &data);
                    }
                    Late::At(at, None)
                }
                Err(record) => {
                    self.recording.dropped = self.recording.dropped.saturating_sub(1);
                    Late::Dropped(record, data)
                }
            },
        }
    }

    /// Makes the text of a record's data as long as a failure deserves.
    pub(super) fn widen(&mut self, at: usize, data: &Data) {
        let Some(record) = self.recording.records.get_mut(at) else {
            return;
        };
        let (What::Entered { input } | What::Scheduled { input, .. }) = &mut record.what else {
            return;
        };
        if input.text.is_some() || !self.room.widen(HISTORY_FAILED_BYTES) {
            return;
        }
        let text = data.text();
        input.bytes = u64::try_from(text.as_str().len()).unwrap_or(u64::MAX);
        input.text = Some(cut(text.as_str(), HISTORY_FAILED_BYTES));
    }
}
