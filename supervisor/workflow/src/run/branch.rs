//! One walk through a machine.

use super::context::{Item, Variables};
use super::slab::Key;
use crate::fault::TaskError;
use crate::json::Node;
use crate::random::Random;

/// A branch: the root of an execution, or one of a fan-out's.
#[derive(Debug)]
pub(super) struct Branch {
    /// Its number in events.
    pub(super) number: u64,
    pub(super) machine: usize,
    pub(super) state: usize,
    /// The raw input of the state.
    pub(super) input: Node,
    pub(super) phase: Phase,
    /// The fan-out that it belongs to and its place there.
    pub(super) parent: Option<(Key, u64)>,
    /// Its place in the fan-out's list of branches that run.
    pub(super) live_place: usize,
    pub(super) item: Option<Item>,
    pub(super) variables: Variables,
    /// Bytes of those that it assigned itself.
    pub(super) stored: usize,
    /// Where its random numbers, and those of its fan-outs' branches, come from.
    pub(super) seed: u64,
    pub(super) random: Random,
    /// Fan-outs that it has made.
    pub(super) fans_made: u64,
    pub(super) started_ns: u64,
    /// Nanoseconds that the host was at work for it and for the branches inside it that ran here.
    pub(super) worked_ns: u64,
    pub(super) entered_ns: u64,
    /// Attempts by retrier of the state, and all together.
    pub(super) attempts: Vec<u64>,
    pub(super) retries: u64,
    /// When its timer rings.
    pub(super) timer: Option<u64>,
}

/// Where a branch is in its state.
#[derive(Debug)]
pub(super) enum Phase {
    /// About to enter the state.
    Enter,
    /// About to do the state's work, for the first time or again.
    Work,
    /// Waits for a call's result.
    Calling { call: Key, function: u16 },
    /// Waits for its fan-out.
    Fanned(Key),
    /// Waits until its timer rings: then the state is over with this output.
    Waiting(Node),
    /// Waits until its timer rings: then it works again.
    Backing,
    /// The work is done with this result.
    Result(Node),
    /// The work failed, in a function if one is named.
    Error(Broken),
}

/// An error on its way out, with where it came from.
#[derive(Clone, Debug)]
pub(super) struct Broken {
    pub(super) fault: TaskError,
    pub(super) function: Option<u16>,
    /// Name and pointer of the state where it arose, if that is an inner one.
    pub(super) origin: Option<(String, String)>,
}

impl From<TaskError> for Broken {
    fn from(fault: TaskError) -> Broken {
        Broken {
            fault,
            function: None,
            origin: None,
        }
    }
}
