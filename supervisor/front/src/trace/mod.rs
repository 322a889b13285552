//! A run as trace events that Perfetto and Chrome open: the JSON array format.
//!
//! A lane is a process. Its threads are the walks through the definition that it made, packed so
//! that walks which do not overlap share a thread, and below them one thread for each function with
//! the calls of it. Names come from functions and definitions, so everything is written as JSON
//! strings and escaped.
//!
//! A viewer finds out by time alone what lies within what, and two states that share an instant
//! would come out as one within the other. So everything lasts a nanosecond at least, and what
//! follows begins no earlier than what it follows ends: `times` says when each is drawn.

use crate::history::spans::{Call, End, Spans, Visit, Walk};
use crate::render::escape;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;
mod times;

use times::{Cursor, Time, Times, pauses};

/// The first thread of calls in a lane; walks have smaller numbers.
const CALLS: usize = 100_000;

struct Writer {
    lines: Vec<String>,
}

impl Writer {
    fn add(&mut self, event: &Value) {
        self.lines.push(event.to_string());
    }

    /// A complete event.
    fn span(
        &mut self,
        (name, category): (&str, &str),
        (lane, thread): (u16, usize),
        Time { start_ns, end_ns }: Time,
        args: &Value,
    ) {
        self.add(&json!({
            "name": name,
            "cat": category,
            "ph": "X",
            "ts": micros(start_ns),
            "dur": micros(end_ns.saturating_sub(start_ns)),
            "pid": lane,
            "tid": thread,
            "args": args,
        }));
    }

    fn name(&mut self, what: &str, (lane, thread): (u16, usize), name: &str) {
        self.add(&json!({
            "name": what, "ph": "M", "pid": lane, "tid": thread, "args": {"name": name},
        }));
    }
}

/// Trace events count microseconds; a fraction keeps the nanoseconds.
fn micros(ns: u64) -> f64 {
    ns as f64 / 1000.0
}

/// The trace of a run.
pub fn trace(workflow: &str, spans: &Spans) -> String {
    let mut writer = Writer { lines: Vec::new() };
    let times = Times::of(spans);
    let threads = threads(&spans.walks, &times.walks);
    let mut lanes: BTreeMap<u16, usize> = BTreeMap::new();
    for (walk, &thread) in spans.walks.iter().zip(&threads) {
        let most = lanes.entry(walk.lane).or_default();
        *most = (*most).max(thread);
    }
    for (&lane, &most) in &lanes {
        let process = format!("{workflow}: lane {lane}");
        writer.name("process_name", (lane, 0), &process);
        for thread in 0..=most {
            let name = match (lane, thread) {
                (0, 0) => "workflow".to_owned(),
                _ => format!("branches {thread}"),
            };
            writer.name("thread_name", (lane, thread), &name);
        }
    }
    let mut functions: BTreeMap<&str, usize> = BTreeMap::new();
    for call in spans.visits.iter().flat_map(|visit| &visit.calls) {
        let next = functions.len();
        functions.entry(&call.function).or_insert(next);
    }
    for (function, place) in &functions {
        for &lane in lanes.keys() {
            let thread = CALLS.saturating_add(*place);
            writer.name(
                "thread_name",
                (lane, thread),
                &format!("calls of {function}"),
            );
        }
    }
    let mut calls: BTreeMap<(u16, usize), Vec<(&Visit, &Call)>> = BTreeMap::new();
    for ((walk, &thread), time) in spans.walks.iter().zip(&threads).zip(&times.walks) {
        branch(&mut writer, spans, walk, (thread, *time));
        for &at in &walk.visits {
            let (Some(seen), Some(time)) = (spans.visits.get(at), times.visits.get(at)) else {
                continue;
            };
            visit(&mut writer, seen, (walk.lane, thread), *time);
            for call in &seen.calls {
                let place = functions.get(call.function.as_str()).copied();
                let thread = CALLS.saturating_add(place.unwrap_or(0));
                calls
                    .entry((walk.lane, thread))
                    .or_default()
                    .push((seen, call));
            }
        }
    }
    for (&place, calls) in &mut calls {
        calls.sort_by_key(|(_, call)| call.start_ns);
        let mut cursor = Cursor::from(0);
        for (seen, call) in calls {
            let time = cursor.next(call.start_ns, call.end_ns);
            self::call(&mut writer, seen, call, (place, time));
        }
    }
    let text = format!("[\n{}\n]\n", writer.lines.join(",\n"));
    escape::json(&text).into_owned()
}

/// A thread for each walk: the first one of its lane that is free by then. The execution's own walk
/// has the first thread for itself.
fn threads(walks: &[Walk], times: &[Time]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..walks.len()).collect();
    order.sort_by_key(|&at| times.get(at).map_or(0, |time| time.start_ns));
    let mut busy: BTreeMap<u16, Vec<u64>> = BTreeMap::from([(0, vec![u64::MAX])]);
    let mut threads = vec![0; walks.len()];
    for at in order.into_iter().filter(|&at| at > 0) {
        let (Some(walk), Some(time)) = (walks.get(at), times.get(at)) else {
            continue;
        };
        let Some(thread) = threads.get_mut(at) else {
            continue;
        };
        let lane = busy.entry(walk.lane).or_default();
        let free = lane.iter().position(|&until| until <= time.start_ns);
        *thread = free.unwrap_or(lane.len());
        match lane.get_mut(*thread) {
            Some(until) => *until = time.end_ns,
            None => lane.push(time.end_ns),
        }
    }
    threads
}

fn branch(writer: &mut Writer, spans: &Spans, walk: &Walk, (thread, time): (usize, Time)) {
    let Some(of) = walk.of.and_then(|of| spans.visits.get(of)) else {
        return;
    };
    let name = match walk.index {
        Some(index) => format!("{} #{index}", of.state),
        None => format!("a branch of {}", of.state),
    };
    let args = json!({"branch": walk.branch, "failed": walk.failed});
    writer.span((&name, "branch"), (walk.lane, thread), time, &args);
}

fn visit(writer: &mut Writer, visit: &Visit, place: (u16, usize), time: Time) {
    let mut args = json!({
        "type": visit.kind,
        "pointer": visit.pointer,
        "ended": ending(visit.end),
        "input_bytes": visit.input_bytes,
    });
    if let (Some((error, _)), Some(args)) = (&visit.error, args.as_object_mut()) {
        args.insert("error".to_owned(), error.as_str().into());
    }
    let category = match visit.kind {
        "Wait" => "wait",
        _ => "state",
    };
    writer.span((&visit.state, category), place, time, &args);
    for (pause, time) in pauses(visit, time.start_ns) {
        let name = format!("pause before retry {}", pause.attempt);
        writer.span((&name, "retry"), place, time, &json!({}));
    }
}

fn call(writer: &mut Writer, visit: &Visit, call: &Call, (place, time): ((u16, usize), Time)) {
    let error = call.error.as_ref().map(|(error, _)| error);
    let args = json!({"state": visit.state, "attempt": call.attempt, "error": error});
    writer.span((&call.function, "call"), place, time, &args);
}

fn ending(end: End) -> &'static str {
    match end {
        End::Done => "done",
        End::Caught => "caught",
        End::Failed => "failed",
        End::Stopped => "stopped",
    }
}
