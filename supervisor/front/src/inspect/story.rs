//! What matters in a report: the step that failed and how it came to that, what went wrong on the
//! way, what took the time.

use super::saved::{Outcome, Saved};
use crate::history::spans::{End, Spans, Visit};
use keylane_policy::blame::Blame;
use keylane_policy::report::{FanReport, FunctionCalls};
use serde::Serialize;
use std::collections::HashMap;

/// Steps that are told as the slowest, and troubles that are told.
const MOST: usize = 10;

/// What a report tells; `keylane inspect --json` prints it.
#[derive(Clone, Debug, Serialize)]
pub struct Story<'s> {
    /// How the execution ended.
    pub status: Outcome,
    /// The workflow's name.
    pub workflow: &'s str,
    /// Nanoseconds that it ran.
    pub run_ns: u64,
    /// Lanes of the deployment.
    pub lanes: u64,
    /// The step that failed.
    pub failed: Option<FailedStep<'s>>,
    /// How it came to that, in order.
    pub chain: Vec<Link>,
    /// Steps that failed and were caught, tried again or tolerated: the first few, and how many.
    pub troubles: Vec<Trouble<'s>>,
    /// See `troubles`.
    pub troubles_in_all: usize,
    /// The states that took most time in all, Map and Parallel apart.
    pub slowest: Vec<Step<'s>>,
    /// Calls by function.
    pub functions: &'s [FunctionCalls],
    /// Fan-outs.
    pub fans: &'s [FanReport],
    /// Events in the report; none if it has no history.
    pub events: Option<usize>,
    /// Records that found no room.
    pub events_dropped: u64,
}

/// The step that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailedStep<'s> {
    /// The state's name.
    pub state: Option<&'s str>,
    /// Its `Type`.
    pub kind: Option<&'static str>,
    /// JSON pointer to it.
    pub pointer: Option<&'s str>,
    /// The function whose call failed.
    pub function: Option<&'s str>,
    /// The fan-outs around it, innermost first: `Map "Run the checks" #17`.
    pub within: Vec<String>,
    /// The lane that ran it.
    pub lane: Option<u16>,
    /// The error's name.
    pub error: &'s str,
    /// Its cause.
    pub cause: &'s str,
    /// Who can mend it.
    pub blame: Blame,
    /// The state's input, as far as it was kept, and the bytes of the whole.
    pub input: Option<&'s str>,
    /// See `input`.
    pub input_bytes: Option<u64>,
    /// The event that the function got last, as far as it was kept.
    pub event: Option<&'s str>,
}

/// One thing that led to the failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    /// When, in nanoseconds since the execution's start.
    pub at_ns: u64,
    /// What, in words.
    pub what: String,
}

/// A step that failed without ending the execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trouble<'s> {
    /// The state's name.
    pub state: &'s str,
    /// JSON pointer to it.
    pub pointer: &'s str,
    /// When it began, in nanoseconds since the execution's start.
    pub at_ns: u64,
    /// Attempts that failed.
    pub failures: usize,
    /// The last error's name.
    pub error: &'s str,
    /// What came of it: `caught`, `tried again`, `failed`.
    pub end: &'static str,
}

/// All visits of one state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step<'s> {
    /// The state's name.
    pub state: &'s str,
    /// Its `Type`.
    pub kind: &'static str,
    /// JSON pointer to it.
    pub pointer: &'s str,
    /// Visits.
    pub count: u64,
    /// Nanoseconds of all of them together.
    pub total_ns: u64,
    /// Nanoseconds of the longest.
    pub longest_ns: u64,
    /// Nanoseconds of pauses before retries.
    pub paused_ns: u64,
}

/// Finds out what matters.
pub fn story<'s>(saved: &'s Saved, spans: &'s Spans) -> Story<'s> {
    let visit = failed_visit(saved, spans);
    let mut troubles: Vec<Trouble<'_>> = spans
        .visits
        .iter()
        .filter(|seen| !visit.is_some_and(|failed| std::ptr::eq(failed, *seen)))
        .filter(|seen| seen.branches.is_none())
        .filter_map(trouble)
        .collect();
    let troubles_in_all = troubles.len();
    troubles.truncate(MOST);
    Story {
        status: saved.status,
        workflow: &saved.workflow,
        run_ns: saved.run_ns,
        lanes: saved.lanes,
        failed: failed(saved, spans, visit),
        chain: visit.map_or_else(Vec::new, |visit| chain(visit, spans)),
        troubles,
        troubles_in_all,
        slowest: slowest(spans),
        functions: &saved.functions,
        fans: &saved.fans,
        events: saved.events.as_ref().map(Vec::len),
        events_dropped: saved.events_dropped,
    }
}

/// The visit in which the error arose that ended the execution: of those that failed in the state
/// that the report names, the last.
fn failed_visit<'s>(saved: &Saved, spans: &'s Spans) -> Option<&'s Visit> {
    let error = saved.error.as_ref()?;
    let pointer = error.pointer.as_deref()?;
    spans
        .visits
        .iter()
        .filter(|visit| visit.pointer == pointer && visit.end != End::Done)
        .max_by_key(|visit| (visit.end == End::Failed, visit.end_ns))
}

fn within(visit: &Visit, spans: &Spans) -> Vec<String> {
    let mut inner = visit;
    let mut all = Vec::new();
    for outer in spans.around(visit) {
        let index = spans.walks.get(inner.walk).and_then(|walk| walk.index);
        let index = index.map_or_else(String::new, |index| format!(" #{index}"));
        all.push(format!("{} \"{}\"{index}", outer.kind, outer.state));
        inner = outer;
    }
    all
}

fn failed<'s>(saved: &'s Saved, spans: &Spans, visit: Option<&'s Visit>) -> Option<FailedStep<'s>> {
    let error = saved.error.as_ref()?;
    let call = visit.and_then(|visit| visit.calls.last());
    Some(FailedStep {
        state: error.state.as_deref(),
        kind: visit.map(|visit| visit.kind),
        pointer: error.pointer.as_deref(),
        function: error.function.as_deref(),
        within: visit.map_or_else(Vec::new, |visit| within(visit, spans)),
        lane: visit.map(|visit| visit.lane),
        error: &error.error,
        cause: &error.cause,
        blame: error.blame,
        input: visit.and_then(|visit| visit.input.as_deref()),
        input_bytes: visit.map(|visit| visit.input_bytes),
        event: call.and_then(|call| call.input.as_deref()),
    })
}

fn chain(visit: &Visit, spans: &Spans) -> Vec<Link> {
    let link = |at_ns, what: String| Link { at_ns, what };
    let mut chain = vec![link(
        visit.start_ns,
        format!("entered {} \"{}\"", visit.kind, visit.state),
    )];
    let took =
        |start: u64, end: u64| crate::render::duration::nanoseconds(end.saturating_sub(start));
    let mut inside = Vec::new();
    for call in &visit.calls {
        let lasted = took(call.start_ns, call.end_ns);
        let (function, attempt) = (&call.function, call.attempt);
        let what = match &call.error {
            Some((error, _)) => {
                format!("attempt {attempt}: {function} failed after {lasted} with {error}")
            }
            None => format!("attempt {attempt}: {function} answered after {lasted}"),
        };
        inside.push(link(call.end_ns, what));
    }
    for pause in &visit.pauses {
        let lasted = took(pause.start_ns, pause.end_ns);
        let what = format!("pause of {lasted} before retry {}", pause.attempt);
        inside.push(link(pause.start_ns, what));
    }
    // Stable, so that a pause stays behind the failure of the same instant.
    inside.sort_by_key(|link| link.at_ns);
    chain.extend(inside);
    let retries = match visit.pauses.len() {
        0 => "nothing tried it again".to_owned(),
        1 => "1 retry was used up".to_owned(),
        many => format!("{many} retries were used up"),
    };
    let caught = match visit.end {
        End::Caught => "a catcher took it, and its own output failed",
        End::Done | End::Failed | End::Stopped => "nothing caught it",
    };
    chain.push(link(
        visit.end_ns,
        format!("\"{}\" failed: {retries}, {caught}", visit.state),
    ));
    for (outer, what) in spans.around(visit).into_iter().zip(within(visit, spans)) {
        let how = match outer.end {
            End::Caught => "failed with it and was caught",
            End::Done => "tolerated it",
            End::Failed | End::Stopped => "failed with it",
        };
        chain.push(link(outer.end_ns, format!("{what} {how}")));
    }
    chain.push(link(spans.end_ns, "the execution failed".to_owned()));
    chain
}

fn trouble(visit: &Visit) -> Option<Trouble<'_>> {
    let of_call = visit
        .calls
        .iter()
        .rev()
        .find_map(|call| call.error.as_ref());
    let (error, _) = visit.error.as_ref().or(of_call)?;
    let failures = visit.calls.iter().filter(|call| call.error.is_some());
    Some(Trouble {
        state: &visit.state,
        pointer: &visit.pointer,
        at_ns: visit.start_ns,
        failures: failures.count().max(1),
        error,
        end: match visit.end {
            End::Done => "tried again",
            End::Caught => "caught",
            End::Failed | End::Stopped => "failed",
        },
    })
}

fn slowest(spans: &Spans) -> Vec<Step<'_>> {
    let mut steps: HashMap<&str, Step<'_>> = HashMap::new();
    for visit in spans.visits.iter().filter(|visit| visit.branches.is_none()) {
        let step = steps.entry(&visit.pointer).or_insert(Step {
            state: &visit.state,
            kind: visit.kind,
            pointer: &visit.pointer,
            count: 0,
            total_ns: 0,
            longest_ns: 0,
            paused_ns: 0,
        });
        let length = visit.end_ns.saturating_sub(visit.start_ns);
        step.count = step.count.saturating_add(1);
        step.total_ns = step.total_ns.saturating_add(length);
        step.longest_ns = step.longest_ns.max(length);
        for pause in &visit.pauses {
            let length = pause.end_ns.saturating_sub(pause.start_ns);
            step.paused_ns = step.paused_ns.saturating_add(length);
        }
    }
    let mut steps: Vec<Step<'_>> = steps.into_values().collect();
    steps.sort_by_key(|step| (std::cmp::Reverse(step.total_ns), step.pointer));
    steps.truncate(MOST);
    steps
}
