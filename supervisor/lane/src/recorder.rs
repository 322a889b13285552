//! Records what happens in an execution, or in branches of another lane's, within bounds.
//!
//! Recording must cost next to nothing beside a call: a record copies names' numbers and short
//! texts. The input of a state is kept as a handle while the state runs, and written only if the
//! state fails.

mod merge;
#[cfg(test)]
mod tests;

use keylane_policy::abi::message::LaneId;
use keylane_policy::history::{Excerpt, LENT, Place, Record, Recording, Room, Weight, What};
use keylane_policy::limit::{ERROR_CAUSE_BYTES, HISTORY_DATA_BYTES, HISTORY_FAILED_BYTES};
use keylane_workflow::{Data, Event, FanId};
use std::collections::HashMap;
use std::sync::Arc;

/// A branch that runs.
#[derive(Debug)]
struct Live {
    /// The record of its beginning; it is written late if the branch fails.
    start: Late,
    /// The state that it is in, with its input.
    entered: Option<Late>,
    /// The call that it made last, with the event that the function got.
    called: Option<Late>,
}

/// A record that may have found no room, or no room for its whole text.
#[derive(Debug)]
enum Late {
    /// It is here; the text may be made longer once.
    At(usize, Option<Data>),
    /// It is not here yet.
    Dropped(Record, Option<Data>),
}

/// Records.
#[derive(Debug)]
pub(crate) struct Recorder {
    lane: LaneId,
    recording: Recording,
    room: Room,
    places: HashMap<Arc<str>, u32>,
    live: HashMap<u64, Live>,
    /// The branch that runs as this index of this fan-out.
    running: HashMap<(FanId, u64), u64>,
    /// The number of each fan-out that was recorded, and the branch whose state it is.
    fans: HashMap<FanId, (u64, u64)>,
    next_fan: u64,
    /// What is added to the numbers of branches, so that several executions share a recording.
    base: u64,
    /// One more than the largest number of a branch so far.
    next_branch: u64,
    /// Numbers of branches that other lanes recorded.
    next_foreign: u64,
}

/// Where the numbers of other lanes' branches begin; no lane's own ones come so far.
const FOREIGN: u64 = 1 << 40;

/// Data as far as every record keeps it.
fn excerpt(data: &Data) -> Excerpt {
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
fn cut(text: &str, limit: usize) -> String {
    let end = text.floor_char_boundary(limit);
    text.get(..end).unwrap_or_default().to_owned()
}

impl Recorder {
    /// A recorder of this lane.
    pub(crate) fn new(lane: LaneId, began_ns: u64) -> Recorder {
        Recorder {
            lane,
            recording: Recording {
                began_ns,
                ..Recording::default()
            },
            room: Room::default(),
            places: HashMap::new(),
            live: HashMap::new(),
            running: HashMap::new(),
            fans: HashMap::new(),
            next_fan: 0,
            base: 0,
            next_branch: 0,
            next_foreign: FOREIGN,
        }
    }

    /// What was recorded.
    pub(crate) fn close(mut self, ended_ns: u64) -> Recording {
        self.recording.ended_ns = ended_ns;
        self.recording
    }

    /// The events from here on are those of a branch that another lane lent as number `index`.
    pub(crate) fn begin_lent(&mut self, index: u64, at_ns: u64) {
        // 0 would be the lender's own walk.
        self.base = self.next_branch.max(1);
        self.fans.clear();
        let what = What::BranchStarted { fan: LENT, index };
        self.start(self.base, at_ns, what);
    }

    /// The lent branch is over.
    pub(crate) fn end_lent(&mut self, index: u64, failed: bool, at_ns: u64) {
        let fan = LENT;
        let what = What::BranchEnded { fan, index, failed };
        self.tell(self.base, None, at_ns, what);
        self.live.clear();
        self.running.clear();
    }

    /// Records an event.
    pub(crate) fn note(&mut self, event: &Event) {
        match event {
            Event::StateEntered {
                branch,
                pointer,
                state,
                kind,
                input,
                at_ns,
            } => {
                let place = self.place(pointer, state, kind);
                let what = What::Entered {
                    input: excerpt(input),
                };
                let branch = self.number(*branch);
                let late = self.push_late(branch, place, *at_ns, what, Some(input.clone()));
                let live = self.live(branch);
                (live.entered, live.called) = (Some(late), None);
            }
            Event::StateExited {
                branch,
                pointer,
                state,
                kind,
                output,
                caught,
                at_ns,
            } => {
                let place = self.place(pointer, state, kind);
                let branch = self.number(*branch);
                if *caught {
                    self.explain(branch);
                }
                let live = self.live(branch);
                (live.entered, live.called) = (None, None);
                let (output, caught) = (excerpt(output), *caught);
                let what = What::Exited { output, caught };
                self.tell(branch, place, *at_ns, what);
            }
            Event::StateFailed {
                branch,
                pointer,
                state,
                error,
                cause,
                at_ns,
            } => {
                let what = What::Failed {
                    error: error.clone(),
                    cause: cut(cause, ERROR_CAUSE_BYTES),
                };
                let place = self.place(pointer, state, "");
                self.failure(*branch, place, *at_ns, what);
            }
            Event::TaskScheduled {
                branch,
                pointer,
                function,
                input,
                at_ns,
                ..
            } => {
                let place = self.place(pointer, "", "");
                let what = What::Scheduled {
                    function: *function,
                    input: excerpt(input),
                };
                let branch = self.number(*branch);
                let late = self.push_late(branch, place, *at_ns, what, Some(input.clone()));
                self.live(branch).called = Some(late);
            }
            Event::TaskEnded {
                branch,
                pointer,
                function,
                error,
                at_ns,
                ..
            } => {
                let place = self.place(pointer, "", "");
                let error = error
                    .as_ref()
                    .map(|(error, cause)| (error.clone(), cut(cause, ERROR_CAUSE_BYTES)));
                let function = *function;
                let failed = error.is_some();
                let what = What::Ended { function, error };
                if failed {
                    self.failure(*branch, place, *at_ns, what);
                } else {
                    let branch = self.number(*branch);
                    self.tell(branch, place, *at_ns, what);
                }
            }
            Event::Retried {
                branch,
                pointer,
                error,
                cause,
                attempt,
                again_ns,
                at_ns,
            } => {
                let place = self.place(pointer, "", "");
                let what = What::Retried {
                    error: error.clone(),
                    cause: cut(cause, HISTORY_DATA_BYTES),
                    attempt: *attempt,
                    again_ns: *again_ns,
                };
                self.failure(*branch, place, *at_ns, what);
            }
            Event::FanStarted {
                branch,
                fan,
                pointer,
                total,
                at_ns,
            } => {
                let place = self.place(pointer, "", "");
                let number = self.next_fan;
                let what = What::FanStarted {
                    fan: number,
                    total: *total,
                };
                let branch = self.number(*branch);
                if self.push(self.record(branch, place, *at_ns, what)).is_ok() {
                    self.next_fan = number.saturating_add(1);
                    self.fans.insert(*fan, (number, branch));
                }
            }
            Event::BranchStarted {
                branch,
                fan,
                index,
                at_ns,
                ..
            } => {
                let branch = self.number(*branch);
                self.running.insert((*fan, *index), branch);
                if let Some(&(number, _)) = self.fans.get(fan) {
                    let (fan, index) = (number, *index);
                    self.start(branch, *at_ns, What::BranchStarted { fan, index });
                }
            }
            // A borrower tells of its own branches.
            Event::BranchEnded { lent: true, .. } => {}
            Event::BranchEnded {
                fan,
                index,
                ended_ns,
                failed,
                ..
            } => {
                let branch = self.running.remove(&(*fan, *index));
                if let (Some(&(fan, _)), Some(branch)) = (self.fans.get(fan), branch) {
                    let (index, failed) = (*index, *failed);
                    let what = What::BranchEnded { fan, index, failed };
                    self.tell(branch, None, *ended_ns, what);
                }
                if let Some(branch) = branch {
                    self.live.remove(&branch);
                }
            }
            Event::FanEnded {
                fan,
                pointer,
                failed,
                at_ns,
                ..
            } => {
                let place = self.place(pointer, "", "");
                if *failed {
                    let live = &mut self.live;
                    self.running.retain(|(of, _), branch| {
                        let stays = of != fan;
                        if !stays {
                            live.remove(branch);
                        }
                        stays
                    });
                }
                if let Some(&(fan, branch)) = self.fans.get(fan) {
                    let failed = *failed;
                    let what = What::FanEnded { fan, failed };
                    self.tell(branch, place, *at_ns, what);
                }
            }
        }
    }

    /// The number of a branch in the recording.
    fn number(&mut self, branch: u64) -> u64 {
        let number = self.base.saturating_add(branch);
        self.next_branch = self.next_branch.max(number.saturating_add(1));
        number
    }

    /// The place of a state; what was not known of it before is added.
    fn place(&mut self, pointer: &Arc<str>, state: &str, kind: &str) -> Option<u32> {
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

    fn live(&mut self, branch: u64) -> &mut Live {
        self.live.entry(branch).or_insert(Live {
            // The execution's own walk has no record of its beginning.
            start: Late::At(usize::MAX, None),
            entered: None,
            called: None,
        })
    }

    fn record(&self, branch: u64, place: Option<u32>, at_ns: u64, what: What) -> Record {
        Record {
            at_ns,
            lane: self.lane,
            branch,
            place,
            what,
        }
    }

    /// Adds a record that is only counted where it finds no room.
    fn tell(&mut self, branch: u64, place: Option<u32>, at_ns: u64, what: What) {
        let _counted = self.push(self.record(branch, place, at_ns, what));
    }

    /// A branch begins.
    fn start(&mut self, branch: u64, at_ns: u64, what: What) {
        self.next_branch = self.next_branch.max(branch.saturating_add(1));
        let start = self.push_late(branch, None, at_ns, what, None);
        self.live(branch).start = start;
    }

    /// Adds a record if there is room; gives it back if not.
    fn push(&mut self, record: Record) -> Result<usize, Record> {
        let weight = if record.what.is_error() {
            Weight::Needed
        } else if record.branch == 0 {
            Weight::Own
        } else {
            Weight::Ordinary
        };
        self.push_as(weight, record)
    }

    fn push_as(&mut self, weight: Weight, record: Record) -> Result<usize, Record> {
        if !self.room.take(weight, record.what.bytes()) {
            self.recording.dropped = self.recording.dropped.saturating_add(1);
            return Err(record);
        }
        self.recording.records.push(record);
        Ok(self.recording.records.len().saturating_sub(1))
    }

    fn push_late(
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
    fn failure(&mut self, branch: u64, place: Option<u32>, at_ns: u64, what: What) {
        let branch = self.number(branch);
        self.explain(branch);
        self.tell(branch, place, at_ns, what);
    }

    /// Makes sure that the beginning of a branch, the state that it is in and the call that it
    /// made are recorded, with their inputs.
    fn explain(&mut self, branch: u64) {
        let Some(mut live) = self.live.remove(&branch) else {
            return;
        };
        live.start = self.complete(live.start);
        live.entered = live.entered.map(|late| self.complete(late));
        live.called = live.called.map(|late| self.complete(late));
        self.live.insert(branch, live);
    }

    fn complete(&mut self, late: Late) -> Late {
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
    fn widen(&mut self, at: usize, data: &Data) {
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
