//! Makes events of a recording: sorts what several lanes recorded, numbers it, says what led to
//! what, and adds what follows from the rest (a stopped state, the execution's own end).

mod calls;
mod ends;
mod fans;

use super::event::{Details, Event, EventType, Extent, Head, Retry};
use calls::Words;
use fans::Fan;
use keylane_policy::abi::message::LaneId;
use keylane_policy::history::{Excerpt, Place, Record, Recording, What};
use keylane_policy::report::Report;
use std::collections::{BTreeSet, HashMap};

/// When, on which lane and on which walk something happened.
#[derive(Clone, Copy)]
struct Spot {
    at_ns: u64,
    lane: LaneId,
    branch: u64,
}

impl From<&Record> for Spot {
    fn from(record: &Record) -> Spot {
        Spot {
            at_ns: record.at_ns,
            lane: record.lane,
            branch: record.branch,
        }
    }
}

/// The errors by which a task ends in `TaskTimedOut`.
const TIMEOUTS: [&str; 2] = ["States.Timeout", "States.HeartbeatTimeout"];

/// What is known of one walk through the definition.
#[derive(Default)]
struct Walk {
    /// The event that came last.
    last: u64,
    /// The `Type` of the state that it is in; empty outside.
    kind: String,
    /// How the state's calls are told.
    words: Words,
    /// Attempts at the state's call.
    attempts: u64,
    /// The event that told the last failure, as a place in the list.
    failure: Option<usize>,
    /// The error that ended the walk, or its last state.
    error: Option<(String, String)>,
    /// Its fan-out and its place there.
    fan: Option<(u64, u64)>,
    over: bool,
}

/// What a recording does not say, because the front knows it better.
#[derive(Clone, Copy, Debug)]
pub struct Known<'k> {
    /// The functions' names, by number.
    pub functions: &'k [String],
    /// JSON pointers of the Tasks that call by `lambda:invoke`.
    pub invoking: &'k BTreeSet<String>,
    /// The execution's input.
    pub input: &'k str,
}

/// The events of an execution, in order of time.
pub fn events(recording: &Recording, report: &Report, known: Known<'_>) -> Vec<Event> {
    let mut records: Vec<&Record> = recording.records.iter().collect();
    // Stable: what one lane did within one tick of the clock stays in its order.
    records.sort_by_key(|record| record.at_ns);
    let mut assembly = Assembly {
        recording,
        known,
        events: Vec::with_capacity(records.len().saturating_mul(2)),
        walks: HashMap::new(),
        numbers: HashMap::new(),
        fans: HashMap::new(),
    };
    assembly.begin(known.input);
    for record in records {
        assembly.add(record);
    }
    assembly.end(report);
    assembly.events
}

struct Assembly<'r> {
    recording: &'r Recording,
    known: Known<'r>,
    events: Vec<Event>,
    walks: HashMap<u64, Walk>,
    /// Small numbers for branches, in the order in which they are told of.
    numbers: HashMap<u64, u64>,
    fans: HashMap<u64, Fan>,
}

/// A text with how much of it is there.
fn shown(excerpt: &Excerpt) -> (Option<String>, Option<Extent>) {
    let there = excerpt.text.as_ref().map_or(0, String::len);
    let extent = Extent {
        truncated: excerpt.text.is_none()
            || u64::try_from(there).is_ok_and(|there| there < excerpt.bytes),
        bytes: excerpt.bytes,
    };
    (excerpt.text.clone(), Some(extent))
}

impl Assembly<'_> {
    fn relative(&self, at_ns: u64) -> u64 {
        at_ns.saturating_sub(self.recording.began_ns)
    }

    fn place(&self, record: &Record) -> Option<&Place> {
        let at = usize::try_from(record.place?).ok()?;
        self.recording.places.get(at)
    }

    fn walk(&mut self, branch: u64) -> &mut Walk {
        self.walks.entry(branch).or_default()
    }

    /// Adds an event of a walk; its number.
    fn push(&mut self, spot: impl Into<Spot>, kind: EventType, details: Details) -> u64 {
        let spot = spot.into();
        let previous = self.walk(spot.branch).last;
        let id = self.push_after(spot, kind, details, previous);
        self.walk(spot.branch).last = id;
        id
    }

    fn push_after(&mut self, spot: Spot, kind: EventType, details: Details, previous: u64) -> u64 {
        let next = u64::try_from(self.numbers.len()).unwrap_or(u64::MAX);
        let branch = *self.numbers.entry(spot.branch).or_insert(next);
        let id = u64::try_from(self.events.len())
            .unwrap_or(u64::MAX)
            .saturating_add(1);
        let head = Head {
            id,
            previous,
            kind,
            timestamp: keylane_workflow::timestamp(spot.at_ns),
            at_ns: self.relative(spot.at_ns),
            lane: Some(spot.lane),
            branch,
            pointer: None,
            attempt: None,
            retry: None,
            caught: false,
        };
        self.events.push(Event { head, details });
        id
    }

    fn last_head(&mut self) -> Option<&mut Head> {
        self.events.last_mut().map(|event| &mut event.head)
    }

    fn add(&mut self, record: &Record) {
        match &record.what {
            What::Entered { input } => self.entered(record, input),
            What::Exited { output, caught } => self.exited(record, output, *caught),
            What::Failed { error, cause } => {
                self.walk(record.branch).error = Some((error.clone(), cause.clone()));
            }
            What::Scheduled { function, input } => self.scheduled(record, *function, input),
            What::Ended { function, error } => self.task_ended(record, *function, error.as_ref()),
            What::Retried {
                error,
                cause,
                attempt,
                again_ns,
            } => {
                let retry = Retry {
                    attempt: *attempt,
                    at_ns: self.relative(*again_ns),
                };
                self.retried(record, (error, cause), retry);
            }
            What::FanStarted { fan, total } => self.fan_started(record, *fan, *total),
            What::BranchStarted { fan, index } => self.branch_started(record, *fan, *index),
            What::BranchEnded { fan, index, failed } => {
                self.branch_ended(record, *fan, *index, *failed);
            }
            What::FanEnded { fan, failed } => self.fan_ended(record, *fan, *failed),
        }
    }

    fn entered(&mut self, record: &Record, input: &Excerpt) {
        let Some(place) = self.place(record).cloned() else {
            return;
        };
        let Some(kind) = EventType::entered(&place.kind) else {
            return;
        };
        let (input, input_details) = shown(input);
        let details = Details {
            name: Some(place.state),
            input,
            input_details,
            ..Details::default()
        };
        self.push(record, kind, details);
        if let Some(head) = self.last_head() {
            head.pointer = Some(place.pointer.clone());
        }
        let words = Words::of(self.known.invoking.contains(&place.pointer));
        let walk = self.walk(record.branch);
        (walk.kind, walk.attempts, walk.words) = (place.kind, 0, words);
        (walk.failure, walk.error) = (None, None);
    }

    fn exited(&mut self, record: &Record, output: &Excerpt, caught: bool) {
        let Some(place) = self.place(record).cloned() else {
            return;
        };
        let Some(kind) = EventType::exited(&place.kind) else {
            return;
        };
        let (output, output_details) = shown(output);
        let details = Details {
            name: Some(place.state),
            output,
            output_details,
            ..Details::default()
        };
        self.push(record, kind, details);
        if let Some(head) = self.last_head() {
            head.caught = caught;
        }
        self.walk(record.branch).kind.clear();
    }

    /// The event that was added last tells a failure of this walk.
    fn note_failure(&mut self, branch: u64) {
        let at = self.events.len().checked_sub(1);
        self.walk(branch).failure = at;
    }

    fn retried(&mut self, record: &Record, (error, cause): (&str, &str), retry: Retry) {
        let walk = self.walk(record.branch);
        if walk.failure.is_none() && walk.kind == "Task" {
            // The state failed before or after its call.
            let details = Details {
                error: Some(error.to_owned()),
                cause: Some(cause.to_owned()),
                ..Details::default()
            };
            let failed = self.walk(record.branch).words.failed();
            self.push(record, failed, details);
            self.note_failure(record.branch);
        }
        let failure = self.walk(record.branch).failure.take();
        if let Some(event) = failure.and_then(|at| self.events.get_mut(at)) {
            event.head.retry = Some(retry);
        }
    }
}
