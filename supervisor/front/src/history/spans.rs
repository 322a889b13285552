//! States, calls and pauses with their beginning and end, found in a list of events.
//!
//! The events may come from a saved file: an event that fits nowhere is passed over, a span that
//! never ends lasts to the end, and time never runs backwards within a span.

use super::event::{Event, EventType as T};
use keylane_policy::abi::message::LaneId;
use std::collections::HashMap;

/// How a span ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// As it should.
    Done,
    /// With an error that a catcher took.
    Caught,
    /// With an error.
    Failed,
    /// Something outside stopped it, or nothing tells of its end.
    Stopped,
}

/// One call of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The function's name.
    pub function: String,
    /// Beginning and end, in nanoseconds since the execution's start.
    pub start_ns: u64,
    /// See `start_ns`.
    pub end_ns: u64,
    /// Which attempt, from 1.
    pub attempt: u64,
    /// Its error and cause, if it failed.
    pub error: Option<(String, String)>,
    /// The event that the function got, as far as it was kept.
    pub input: Option<String>,
}

/// A pause before another attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Beginning and end, in nanoseconds since the execution's start.
    pub start_ns: u64,
    /// See `start_ns`.
    pub end_ns: u64,
    /// Which retry follows, from 1.
    pub attempt: u64,
}

/// One visit of a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// JSON pointer to the state.
    pub pointer: String,
    /// Its name.
    pub state: String,
    /// Its `Type`.
    pub kind: &'static str,
    /// The walk that visited it.
    pub walk: usize,
    /// The lane of that walk.
    pub lane: LaneId,
    /// Beginning and end, in nanoseconds since the execution's start.
    pub start_ns: u64,
    /// See `start_ns`.
    pub end_ns: u64,
    /// How it ended.
    pub end: End,
    /// The last error and cause in it.
    pub error: Option<(String, String)>,
    /// Its input, as far as it was kept, and the bytes of the whole.
    pub input: Option<String>,
    /// See `input`.
    pub input_bytes: u64,
    /// Calls that it made.
    pub calls: Vec<Call>,
    /// Pauses between them.
    pub pauses: Vec<Pause>,
    /// Branches, if it is a Map or Parallel that started.
    pub branches: Option<u64>,
}

/// One walk through the definition: the execution's own, or a branch's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    /// Its number in the events.
    pub branch: u64,
    /// The visit of the Map or Parallel that started it.
    pub of: Option<usize>,
    /// Its index there, where the events tell.
    pub index: Option<u64>,
    /// The lane that walked.
    pub lane: LaneId,
    /// Beginning and end, in nanoseconds since the execution's start.
    pub start_ns: u64,
    /// See `start_ns`.
    pub end_ns: u64,
    /// Whether it failed.
    pub failed: bool,
    /// Its visits, in order.
    pub visits: Vec<usize>,
}

/// Everything with a beginning and an end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spans {
    /// The walks; the execution's own is the first.
    pub walks: Vec<Walk>,
    /// The visits, by their beginning.
    pub visits: Vec<Visit>,
    /// When the last event happened.
    pub end_ns: u64,
}

impl Spans {
    /// The visits around a visit, innermost first.
    pub fn around(&self, visit: &Visit) -> Vec<&Visit> {
        let mut around = Vec::new();
        let mut walk = self.walks.get(visit.walk);
        // A walk is made after the visit that it belongs to, so this ends.
        while let Some(outer) = walk.and_then(|walk| self.visits.get(walk.of?)) {
            around.push(outer);
            walk = self.walks.get(outer.walk);
        }
        around
    }
}

struct Builder {
    spans: Spans,
    /// The walk of each branch.
    walks: HashMap<u64, usize>,
    /// The walk of each event.
    events: HashMap<u64, usize>,
    /// The visit in which each walk is.
    open: HashMap<usize, usize>,
}

/// Finds the spans.
pub fn spans(events: &[Event]) -> Spans {
    let mut builder = Builder {
        spans: Spans::default(),
        walks: HashMap::new(),
        events: HashMap::new(),
        open: HashMap::new(),
    };
    for event in events {
        builder.add(event);
    }
    let mut spans = builder.spans;
    let end = spans.end_ns;
    for at in builder.open.into_values() {
        if let Some(visit) = spans.visits.get_mut(at) {
            let failed = visit.kind == "Fail" || visit.error.is_some();
            visit.end = if failed { End::Failed } else { End::Stopped };
            close(visit, end);
        }
    }
    spans
}

fn close(visit: &mut Visit, at_ns: u64) {
    visit.end_ns = at_ns.max(visit.start_ns);
    for call in visit
        .calls
        .iter_mut()
        .filter(|call| call.end_ns == u64::MAX)
    {
        call.end_ns = visit.end_ns.max(call.start_ns);
    }
    for pause in &mut visit.pauses {
        pause.end_ns = pause.end_ns.min(visit.end_ns).max(pause.start_ns);
    }
}

impl Builder {
    fn add(&mut self, event: &Event) {
        let head = &event.head;
        self.spans.end_ns = self.spans.end_ns.max(head.at_ns);
        let walk = self.walk(event);
        self.events.insert(head.id, walk);
        if let Some(known) = self.spans.walks.get_mut(walk) {
            known.end_ns = known.end_ns.max(head.at_ns);
            if let (T::MapIterationStarted, Some(index)) = (head.kind, event.details.index) {
                known.index = Some(index);
            }
            known.failed |= matches!(head.kind, T::MapIterationFailed | T::ExecutionFailed);
        }
        if let Some(kind) = head.kind.enters() {
            self.enter(event, walk, kind);
            return;
        }
        let details = &event.details;
        let error = || {
            let error = details.error.clone()?;
            Some((error, details.cause.clone().unwrap_or_default()))
        };
        let Some(&at) = self.open.get(&walk) else {
            return;
        };
        let Some(visit) = self.spans.visits.get_mut(at) else {
            return;
        };
        match head.kind {
            T::TaskScheduled | T::LambdaFunctionScheduled => visit.calls.push(Call {
                function: event.details.resource.clone().unwrap_or_default(),
                start_ns: head.at_ns,
                end_ns: u64::MAX,
                attempt: head.attempt.unwrap_or(1),
                error: None,
                input: details.parameters.clone().or_else(|| details.input.clone()),
            }),
            T::TaskSucceeded
            | T::TaskFailed
            | T::TaskTimedOut
            | T::LambdaFunctionSucceeded
            | T::LambdaFunctionFailed
            | T::LambdaFunctionTimedOut => {
                visit.error = error();
                if let Some(call) = visit.calls.last_mut().filter(|c| c.end_ns == u64::MAX) {
                    call.end_ns = head.at_ns.max(call.start_ns);
                    call.error = error();
                }
            }
            T::MapStateStarted | T::ParallelStateStarted => {
                visit.branches = Some(event.details.length.unwrap_or(0));
            }
            T::MapStateFailed | T::ParallelStateFailed => visit.error = error(),
            T::ExecutionFailed | T::ExecutionTimedOut | T::MapIterationFailed => {
                visit.error = visit.error.take().or_else(error);
                visit.end = End::Failed;
                self.shut(walk, at, head.at_ns);
            }
            T::ExecutionAborted
            | T::MapIterationAborted
            | T::MapStateAborted
            | T::ParallelStateAborted
            | T::TaskStateAborted
            | T::WaitStateAborted => {
                visit.end = End::Stopped;
                self.shut(walk, at, head.at_ns);
            }
            kind if kind.exits() => {
                visit.end = if head.caught { End::Caught } else { End::Done };
                self.shut(walk, at, head.at_ns);
            }
            _ => {}
        }
        if let Some(retry) = head.retry
            && let Some(visit) = self.spans.visits.get_mut(at)
        {
            visit.pauses.push(Pause {
                start_ns: head.at_ns,
                end_ns: retry.at_ns.max(head.at_ns),
                attempt: retry.attempt,
            });
        }
    }

    fn shut(&mut self, walk: usize, at: usize, at_ns: u64) {
        self.open.remove(&walk);
        if let Some(visit) = self.spans.visits.get_mut(at) {
            close(visit, at_ns);
        }
    }

    /// The walk of an event; a new one if its branch was not heard of before.
    fn walk(&mut self, event: &Event) -> usize {
        let head = &event.head;
        if let Some(&walk) = self.walks.get(&head.branch) {
            return walk;
        }
        let walk = self.spans.walks.len();
        let of = self
            .events
            .get(&head.previous)
            .and_then(|outer| self.open.get(outer))
            .copied();
        self.spans.walks.push(Walk {
            branch: head.branch,
            of,
            index: None,
            lane: head.lane.unwrap_or(0),
            start_ns: head.at_ns,
            end_ns: head.at_ns,
            failed: false,
            visits: Vec::new(),
        });
        self.walks.insert(head.branch, walk);
        walk
    }

    fn enter(&mut self, event: &Event, walk: usize, kind: &'static str) {
        let (head, details) = (&event.head, &event.details);
        if let Some(left) = self.open.remove(&walk) {
            // Nothing told of its end; the walk went on, so it ended by now.
            self.shut(walk, left, head.at_ns);
        }
        let at = self.spans.visits.len();
        self.spans.visits.push(Visit {
            pointer: head.pointer.clone().unwrap_or_default(),
            state: details.name.clone().unwrap_or_default(),
            kind,
            walk,
            lane: head.lane.unwrap_or(0),
            start_ns: head.at_ns,
            end_ns: head.at_ns,
            end: End::Stopped,
            error: None,
            input: details.input.clone(),
            input_bytes: details.input_details.map_or(0, |extent| extent.bytes),
            calls: Vec::new(),
            pauses: Vec::new(),
            branches: None,
        });
        self.open.insert(walk, at);
        if let Some(known) = self.spans.walks.get_mut(walk) {
            known.visits.push(at);
        }
    }
}
