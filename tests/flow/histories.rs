//! The events of runs, one by one, against those of moto's interpreter for the same definitions.
//!
//! `tests/oracle/run --record` writes moto's events: type, and the event that led to each. A
//! difference has one of the reasons below, which docs/STATES-LANGUAGE.md explains. Passing shows
//! that two programs tell the same story, not that the service does.

use keylane_tests::project::Project;
use keylane_tests::run;
use serde_json::Value;

const RECORDED: &str = include_str!("../../supervisor/workflow/tests/oracle/histories.json");
const FUNCTIONS: &str = include_str!("../../supervisor/workflow/tests/oracle/functions.json");

/// Type, and the number of the event that led to it; an event's number is its place, from 1.
type Told = Vec<(String, u64)>;

/// A function of the oracle's table, in Python.
fn source(function: &Value) -> String {
    let mut text = "import json, time\ncalls = 0\n".to_owned();
    if let Some(error) = function["fails"].as_str() {
        text += &format!("class {error}(Exception): pass\n");
    }
    text += "def handler(event, context):\n    global calls\n    calls += 1\n";
    if let Some(seconds) = function["takes"].as_u64() {
        text += &format!("    time.sleep({seconds})\n");
    }
    if let Some(error) = function["fails"].as_str() {
        let times = function["times"].as_u64().unwrap_or(u64::MAX);
        let cause = &function["cause"];
        text += &format!("    if calls <= {times}: raise {error}({cause})\n");
    }
    match function.get("returns") {
        Some(value) => text + &format!("    return json.loads({:?})\n", value.to_string()),
        None => text + "    return event\n",
    }
}

fn ours(definition: &Value, functions: &[(String, String)], input: &Value) -> Told {
    let functions: Vec<(&str, &str)> = functions
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let project = Project::with(&definition.to_string(), &functions);
    let input = input.to_string();
    let arg = project.arg();
    let said = run([
        "run", arg, "--json", "-q", "--lanes", "1", "--input", &input,
    ]);
    let report = said.json();
    // A run that ends without an execution, because this host could not start or keep its
    // processes, has no events; then this says why, and is no difference from the oracle.
    let Some(events) = report["events"].as_array() else {
        panic!("the run ended without an execution: {said:#?}");
    };
    let numbers: Vec<u64> = events.iter().map(|e| e["id"].as_u64().unwrap()).collect();
    let expected: Vec<u64> = (1..=u64::try_from(events.len()).unwrap()).collect();
    assert_eq!(numbers, expected);
    let told = |event: &Value| {
        let kind = event["type"].as_str().unwrap().to_owned();
        (kind, event["previousEventId"].as_u64().unwrap())
    };
    events.iter().map(told).collect()
}

fn theirs(case: &Value) -> Told {
    let events = case["theirs"].as_array().unwrap();
    let told = |event: &Value| {
        let kind = event[0].as_str().unwrap().to_owned();
        (kind, event[1].as_u64().unwrap())
    };
    events.iter().map(told).collect()
}

/// Takes out the events that `gone` picks, given the event and the next: what followed one follows
/// what led to it. How many there were.
fn without(told: &mut Told, gone: impl Fn(&str, &str) -> bool) -> usize {
    let mut count = 0;
    let mut at = 0;
    while at < told.len() {
        let next = told.get(at + 1).map_or("", |(kind, _)| kind.as_str());
        if !gone(&told[at].0, next) {
            at += 1;
            continue;
        }
        count += 1;
        let number = u64::try_from(at + 1).unwrap();
        let (_, led_by) = told.remove(at);
        for (_, link) in told.iter_mut().skip(at) {
            if *link == number {
                *link = led_by;
            } else if *link > number {
                *link -= 1;
            }
        }
    }
    count
}

#[test]
fn runs_tell_the_events_of_the_oracle_in_its_order_or_differ_for_a_named_reason() {
    let recorded: Value = serde_json::from_str(RECORDED).unwrap();
    let table: Value = serde_json::from_str(FUNCTIONS).unwrap();
    let functions: Vec<(String, String)> = table
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, function)| function.is_object())
        .map(|(name, function)| (name.clone(), source(function)))
        .collect();
    let cases = recorded["cases"].as_array().unwrap();
    assert!(cases.len() > 40);
    let (mut again, mut selector, mut serial) = (0, 0, 0);
    let mut wrong = Vec::new();
    for case in cases {
        let definition = &case["definition"];
        let mut ours = ours(definition, &functions, &recorded["input"]);
        let mut theirs = theirs(case);
        // again: a fan-out that is tried again tells its failure here.
        again += without(&mut ours, |kind, next| {
            let fan = |end| [format!("Map{end}"), format!("Parallel{end}")];
            fan("StateFailed").iter().any(|k| k == kind)
                && fan("StateStarted").iter().any(|k| k == next)
        });
        // selector: a failure after the call's success is not told as one of the call.
        let mut before = String::new();
        let failed_after: Vec<bool> = theirs
            .iter()
            .map(|(kind, _)| {
                std::mem::replace(&mut before, kind.clone()) == "LambdaFunctionSucceeded"
            })
            .collect();
        if failed_after
            .iter()
            .zip(&theirs)
            .any(|(after, (kind, _))| *after && kind == "LambdaFunctionFailed")
        {
            selector += without(&mut theirs, |kind, _| kind == "LambdaFunctionFailed");
        }
        // serial: every iteration begins with the Map, however many run at a time.
        for (mine, other) in ours.iter_mut().zip(&theirs) {
            if mine.0 == "MapIterationStarted" && mine != other {
                mine.1 = other.1;
                serial += 1;
            }
        }
        if ours != theirs {
            wrong.push(format!(
                "{definition}\n  ours   {ours:?}\n  theirs {theirs:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (reason, count) in [("again", again), ("selector", selector), ("serial", serial)] {
        assert!(count > 0, "no run differs for the reason {reason:?}");
    }
}
