//! Branches beside each other: what one does while another calls, and what stops when one fails.
//! A lane makes one call at a time; these hold all the same.

use keylane_tests::project::Project;
use keylane_tests::{Said, run};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Sleeps as long as its event says, or fails after that.
const NAP: &str = "\
import time
def handler(event, context):
    time.sleep(event['sleep'])
    if event.get('fails'): raise ValueError('after its nap')
    return event['sleep']
";

fn task(sleep: f64, fails: bool, onward: &Value) -> Value {
    let mut state = json!({"Type": "Task", "Resource": "nap",
        "Parameters": {"sleep": sleep, "fails": fails}});
    let members = state.as_object_mut().unwrap();
    members.extend(onward.as_object().unwrap().clone());
    state
}

fn end() -> Value {
    json!({"End": true})
}

/// Runs a Parallel of these branches; what was said, and how long it took.
fn parallel(branches: &Value, lanes: &str) -> (Said, Duration) {
    let definition = json!({"StartAt": "P", "States": {
        "P": {"Type": "Parallel", "End": true, "Branches": branches}}});
    let project = Project::with(&definition.to_string(), &[("nap", NAP)]);
    let since = Instant::now();
    let said = run(["run", project.arg(), "--json", "-q", "--lanes", lanes]);
    (said, since.elapsed())
}

/// How long the execution itself took, in seconds.
fn seconds(report: &Value) -> f64 {
    report["run_ns"].as_u64().unwrap() as f64 / 1e9
}

#[test]
fn a_branch_that_waits_does_so_while_its_sibling_calls() {
    let branches = json!([
        {"StartAt": "T", "States": {"T": task(2.0, false, &end())}},
        {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 2, "End": true}}},
    ]);
    let (said, _) = parallel(&branches, "1");
    said.expect_code(0);
    let took = seconds(&said.json());
    assert!((2.0..3.5).contains(&took), "{took} s");
}

#[test]
fn a_branch_that_fails_ends_the_call_of_its_sibling() {
    let branches = json!([
        {"StartAt": "Long", "States": {"Long": task(30.0, false, &end())}},
        {"StartAt": "W", "States": {
            "W": {"Type": "Wait", "Seconds": 1, "Next": "F"},
            "F": {"Type": "Fail", "Error": "Late", "Cause": "it is late"}}},
    ]);
    let (said, whole) = parallel(&branches, "1");
    said.expect_code(1);
    let report = said.json();
    assert_eq!(report["error"]["error"], "Late");
    assert_eq!(report["error"]["blame"], "workflow");
    assert!(whole < Duration::from_secs(20), "{whole:?}");
    let took = seconds(&report);
    assert!((1.0..5.0).contains(&took), "{took} s");
    let events = report["events"].as_array().unwrap();
    let types: Vec<&str> = events
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    assert!(types.contains(&"TaskStateAborted"), "{types:?}");
    // The call that was ended is no failure of its function.
    assert_eq!(
        report["functions"][0]["errors"], 0,
        "{}",
        report["functions"]
    );
}

#[test]
fn a_branch_that_fails_in_another_lane_ends_the_call_in_this_one() {
    // The first call is short, so that the last branch is lent while the first goes on.
    let branches = json!([
        {"StartAt": "Short", "States": {
            "Short": task(0.3, false, &json!({"Next": "Long"})),
            "Long": task(30.0, false, &end())}},
        {"StartAt": "Other", "States": {"Other": task(30.0, false, &end())}},
        {"StartAt": "Broken", "States": {"Broken": task(1.0, true, &end())}},
    ]);
    let (said, whole) = parallel(&branches, "2");
    said.expect_code(1);
    let report = said.json();
    assert_eq!(report["error"]["error"], "ValueError");
    assert_eq!(report["error"]["state"], "Broken");
    assert_eq!(report["error"]["blame"], "function");
    assert_eq!(report["fans"][0]["lent"], 1, "{report}");
    assert!(whole < Duration::from_secs(20), "{whole:?}");
}

#[test]
fn what_a_sibling_ends_is_forked_anew_for_the_next_call() {
    let branches = json!([
        {"StartAt": "Long", "States": {"Long": task(30.0, false, &end())}},
        {"StartAt": "W", "States": {
            "W": {"Type": "Wait", "Seconds": 1, "Next": "F"},
            "F": {"Type": "Fail", "Error": "Late"}}},
    ]);
    let definition = json!({"StartAt": "P", "States": {
        "P": {"Type": "Parallel", "Next": "After", "Branches": branches,
              "Catch": [{"ErrorEquals": ["Late"], "Next": "After"}]},
        "After": task(0.0, false, &end())}});
    let project = Project::with(&definition.to_string(), &[("nap", NAP)]);
    let said = run(["run", project.arg(), "--json", "-q", "--lanes", "1"]);
    said.expect_code(0);
    let report = said.json();
    assert_eq!(report["output"], 0.0);
    assert_eq!(report["functions"][0]["forks"], 2);
}
