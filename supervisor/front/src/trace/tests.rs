//! The rules of the format, on runs as they are recorded. `tests/oracle/run --traces` opens traces
//! of real runs in Perfetto itself.

use super::trace;
use crate::history::spans::spans;
use crate::history::tests::{assembled, map};
use keylane_policy::history::{Excerpt, What};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Beginning, end, and the event itself.
type Slice = (f64, f64, String);

/// What trace events of the kinds "X" and "M" must have, by the published description of the format
/// (Trace Event Format, sections on complete and metadata events).
fn check(events: &[Value]) {
    let number = |event: &Value, field: &str| {
        let found = event[field].as_f64();
        found.unwrap_or_else(|| panic!("{field} of {event} is no number"))
    };
    let mut named: BTreeSet<(u64, u64)> = BTreeSet::new();
    let mut processes: BTreeSet<u64> = BTreeSet::new();
    let mut threads: BTreeMap<(u64, u64), Vec<Slice>> = BTreeMap::new();
    for event in events {
        let (pid, tid) = (
            event["pid"].as_u64().unwrap(),
            event["tid"].as_u64().unwrap(),
        );
        let name = event["name"].as_str().unwrap();
        match event["ph"].as_str().unwrap() {
            "M" => {
                assert!(!event["args"]["name"].as_str().unwrap().is_empty());
                let new = match name {
                    "process_name" => processes.insert(pid),
                    "thread_name" => named.insert((pid, tid)),
                    _ => panic!("metadata of no documented name: {event}"),
                };
                assert!(new, "named twice: {event}");
            }
            "X" => {
                assert!(
                    event["args"].is_object() && event["cat"].is_string(),
                    "{event}"
                );
                let (ts, dur) = (number(event, "ts"), number(event, "dur"));
                assert!(ts >= 0.0 && dur > 0.0, "{event}");
                let slice = (ts, ts + dur, event.to_string());
                threads.entry((pid, tid)).or_default().push(slice);
            }
            other => panic!("an event of the kind {other}"),
        }
    }
    // A nanosecond is a thousandth; half of one is what writing a fraction may cost.
    let near = 0.0005;
    for (thread, slices) in threads {
        assert!(
            named.contains(&thread) && processes.contains(&thread.0),
            "{thread:?} has no name"
        );
        for (at, (start, end, one)) in slices.iter().enumerate() {
            for (other_start, other_end, other) in slices.iter().skip(at + 1) {
                let apart = *other_start >= end - near || *start >= other_end - near;
                let inside = other_start >= start && *other_end <= end + near;
                assert!(
                    apart || inside,
                    "overlap on one thread, or written inside out:\n{one}\n{other}"
                );
            }
        }
    }
}

fn events(records: Vec<(u64, u16, u64, u32, What)>, failed: bool) -> Vec<Value> {
    let text = trace(
        "a \"quoted\"\\ <name> \u{1b}[2J\u{202e}",
        &spans(&assembled(records, failed)),
    );
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
    assert!(!text.contains('\u{202e}'));
    let events: Vec<Value> = serde_json::from_str(&text).unwrap();
    check(&events);
    events
}

fn data() -> Excerpt {
    Excerpt {
        bytes: 2,
        text: Some("{}".into()),
    }
}

fn entered() -> What {
    What::Entered { input: data() }
}

fn exited() -> What {
    What::Exited {
        output: data(),
        caught: false,
    }
}

#[test]
fn a_map_on_two_lanes_is_written_as_the_format_wants() {
    let events = events(map(), false);
    let of = |category: &str| {
        events
            .iter()
            .filter(|event| event["cat"] == category)
            .count()
    };
    assert_eq!((of("branch"), of("call"), of("retry")), (2, 3, 1));
    let processes: BTreeSet<_> = events.iter().map(|event| event["pid"].as_u64()).collect();
    assert_eq!(processes.len(), 2, "one process for each lane");
}

#[test]
fn states_that_share_an_instant_stand_beside_each_other() {
    let mut records = Vec::new();
    for kind in [5, 4, 5, 6] {
        records.extend([(3, 0, 0, kind, entered()), (3, 0, 0, kind, exited())]);
    }
    let events = events(records, false);
    let states: Vec<(f64, f64)> = events
        .iter()
        .filter(|event| event["cat"] == "state")
        .map(|event| {
            (
                event["ts"].as_f64().unwrap(),
                event["dur"].as_f64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        states,
        [
            (0.003, 0.001),
            (0.004, 0.001),
            (0.005, 0.001),
            (0.006, 0.001)
        ]
    );
}

#[test]
fn what_a_hostile_lane_records_is_still_a_trace() {
    // Times that run backwards, ends without beginnings, states that never end, numbers at the edge.
    let records = vec![
        (50, 0, 0, 0, entered()),
        (10, 3, 9, 1, entered()),
        (
            10,
            3,
            9,
            1,
            What::FanStarted {
                fan: 4,
                total: u64::MAX,
            },
        ),
        (
            5,
            3,
            11,
            0,
            What::BranchStarted {
                fan: 4,
                index: u64::MAX,
            },
        ),
        (
            5,
            3,
            11,
            0,
            What::Ended {
                function: 9,
                error: None,
            },
        ),
        (
            7,
            3,
            11,
            0,
            What::Scheduled {
                function: 0,
                input: data(),
            },
        ),
        (
            8,
            3,
            11,
            0,
            What::Scheduled {
                function: 0,
                input: data(),
            },
        ),
        (9, 3, 12, 0, entered()),
        (
            9,
            3,
            12,
            0,
            What::Scheduled {
                function: 0,
                input: data(),
            },
        ),
        (u64::MAX - 2_000, 3, 11, 0, entered()),
        (20, 0, 0, 6, exited()),
    ];
    events(records, true);
}
