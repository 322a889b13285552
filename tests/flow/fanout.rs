//! Map over lanes: where branches run, and what is told about it.

use keylane_tests::project::Project;
use keylane_tests::{Said, finish_with, keylane, run};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Answers who it is; sleeps as long as the item says. A lane's zygote children have their own
/// numbers, so two lanes show as two.
const WORKER: &str = "\
import os, time
def handler(event, context):
    time.sleep(event)
    return os.getpid()
";

fn map_of(source: &str) -> Project {
    let definition = json!({
        "StartAt": "Fan",
        "States": {"Fan": {"Type": "Map", "End": true, "ItemProcessor": {
            "StartAt": "Work",
            "States": {"Work": {"Type": "Task", "Resource": "worker", "End": true}}
        }}}
    });
    Project::with(&definition.to_string(), &[("worker", source)])
}

fn stream(inputs: &[Value], lanes: &str) -> Said {
    let project = map_of(WORKER);
    let mut command = keylane([
        "run",
        project.arg(),
        "--stream",
        "--json",
        "-q",
        "--lanes",
        lanes,
    ]);
    let lines: String = inputs.iter().map(|input| format!("{input}\n")).collect();
    let said = finish_with(&mut command, lines.as_bytes());
    said.expect_code(0);
    said
}

/// That a fan's report agrees with itself: the rule of `policy::spread`, applied to the numbers that
/// it shows, gives the decision that it tells.
#[track_caller]
fn agrees(fan: &Value) {
    let decision = fan["decision"].as_str().unwrap();
    let lent = fan["lent"].as_u64().unwrap();
    let loans = fan["loans"].as_u64().unwrap();
    assert_eq!(lent > 0, loans > 0, "{fan}");
    assert_eq!(lent > 0, decision.starts_with("spread: "), "{fan}");
    assert!(lent <= fan["branches"].as_u64().unwrap(), "{fan}");
    if lent == 0 {
        assert!(decision.starts_with("in sequence: "), "{fan}");
    }
    // "R branches of T ms take S ms in sequence, P ms on N lanes"
    let milliseconds: Vec<f64> = decision
        .split(" ms")
        .filter_map(|part| part.rsplit(' ').next()?.parse().ok())
        .collect();
    if let [_, sequence, spread, _] = milliseconds[..] {
        assert_eq!(
            spread < sequence,
            lent > 0,
            "the decision is not what its numbers say: {fan}"
        );
    }
}

#[test]
fn slow_items_are_spread_and_take_both_lanes() {
    let said = stream(&[json!(vec![0.05; 40])], "2");
    let report = &said.reports()[0];
    let fan = &report["fans"][0];
    agrees(fan);
    assert!(fan["lent"].as_u64().unwrap() > 0, "nothing was lent: {fan}");
    let workers: BTreeSet<u64> = report["output"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pid| pid.as_u64().unwrap())
        .collect();
    assert_eq!(
        workers.len(),
        2,
        "the items did not run on two lanes: {report}"
    );
    assert_eq!(report["functions"][0]["forks"], 2);
    assert_eq!(report["functions"][0]["calls"], 40);
}

#[test]
fn two_tiny_items_of_a_warm_deployment_run_in_sequence() {
    // The first input measures branches and hand-overs; then there is nothing to gain. A machine
    // that hiccups may measure one branch as slow, so one of several is enough.
    let mut inputs = vec![json!(vec![0; 200])];
    inputs.extend(vec![json!([0, 0]); 5]);
    let said = stream(&inputs, "2");
    let reports = said.reports();
    for report in &reports {
        agrees(&report["fans"][0]);
    }
    let in_sequence = reports[1..]
        .iter()
        .filter(|report| {
            report["fans"][0]["decision"]
                .as_str()
                .unwrap()
                .starts_with("in sequence: ")
        })
        .count();
    assert!(in_sequence > 0, "{reports:#?}");
}

#[test]
fn two_thousand_tiny_items_cost_no_fork_each_and_the_decision_is_told() {
    let said = stream(&[json!(vec![0; 2000])], "2");
    let report = &said.reports()[0];
    agrees(&report["fans"][0]);
    assert_eq!(report["fans"][0]["branches"], 2000);
    assert_eq!(report["functions"][0]["calls"], 2000);
    assert!(
        report["functions"][0]["forks"].as_u64().unwrap() <= 2,
        "{report}"
    );
}

#[test]
fn with_one_lane_everything_runs_in_sequence_and_says_so() {
    let said = stream(&[json!(vec![0.01; 10])], "1");
    let fan = &said.reports()[0]["fans"][0];
    assert_eq!(fan["lent"], 0);
    assert_eq!(fan["decision"], "in sequence: no other lane was free");
}

#[test]
fn results_keep_the_order_of_the_items_wherever_they_ran() {
    let source = "\
import time
def handler(event, context):
    time.sleep(0.002 * (event % 7))
    return event * event
";
    let project = map_of(source);
    let items: Vec<u64> = (0..200).collect();
    let input = json!(items).to_string();
    let said = run([
        "run",
        project.arg(),
        "--json",
        "-q",
        "--lanes",
        "4",
        "--input",
        &input,
    ]);
    said.expect_code(0);
    let squares: Vec<u64> = items.iter().map(|n| n * n).collect();
    assert_eq!(said.json()["output"], json!(squares));
}

#[test]
fn a_branch_that_fails_stops_its_siblings() {
    let source = "\
import time
def handler(event, context):
    if event == 0: raise ValueError('the first')
    time.sleep(0.05)
    return event
";
    let project = map_of(source);
    let items: Vec<u64> = (0..2000).collect();
    let input = json!(items).to_string();
    for lanes in ["1", "2"] {
        let said = run([
            "run",
            project.arg(),
            "--json",
            "-q",
            "--lanes",
            lanes,
            "--input",
            &input,
        ]);
        said.expect_code(1);
        let report = said.json();
        assert_eq!(report["error"]["error"], "ValueError");
        let calls = report["functions"][0]["calls"].as_u64().unwrap();
        assert!(
            calls < 1000,
            "{calls} siblings were called after the failure"
        );
    }
}

#[test]
fn lent_items_wait_together_and_their_waits_are_no_work() {
    let source = "\
import time
def handler(event, context):
    time.sleep(0.02)
    return event
";
    let definition = json!({
        "StartAt": "Fan",
        "States": {"Fan": {"Type": "Map", "End": true, "ItemProcessor": {
            "StartAt": "Work",
            "States": {
                "Work": {"Type": "Task", "Resource": "worker", "Next": "Rest"},
                "Rest": {"Type": "Wait", "Seconds": 2, "End": true}
            }
        }}}
    });
    let project = Project::with(&definition.to_string(), &[("worker", source)]);
    let items: Vec<u64> = (0..30).collect();
    let input = json!(items).to_string();
    let arg = project.arg();
    let said = run([
        "run", arg, "--json", "-q", "--lanes", "2", "--input", &input,
    ]);
    said.expect_code(0);
    let report = said.json();
    assert_eq!(report["output"], json!(items));
    let fan = &report["fans"][0];
    assert!(fan["lent"].as_u64().unwrap() > 2, "{fan}");
    let seconds = |value: &Value| value.as_f64().unwrap() / 1e9;
    assert!(seconds(&fan["branch_ns"]) < 1.0, "{fan}");
    let took = seconds(&report["run_ns"]);
    assert!(took < 12.0, "30 waits of 2 s took {took} s");
}

#[test]
fn an_error_in_a_lent_item_names_the_state_inside_and_the_function() {
    let source = "\
import time
def handler(event, context):
    time.sleep(0.03)
    if event == 39: raise ValueError('the last')
    return event
";
    let project = map_of(source);
    let items: Vec<u64> = (0..40).collect();
    let input = json!(items).to_string();
    let arg = project.arg();
    let said = run([
        "run", arg, "--json", "-q", "--lanes", "2", "--input", &input,
    ]);
    said.expect_code(1);
    let report = said.json();
    let error = &report["error"];
    assert_eq!(error["error"], "ValueError");
    assert_eq!(error["state"], "Work");
    assert_eq!(error["pointer"], "/States/Fan/ItemProcessor/States/Work");
    assert_eq!(error["function"], "worker");
    assert_eq!(error["blame"], "function");
    let calls = report["functions"][0]["calls"].as_u64().unwrap();
    assert!(calls < 40, "{calls}: the last item is the first to be lent");
}
