//! What happened, for histories, timelines and progress.

use super::fan::FanId;
use crate::json::Data;
use std::sync::Arc;

/// How much is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// Everything.
    #[default]
    All,
    /// Only the ends of branches and fan-outs.
    Fans,
}

/// Something that happened. Instants (`at_ns`) are those that the host gave. `branch` tells the
/// walks through the definition apart: 0 is the root, every branch of a fan-out has its own.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields' names say it, and the text above")]
pub enum Event {
    /// A state began, with its raw input.
    StateEntered {
        branch: u64,
        pointer: Arc<str>,
        state: Arc<str>,
        kind: &'static str,
        input: Data,
        at_ns: u64,
    },
    /// A state ended, with its output; `caught` if a catcher led on.
    StateExited {
        branch: u64,
        pointer: Arc<str>,
        state: Arc<str>,
        kind: &'static str,
        output: Data,
        caught: bool,
        at_ns: u64,
    },
    /// A state failed for good: the error left it.
    StateFailed {
        branch: u64,
        pointer: Arc<str>,
        state: Arc<str>,
        error: String,
        cause: String,
        at_ns: u64,
    },
    /// A function was asked for.
    TaskScheduled {
        branch: u64,
        pointer: Arc<str>,
        call: u64,
        function: u16,
        input: Data,
        at_ns: u64,
    },
    /// A call ended. `error` is none if it succeeded.
    TaskEnded {
        branch: u64,
        pointer: Arc<str>,
        call: u64,
        function: u16,
        error: Option<(String, String)>,
        at_ns: u64,
    },
    /// A state will be tried again at `again_ns`, for the `attempt`-th time.
    Retried {
        branch: u64,
        pointer: Arc<str>,
        error: String,
        cause: String,
        attempt: u64,
        again_ns: u64,
        at_ns: u64,
    },
    /// A Map or Parallel state began its branches.
    FanStarted {
        branch: u64,
        fan: FanId,
        pointer: Arc<str>,
        total: u64,
        at_ns: u64,
    },
    /// A branch of a fan-out began; `branch` is its own number, `parent` that of the fan-out's.
    BranchStarted {
        branch: u64,
        parent: u64,
        fan: FanId,
        index: u64,
        at_ns: u64,
    },
    /// A branch of a fan-out ended. `worked_ns` is the time in which the host was at work for its
    /// calls, without waits and without other branches. `lent` if another lane ran it: then
    /// `started_ns` is when it was lent, and what it worked is known there.
    BranchEnded {
        fan: FanId,
        index: u64,
        started_ns: u64,
        ended_ns: u64,
        worked_ns: u64,
        failed: bool,
        lent: bool,
    },
    /// A fan-out is over; `failed` if an error ended it. Branches that were still lent need not
    /// be repaid.
    FanEnded {
        fan: FanId,
        pointer: Arc<str>,
        total: u64,
        failed: bool,
        at_ns: u64,
    },
}

impl Event {
    pub(super) fn is_about_fans(&self) -> bool {
        matches!(self, Event::BranchEnded { .. } | Event::FanEnded { .. })
    }
}
