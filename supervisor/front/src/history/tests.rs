//! Recordings of honest and of hostile lanes.

use super::assemble::{Known, events};
use super::event::{Event, EventType as T};
use super::spans::{End, spans};
use keylane_policy::blame::Blame;
use keylane_policy::history::{Excerpt, Place, Record, Recording, What};
use keylane_policy::report::{ErrorReport, Report, Status};
use std::collections::BTreeSet;

/// `HistoryEventType` of the Step Functions API, as botocore 1.44.5 lists it (service model
/// stepfunctions 2016-11-23).
const DOCUMENTED: &str = "ActivityFailed ActivityScheduled ActivityScheduleFailed ActivityStarted \
    ActivitySucceeded ActivityTimedOut ChoiceStateEntered ChoiceStateExited ExecutionAborted \
    ExecutionFailed ExecutionStarted ExecutionSucceeded ExecutionTimedOut FailStateEntered \
    LambdaFunctionFailed LambdaFunctionScheduled LambdaFunctionScheduleFailed LambdaFunctionStarted \
    LambdaFunctionStartFailed LambdaFunctionSucceeded LambdaFunctionTimedOut MapIterationAborted \
    MapIterationFailed MapIterationStarted MapIterationSucceeded MapStateAborted MapStateEntered \
    MapStateExited MapStateFailed MapStateStarted MapStateSucceeded ParallelStateAborted \
    ParallelStateEntered ParallelStateExited ParallelStateFailed ParallelStateStarted \
    ParallelStateSucceeded PassStateEntered PassStateExited SucceedStateEntered SucceedStateExited \
    TaskFailed TaskScheduled TaskStarted TaskStartFailed TaskStateAborted TaskStateEntered \
    TaskStateExited TaskSubmitFailed TaskSubmitted TaskSucceeded TaskTimedOut WaitStateAborted \
    WaitStateEntered WaitStateExited MapRunAborted MapRunFailed MapRunStarted MapRunSucceeded \
    ExecutionRedriven MapRunRedriven EvaluationFailed";

fn excerpt() -> Excerpt {
    Excerpt {
        bytes: 2,
        text: Some("{}".into()),
    }
}

fn entered() -> What {
    What::Entered { input: excerpt() }
}

fn exited(caught: bool) -> What {
    let output = excerpt();
    What::Exited { output, caught }
}

fn scheduled() -> What {
    What::Scheduled {
        function: 0,
        input: excerpt(),
    }
}

fn ended(error: Option<&str>) -> What {
    What::Ended {
        function: 0,
        error: error.map(|error| (error.to_owned(), "because".to_owned())),
    }
}

/// A recording of (time, lane, branch, place, what) in a definition with one state of each type.
pub(crate) fn recording(records: Vec<(u64, u16, u64, u32, What)>) -> Recording {
    let kinds = [
        "Task", "Map", "Parallel", "Wait", "Choice", "Pass", "Succeed", "Fail",
    ];
    let places = kinds.iter().map(|kind| Place {
        pointer: format!("/States/{kind}"),
        state: format!("a {kind}"),
        kind: (*kind).to_owned(),
    });
    let record = |(at, lane, branch, place, what)| Record {
        at_ns: 1000 + at,
        lane,
        branch,
        place: Some(place),
        what,
    };
    Recording {
        began_ns: 1000,
        ended_ns: 1100,
        places: places.collect(),
        records: records.into_iter().map(record).collect(),
        dropped: 0,
    }
}

pub(crate) fn report(failed: bool) -> Report {
    let error = ErrorReport {
        error: "Boom".into(),
        cause: "because".into(),
        blame: Blame::Function,
        state: Some("a Task".into()),
        pointer: Some("/States/Task".into()),
        function: Some("f".into()),
    };
    Report {
        status: if failed {
            Status::Failed
        } else {
            Status::Succeeded
        },
        output: (!failed).then(|| "{}".to_owned()),
        error: failed.then_some(error),
        run_ns: 100,
        fans: Vec::new(),
        functions: Vec::new(),
    }
}

pub(crate) fn assembled(records: Vec<(u64, u16, u64, u32, What)>, failed: bool) -> Vec<Event> {
    told(records, failed, &["/States/Task"])
}

/// The events where these Tasks call by `lambda:invoke`.
fn told(records: Vec<(u64, u16, u64, u32, What)>, failed: bool, invoking: &[&str]) -> Vec<Event> {
    let known = Known {
        functions: &["f".to_owned()],
        invoking: &invoking.iter().map(ToString::to_string).collect(),
        input: "{}",
    };
    events(&recording(records), &report(failed), known)
}

#[test]
fn calls_of_a_function_as_the_resource_have_words_of_their_own() {
    let timeout = Some("States.Timeout");
    let mut records = vec![(0, 0, 0, 0, entered())];
    for (at, error) in [(1, None), (3, Some("Boom")), (5, timeout)] {
        records.extend([(at, 0, 0, 0, scheduled()), (at + 1, 0, 0, 0, ended(error))]);
    }
    let events = told(records, true, &["/States/Other"]);
    let scheduled = T::LambdaFunctionScheduled;
    assert_eq!(
        types(&events)[2..11],
        [
            scheduled,
            T::LambdaFunctionStarted,
            T::LambdaFunctionSucceeded,
            scheduled,
            T::LambdaFunctionStarted,
            T::LambdaFunctionFailed,
            scheduled,
            T::LambdaFunctionStarted,
            T::LambdaFunctionTimedOut,
        ]
    );
    let text = |at: usize| serde_json::to_value(&events[at]).unwrap();
    let details = &text(2)["lambdaFunctionScheduledEventDetails"];
    assert_eq!(
        (details["resource"].as_str(), details["input"].as_str()),
        (Some("f"), Some("{}"))
    );
    assert_eq!(text(7)["lambdaFunctionFailedEventDetails"]["error"], "Boom");
    assert_eq!(
        text(10)["lambdaFunctionTimedOutEventDetails"]["error"],
        "States.Timeout"
    );
    let calls = &spans(&events).visits[0].calls;
    assert_eq!(calls.len(), 3);
    assert_eq!(
        (calls[0].function.as_str(), calls[0].input.as_deref()),
        ("f", Some("{}"))
    );
    assert_eq!(calls[1].error.as_ref().unwrap().0, "Boom");
}

fn types(events: &[Event]) -> Vec<T> {
    events.iter().map(|event| event.head.kind).collect()
}

fn led_by(events: &[Event]) -> Vec<u64> {
    events.iter().map(|event| event.head.previous).collect()
}

/// A Map of two items, one of which another lane runs; the second attempt of it succeeds.
pub(crate) fn map() -> Vec<(u64, u16, u64, u32, What)> {
    let started = |index| What::BranchStarted { fan: 0, index };
    let over = |index| What::BranchEnded {
        fan: 0,
        index,
        failed: false,
    };
    let retried = What::Retried {
        error: "Boom".into(),
        cause: "because".into(),
        attempt: 1,
        again_ns: 1050,
    };
    vec![
        (0, 0, 0, 1, entered()),
        (0, 0, 0, 1, What::FanStarted { fan: 0, total: 2 }),
        (1, 0, 7, 1, started(0)),
        (1, 0, 7, 0, entered()),
        (1, 0, 7, 0, scheduled()),
        (9, 0, 7, 0, ended(None)),
        (9, 0, 7, 0, exited(false)),
        (9, 0, 7, 1, over(0)),
        (
            62,
            0,
            0,
            1,
            What::FanEnded {
                fan: 0,
                failed: false,
            },
        ),
        (62, 0, 0, 1, exited(false)),
        // Merged later, though earlier in time.
        (2, 1, 900, 1, started(1)),
        (2, 1, 900, 0, entered()),
        (2, 1, 900, 0, scheduled()),
        (8, 1, 900, 0, ended(Some("Boom"))),
        (8, 1, 900, 0, retried),
        (50, 1, 900, 0, scheduled()),
        (60, 1, 900, 0, ended(None)),
        (60, 1, 900, 0, exited(false)),
        (61, 1, 900, 1, over(1)),
    ]
}

#[test]
fn every_type_of_event_is_one_that_the_api_documents() {
    let documented: Vec<&str> = DOCUMENTED.split_whitespace().collect();
    assert_eq!(documented.len(), 62);
    let ours = [
        T::ChoiceStateEntered,
        T::ChoiceStateExited,
        T::ExecutionAborted,
        T::ExecutionFailed,
        T::ExecutionStarted,
        T::ExecutionSucceeded,
        T::ExecutionTimedOut,
        T::FailStateEntered,
        T::MapIterationAborted,
        T::MapIterationFailed,
        T::MapIterationStarted,
        T::MapIterationSucceeded,
        T::MapStateAborted,
        T::MapStateEntered,
        T::MapStateExited,
        T::MapStateFailed,
        T::MapStateStarted,
        T::MapStateSucceeded,
        T::ParallelStateAborted,
        T::ParallelStateEntered,
        T::ParallelStateExited,
        T::ParallelStateFailed,
        T::ParallelStateStarted,
        T::ParallelStateSucceeded,
        T::PassStateEntered,
        T::PassStateExited,
        T::SucceedStateEntered,
        T::SucceedStateExited,
        T::TaskFailed,
        T::TaskScheduled,
        T::TaskStarted,
        T::TaskStateAborted,
        T::TaskStateEntered,
        T::TaskStateExited,
        T::TaskSucceeded,
        T::TaskTimedOut,
        T::WaitStateAborted,
        T::WaitStateEntered,
        T::WaitStateExited,
    ];
    for kind in ours {
        let name = format!("{kind:?}");
        assert!(documented.contains(&name.as_str()), "{name}");
        assert_eq!(serde_json::to_value(kind).unwrap(), name.as_str());
    }
    let manual = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/CLI.md"));
    for missing in documented
        .iter()
        .filter(|name| !ours.iter().any(|o| format!("{o:?}") == **name))
    {
        let family = ["Activity", "LambdaFunction", "MapRun"];
        let named = manual.contains(&format!("`{missing}`"))
            || family
                .iter()
                .any(|f| missing.starts_with(f) && manual.contains(&format!("`{f}...`")));
        assert!(named, "the manual must say that {missing} is not told");
    }
}

#[test]
fn a_map_over_two_lanes_is_told_in_the_order_of_the_api() {
    let events = assembled(map(), false);
    let expected = [
        T::ExecutionStarted,
        T::MapStateEntered,
        T::MapStateStarted,
        T::MapIterationStarted,
        T::TaskStateEntered,
        T::TaskScheduled,
        T::TaskStarted,
        T::MapIterationStarted,
        T::TaskStateEntered,
        T::TaskScheduled,
        T::TaskStarted,
        T::TaskFailed,
        T::TaskSucceeded,
        T::TaskStateExited,
        T::MapIterationSucceeded,
        T::TaskScheduled,
        T::TaskStarted,
        T::TaskSucceeded,
        T::TaskStateExited,
        T::MapIterationSucceeded,
        T::MapStateSucceeded,
        T::MapStateExited,
        T::ExecutionSucceeded,
    ];
    assert_eq!(types(&events), expected);
    let ids: Vec<u64> = events.iter().map(|event| event.head.id).collect();
    assert_eq!(ids, (1..=23).collect::<Vec<u64>>());
    assert_eq!(
        led_by(&events),
        [
            0, 0, 2, 3, 4, 5, 6, 3, 8, 9, 10, 11, 7, 13, 14, 12, 16, 17, 18, 19, 20, 20, 22
        ]
    );
    assert_eq!(events[11].head.retry.map(|retry| retry.at_ns), Some(50));
    assert_eq!(
        (events[9].head.attempt, events[15].head.attempt),
        (Some(1), Some(2))
    );
    assert_eq!(
        (events[4].head.lane, events[8].head.lane),
        (Some(0), Some(1))
    );
    assert_eq!(
        events[8].head.branch, 2,
        "branches are numbered as they appear"
    );
}

#[test]
fn a_parallel_that_fails_stops_what_runs_in_it() {
    let started = |index| What::BranchStarted { fan: 0, index };
    let failed = What::Failed {
        error: "Boom".into(),
        cause: "because".into(),
    };
    let events = assembled(
        vec![
            (0, 0, 0, 2, entered()),
            (0, 0, 0, 2, What::FanStarted { fan: 0, total: 2 }),
            (1, 0, 1, 2, started(0)),
            (1, 0, 1, 3, entered()),
            (2, 0, 2, 2, started(1)),
            (2, 0, 2, 0, entered()),
            (2, 0, 2, 0, scheduled()),
            (5, 0, 2, 0, ended(Some("Boom"))),
            (5, 0, 2, 0, failed.clone()),
            (
                5,
                0,
                2,
                2,
                What::BranchEnded {
                    fan: 0,
                    index: 1,
                    failed: true,
                },
            ),
            (
                5,
                0,
                0,
                2,
                What::FanEnded {
                    fan: 0,
                    failed: true,
                },
            ),
            (5, 0, 0, 2, failed),
        ],
        true,
    );
    assert_eq!(
        types(&events)[3..],
        [
            T::WaitStateEntered,
            T::TaskStateEntered,
            T::TaskScheduled,
            T::TaskStarted,
            T::TaskFailed,
            T::WaitStateAborted,
            T::ParallelStateFailed,
            T::ExecutionFailed
        ]
    );
    assert_eq!(led_by(&events)[3..], [3, 3, 5, 6, 7, 4, 8, 10]);
    let spans = spans(&events);
    let ends: Vec<_> = spans
        .visits
        .iter()
        .map(|visit| (visit.kind, visit.end))
        .collect();
    assert_eq!(
        ends,
        [
            ("Parallel", End::Failed),
            ("Wait", End::Stopped),
            ("Task", End::Failed)
        ]
    );
    assert_eq!(spans.around(&spans.visits[2])[0].kind, "Parallel");
}

#[test]
fn the_way_an_execution_ends_has_its_own_event() {
    let last = |report: &Report| {
        let known = Known {
            functions: &[],
            invoking: &BTreeSet::new(),
            input: "{}",
        };
        let events = events(&recording(Vec::new()), report, known);
        events.last().unwrap().head.kind
    };
    assert_eq!(last(&report(false)), T::ExecutionSucceeded);
    assert_eq!(last(&report(true)), T::ExecutionFailed);
    let mut late = report(true);
    let error = late.error.as_mut().unwrap();
    (error.error, error.state) = ("States.Timeout".into(), None);
    assert_eq!(last(&late), T::ExecutionTimedOut);
    late.status = Status::Cancelled;
    assert_eq!(last(&late), T::ExecutionAborted);
}

#[test]
fn spans_hold_states_calls_pauses_and_lanes() {
    let spans = spans(&assembled(map(), false));
    assert_eq!(spans.walks.len(), 3);
    assert_eq!(spans.walks[2].index, Some(1));
    let retried = &spans.visits[2];
    assert_eq!((retried.lane, retried.start_ns, retried.end_ns), (1, 2, 60));
    assert_eq!(retried.end, End::Done);
    let calls: Vec<_> = retried
        .calls
        .iter()
        .map(|c| (c.attempt, c.start_ns, c.end_ns))
        .collect();
    assert_eq!(calls, [(1, 2, 8), (2, 50, 60)]);
    assert_eq!(
        (retried.pauses[0].start_ns, retried.pauses[0].end_ns),
        (8, 50)
    );
    assert_eq!(spans.visits[0].branches, Some(2));
}

#[test]
fn an_event_reads_back_as_it_was_written_and_looks_like_the_apis() {
    let events = assembled(map(), false);
    let text = serde_json::to_string(&events).unwrap();
    let back: Vec<Event> = serde_json::from_str(&text).unwrap();
    assert_eq!(back, events);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value[1]["stateEnteredEventDetails"]["name"], "a Map");
    assert_eq!(value[2]["mapStateStartedEventDetails"]["length"], 2);
    assert_eq!(value[3]["mapIterationStartedEventDetails"]["index"], 0);
    assert_eq!(value[11]["taskFailedEventDetails"]["error"], "Boom");
    assert_eq!(value[11]["type"], "TaskFailed");
    assert_eq!(value[1]["timestamp"], "1970-01-01T00:00:00.000Z");
}

#[test]
fn a_recording_that_points_nowhere_is_read_without_harm() {
    let nowhere = u64::MAX;
    let all = [
        entered(),
        exited(true),
        What::Failed {
            error: String::new(),
            cause: String::new(),
        },
        scheduled(),
        ended(Some("")),
        What::Retried {
            error: String::new(),
            cause: String::new(),
            attempt: 0,
            again_ns: 0,
        },
        What::FanStarted {
            fan: 0,
            total: nowhere,
        },
        What::BranchStarted {
            fan: 0,
            index: nowhere,
        },
        What::BranchEnded {
            fan: nowhere,
            index: 0,
            failed: true,
        },
        What::FanEnded {
            fan: 0,
            failed: true,
        },
    ];
    // Every pair, in every order of time, on its own branch and on another.
    for first in &all {
        for second in &all {
            for (at, branch, place) in [(0, 0, 0), (nowhere - 1000, nowhere, 1), (5, 3, u32::MAX)] {
                let records = vec![
                    (at, 0, branch, place, first.clone()),
                    (3, 9, 0, 2, second.clone()),
                    (3, 9, branch, 1, first.clone()),
                ];
                let events = assembled(records, true);
                let spans = spans(&events);
                for visit in &spans.visits {
                    assert!(visit.start_ns <= visit.end_ns);
                    let _ends = spans.around(visit);
                }
            }
        }
    }
}
