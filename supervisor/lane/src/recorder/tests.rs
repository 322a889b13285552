//! What is recorded of executions that run against functions made up here.

use super::Recorder;
use keylane_policy::history::{LENT, Recording, What};
use keylane_policy::limit::{HISTORY_FAILED_BYTES, HISTORY_RECORDS};
use keylane_workflow::{Context, Data, Definition, Event, Execution, FanId, Poll, TaskError};
use std::sync::Arc;

const MAP: &str = r#"{"StartAt": "M", "States": {"M": {"Type": "Map", "End": true,
    "ItemProcessor": {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "f",
    "Retry": [{"ErrorEquals": ["Again"], "IntervalSeconds": 1, "MaxAttempts": 1}],
    "End": true}}}}}}"#;

type Function = fn(&Data) -> Result<Data, TaskError>;

fn definition(text: &str) -> Arc<Definition> {
    let checked = Definition::check(text.as_bytes(), &["f".to_owned()]);
    Arc::new(checked.expect("a valid definition").0)
}

fn data(text: String) -> Data {
    Data::from_untrusted(text.into_bytes()).expect("JSON")
}

/// Runs to the end, with a clock that jumps to whatever is waited for.
fn drive(execution: &mut Execution, recorder: &mut Recorder, function: Function) {
    let mut now = 0;
    loop {
        let wish = execution.poll(now);
        for event in execution.take_events() {
            recorder.note(&event);
        }
        match wish {
            Poll::Call(call) => {
                now += 10;
                execution.complete(call.id, function(&call.input), now);
            }
            Poll::Cancel(_) => {}
            Poll::Idle { wake_at_ns } => now = wake_at_ns.expect("something to wait for"),
            Poll::Done => return,
        }
    }
}

fn record(text: &str, input: String, function: Function) -> Recording {
    let mut recorder = Recorder::new(3, 0);
    let mut execution = Execution::new(definition(text), Context::default(), data(input));
    drive(&mut execution, &mut recorder, function);
    recorder.close(99)
}

fn names(recording: &Recording) -> Vec<&'static str> {
    let name = |what: &What| match what {
        What::Entered { .. } => "entered",
        What::Exited { .. } => "exited",
        What::Failed { .. } => "failed",
        What::Scheduled { .. } => "scheduled",
        What::Ended { .. } => "ended",
        What::Retried { .. } => "retried",
        What::FanStarted { .. } => "fan",
        What::BranchStarted { .. } => "branch",
        What::BranchEnded { .. } => "branch ended",
        What::FanEnded { .. } => "fan ended",
    };
    recording.records.iter().map(|r| name(&r.what)).collect()
}

fn items(count: usize) -> String {
    format!("[{}]", vec!["1"; count].join(","))
}

fn refuses(_input: &Data) -> Result<Data, TaskError> {
    Err(TaskError {
        error: "Again".to_owned(),
        cause: "no".to_owned(),
    })
}

#[test]
fn a_map_of_one_is_recorded_from_its_beginning_to_its_end() {
    let recording = record(MAP, items(1), |input| Ok(input.clone()));
    assert_eq!(
        names(&recording),
        [
            "entered",
            "fan",
            "branch",
            "entered",
            "scheduled",
            "ended",
            "exited",
            "branch ended",
            "fan ended",
            "exited"
        ]
    );
    assert!(recording.records.iter().all(|record| record.lane == 3));
    assert_eq!(recording.ended_ns, 99);
    let kinds: Vec<_> = recording.places.iter().map(|p| p.kind.as_str()).collect();
    assert_eq!(kinds, ["Map", "Task"]);
}

#[test]
fn a_step_that_fails_keeps_its_input_and_one_that_succeeds_only_its_length() {
    let long = format!("[\"{}\"]", "x".repeat(100_000));
    for (function, kept) in [
        (refuses as Function, HISTORY_FAILED_BYTES),
        (|input| Ok(input.clone()), 0),
    ] {
        let recording = record(MAP, long.clone(), function);
        let inputs: Vec<_> = recording
            .records
            .iter()
            .filter(|record| record.branch != 0)
            .filter_map(|record| match &record.what {
                What::Entered { input } | What::Scheduled { input, .. } => Some(input),
                _ => None,
            })
            .collect();
        assert!(inputs.len() >= 2);
        for input in inputs {
            assert_eq!(input.bytes, 100_002);
            assert_eq!(input.text.as_ref().map_or(0, String::len), kept);
        }
    }
}

#[test]
fn a_recording_is_bounded_and_what_explains_a_late_failure_is_in_it() {
    let many = 20_000;
    let last = format!("[{}2]", "1,".repeat(many));
    let recording = record(MAP, last, |input| match input.text().as_str() {
        "2" => refuses(input),
        _ => Ok(input.clone()),
    });
    assert!(recording.records.len() <= HISTORY_RECORDS);
    assert!(recording.dropped > 10_000, "{}", recording.dropped);
    let tail: Vec<_> = names(&recording).into_iter().rev().take(11).rev().collect();
    assert_eq!(
        tail,
        [
            "branch",
            "entered",
            "scheduled",
            "ended",
            "retried",
            "scheduled",
            "ended",
            "failed",
            "branch ended",
            "fan ended",
            "failed"
        ]
    );
}

#[test]
fn what_a_borrower_recorded_is_merged_under_the_lenders_fan_out() {
    let mut borrower = Recorder::new(1, 0);
    let definition = definition(MAP);
    let loan = {
        let mut lender =
            Execution::new(Arc::clone(&definition), Context::default(), data(items(7)));
        let _runs_until_it_calls = lender.poll(0);
        let fan = lender.fans()[0].id;
        lender.lend(fan, 2).expect("a loan")
    };
    let (mut execution, fan) = Execution::borrow(Arc::clone(&definition), loan).expect("branches");
    borrower.borrow(fan);
    drive(&mut execution, &mut borrower, |input| Ok(input.clone()));
    let borrowed = borrower.close(9);
    let mut lender = Recorder::new(0, 0);
    lender.note(&Event::FanStarted {
        branch: 0,
        fan: FanId(77),
        pointer: "/States/M".into(),
        total: 9,
        at_ns: 1,
    });
    lender.merge(1, FanId(77), borrowed.clone());
    let merged = lender.close(10);
    assert_eq!(merged.records.len(), 1 + borrowed.records.len());
    let (own, foreign) = merged.records.split_first().expect("records");
    assert_eq!(own.lane, 0);
    assert!(
        foreign
            .iter()
            .all(|record| record.lane == 1 && record.branch >= super::FOREIGN)
    );
    let started: Vec<_> = foreign
        .iter()
        .filter_map(|record| match record.what {
            What::BranchStarted { fan, index } => Some((fan, index)),
            _ => None,
        })
        .collect();
    assert_eq!(started, [(0, 5), (0, 6)]);
    let mut branches: Vec<u64> = foreign.iter().map(|record| record.branch).collect();
    branches.dedup();
    assert_eq!(branches.len(), 2);
}

#[test]
fn a_hostile_borrower_cannot_touch_the_lenders_records_nor_fill_more_than_its_room() {
    let mut lender = Recorder::new(0, 0);
    lender.note(&Event::FanStarted {
        branch: 0,
        fan: FanId(1),
        pointer: "/States/M".into(),
        total: 9,
        at_ns: 1,
    });
    let mut hostile = lender.close(0);
    let record = hostile.records[0].clone();
    for fan in [0, 1, u64::MAX - 1, LENT] {
        hostile.records.push(keylane_policy::history::Record {
            branch: u64::MAX,
            place: Some(u32::MAX),
            what: What::FanEnded { fan, failed: true },
            ..record.clone()
        });
    }
    hostile.records.extend(vec![record; 3 * HISTORY_RECORDS]);
    let mut lender = Recorder::new(0, 0);
    lender.merge(1, FanId(1), hostile.clone());
    assert_eq!(lender.close(0).records.len(), 0);
    let mut lender = Recorder::new(0, 0);
    lender.note(&Event::FanStarted {
        branch: 0,
        fan: FanId(1),
        pointer: "/States/M".into(),
        total: 9,
        at_ns: 1,
    });
    lender.merge(1, FanId(1), hostile);
    let merged = lender.close(0);
    assert!(merged.records.len() <= HISTORY_RECORDS);
    assert!(
        merged
            .records
            .iter()
            .skip(1)
            .all(|record| record.lane == 1 && record.branch != 0)
    );
}
