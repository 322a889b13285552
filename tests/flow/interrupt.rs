//! A signal to the command ends the execution, which is reported like any other end; a second one
//! ends the command at once.

use keylane_tests::kept::{Kept, kill};
use keylane_tests::project::Project;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const SOURCE: &str = "\
def handler(event, context):
    while event == 'loop': pass
    return 'loop'
";

/// Two calls, of which the second does not end by itself, and whatever it ends with is caught.
fn looping() -> Project {
    let definition = json!({"StartAt": "First", "States": {
        "First": {"Type": "Task", "Resource": "quick", "Next": "Second"},
        "Second": {"Type": "Task", "Resource": "loop", "Next": "Third",
            "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Third"}]},
        "Third": {"Type": "Pass", "End": true}}});
    Project::with(
        &definition.to_string(),
        &[("quick", SOURCE), ("loop", SOURCE)],
    )
}

fn waiting() -> Project {
    let definition = json!({"StartAt": "First", "States": {
        "First": {"Type": "Task", "Resource": "quick", "Next": "Second"},
        "Second": {"Type": "Wait", "Seconds": 10000, "Next": "Third"},
        "Third": {"Type": "Pass", "End": true}}});
    Project::with(&definition.to_string(), &[("quick", SOURCE)])
}

/// Sends `signal` during the second state and holds what is told of the end.
#[track_caller]
fn is_reported(project: &Project, workers: usize, signal: i32) {
    let file = |name: &str| project.path().join(name).to_str().unwrap().to_owned();
    let (trace, picture) = (file("trace.json"), file("run.svg"));
    let mut kept = Kept::start(&[
        "run",
        project.arg(),
        "--json",
        "--lanes",
        "1",
        "--trace",
        &trace,
        "--timeline",
        &picture,
    ]);
    kept.await_family(|family| family.workers.len() == workers);
    // The worker is there before the second state is: a moment later it is in it.
    std::thread::sleep(Duration::from_millis(500));
    kill(kept.pid, signal);
    let said = kept.end();
    assert_eq!(said.code, Some(128 + signal), "{said:#?}");
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(report["status"], "cancelled", "{report}");
    let events = report["events"].as_array().unwrap();
    let kinds: Vec<&str> = events.iter().filter_map(|e| e["type"].as_str()).collect();
    assert_eq!(kinds.last(), Some(&"ExecutionAborted"), "{kinds:?}");
    assert!(kinds.contains(&"TaskStateExited"), "{kinds:?}");
    let of_third = events.iter().find(|event| {
        event["stateEnteredEventDetails"]["name"] == "Third"
            || event["type"].as_str().is_some_and(|t| t.contains("Failed"))
    });
    assert_eq!(of_third, None, "the workflow saw the signal");
    let written = std::fs::read_to_string(&trace).unwrap();
    let spans: Value = serde_json::from_str(&written).unwrap();
    assert!(spans.as_array().is_some_and(|all| !all.is_empty()));
    assert!(
        std::fs::read_to_string(&picture)
            .unwrap()
            .contains("</svg>")
    );
    kept.expect_nothing_left();
}

#[test]
fn an_interrupted_execution_has_a_report_a_history_a_trace_and_a_picture() {
    is_reported(&looping(), 2, 2);
}

#[test]
fn an_execution_that_is_terminated_while_it_waits_is_reported() {
    is_reported(&waiting(), 1, 15);
}

/// A command whose lane is stopped, and so cannot report.
fn with_a_stopped_lane(project: &Project) -> Kept {
    let kept = Kept::start(&["run", project.arg(), "--json", "-q", "--lanes", "1"]);
    let family = kept.await_family(|family| family.workers.len() == 2);
    kill(family.lanes[0], 19);
    kill(kept.pid, 2);
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(kept.family().lanes, family.lanes, "it did not wait");
    kept
}

#[test]
fn a_second_signal_ends_the_command_at_once() {
    let project = looping();
    let mut kept = with_a_stopped_lane(&project);
    let since = Instant::now();
    kill(kept.pid, 2);
    let said = kept.end();
    assert!(since.elapsed() < Duration::from_secs(5), "it waited");
    assert_eq!(said.code, Some(130), "{said:#?}");
    assert_eq!(said.out, "", "a lane that was stopped reported");
    kept.expect_nothing_left();
}

#[test]
fn a_lane_that_does_not_report_delays_the_end_by_seconds_alone() {
    let project = looping();
    let mut kept = with_a_stopped_lane(&project);
    let said = kept.end();
    assert_eq!(said.code, Some(130), "{said:#?}");
    kept.expect_nothing_left();
}
