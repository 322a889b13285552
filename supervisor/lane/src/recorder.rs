//! Records what happens in an execution, or in branches of another lane's, within bounds.
//!
//! Recording must cost next to nothing beside a call: a record copies names' numbers and short
//! texts. The input of a state is kept as a handle while the state runs, and written only if the
//! state fails.

mod merge;
mod room;
#[cfg(test)]
mod tests;

use keylane_policy::abi::message::LaneId;
use keylane_policy::history::{LENT, Recording, Room, What};
use keylane_policy::limit::{ERROR_CAUSE_BYTES, HISTORY_DATA_BYTES};
use keylane_workflow::{Event, FanId};
use room::{Live, cut, excerpt};
use std::collections::HashMap;
use std::sync::Arc;

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
    /// Numbers of branches that other lanes recorded.
    next_foreign: u64,
}

/// Where the numbers of other lanes' branches begin; no lane's own ones come so far.
const FOREIGN: u64 = 1 << 40;

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
            next_foreign: FOREIGN,
        }
    }

    /// What was recorded.
    pub(crate) fn close(mut self, ended_ns: u64) -> Recording {
        self.recording.ended_ns = ended_ns;
        self.recording
    }

    /// The branches of this fan-out are those that another lane lent.
    pub(crate) fn borrow(&mut self, fan: FanId) {
        // Branch 0, the lender's own walk, is nobody's here.
        self.fans.insert(fan, (LENT, 0));
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
                let late = self.push_late(*branch, place, *at_ns, what, Some(input.clone()));
                let live = self.live(*branch);
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
                if *caught {
                    self.explain(*branch);
                }
                let live = self.live(*branch);
                (live.entered, live.called) = (None, None);
                let (output, caught) = (excerpt(output), *caught);
                let what = What::Exited { output, caught };
                self.tell(*branch, place, *at_ns, what);
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
                let late = self.push_late(*branch, place, *at_ns, what, Some(input.clone()));
                self.live(*branch).called = Some(late);
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
                    let branch = *branch;
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
                let branch = *branch;
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
                let branch = *branch;
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
}
