//! Variables, by hand: moto fails on `Assign`, so each case names the documented rule that it holds
//! to. The rules are those of the service's page on passing data with variables, from memory.

#![cfg(test)]

mod support;

use serde_json::{Value, json};
use support::{fail, pure, run};

/// Runs states that start at "A" without functions.
fn output(states: Value, input: Value) -> Result<Value, String> {
    pure(json!({"StartAt": "A", "States": states}), input).map_err(|failed| failed.error)
}

fn show(names: &[&str]) -> Value {
    let members = names
        .iter()
        .map(|name| (format!("{name}.$"), json!(format!("${name}"))));
    json!({"Type": "Pass", "End": true, "Parameters": members.collect::<serde_json::Map<_, _>>()})
}

#[test]
fn what_variables_hold_follows_the_documented_rules() {
    let set = |assign: Value| json!({"Type": "Pass", "Assign": assign, "Next": "B"});
    let cases = [
        (
            "an expression of an Assign sees the values from before the state",
            json!({
                "A": set(json!({"x": 1, "y": 2})),
                "B": {"Type": "Pass", "Assign": {"x.$": "$y", "y.$": "$x"}, "Next": "C"},
                "C": show(&["x", "y"]),
            }),
            json!({"x": 2, "y": 1}),
        ),
        (
            "a state's own fields see the values from before its Assign",
            json!({
                "A": set(json!({"x": "old"})),
                "B": {"Type": "Pass", "Parameters": {"seen.$": "$x"}, "Assign": {"x": "new"},
                      "Next": "C"},
                "C": {"Type": "Pass", "Parameters": {"seen.$": "$.seen", "x.$": "$x"}, "End": true},
            }),
            json!({"seen": "old", "x": "new"}),
        ),
        (
            "an Assign sees the result, not the output that ResultPath makes of it",
            json!({
                "A": {"Type": "Pass", "Result": {"r": 1}, "ResultPath": null,
                      "Assign": {"x.$": "$.r"}, "Next": "B"},
                "B": show(&["x"]),
            }),
            json!({"x": 1}),
        ),
        (
            "a value may be any JSON, whole objects and lists too, and a part can be read",
            json!({
                "A": set(json!({"x": {"deep": [1, {"n": null}]}})),
                "B": {"Type": "Pass", "End": true,
                      "Parameters": {"all.$": "$x", "part.$": "$x.deep[1].n", "first.$": "$x.deep[0]"}},
            }),
            json!({"all": {"deep": [1, {"n": null}]}, "part": null, "first": 1}),
        ),
        (
            "an inner scope reads the outer's variables; what it assigns under a new name ends with it",
            json!({
                "A": set(json!({"x": 10})),
                "B": {"Type": "Map", "ItemsPath": "$", "Next": "C", "ItemProcessor": {
                    "StartAt": "I", "States": {
                        "I": {"Type": "Pass", "Assign": {"sum.$": "States.MathAdd($x, $)"}, "Next": "J"},
                        "J": {"Type": "Pass", "Parameters": {"sum.$": "$sum"}, "OutputPath": "$.sum",
                              "End": true}}}},
                "C": {"Type": "Pass", "End": true, "Parameters": {"sums.$": "$", "x.$": "$x"}},
            }),
            json!({"sums": [11, 12], "x": 10}),
        ),
        (
            "an Assign of a Map or Parallel sees the results and writes the outer scope",
            json!({
                "A": {"Type": "Parallel", "Assign": {"x.$": "$[1]"}, "Next": "B", "Branches": [
                    {"StartAt": "L", "States": {"L": {"Type": "Pass", "Result": "l", "End": true}}},
                    {"StartAt": "R", "States": {"R": {"Type": "Pass", "Result": "r", "End": true}}}]},
                "B": show(&["x"]),
            }),
            json!({"x": "r"}),
        ),
    ];
    for (rule, states, expected) in cases {
        assert_eq!(output(states, json!([1, 2])), Ok(expected), "{rule}");
    }
}

#[test]
fn a_variable_that_was_never_assigned_fails_the_state() {
    let never = json!({"A": show(&["never"])});
    assert_eq!(output(never, json!({})), Err("States.Runtime".to_owned()));
    let sibling = json!({
        "A": {"Type": "Parallel", "End": true, "Branches": [
            {"StartAt": "L", "States": {"L": {"Type": "Pass", "Assign": {"mine": 1}, "End": true}}},
            {"StartAt": "W", "States": {
                "W": {"Type": "Wait", "Seconds": 1, "Next": "R"}, "R": show(&["mine"])}}]},
    });
    // Branches see the scope around them, never each other's.
    assert_eq!(output(sibling, json!({})), Err("States.Runtime".to_owned()));
}

#[test]
fn a_failed_attempt_assigns_nothing_and_a_catchers_assign_sees_the_error() {
    let text = json!({"StartAt": "A", "States": {
        "A": {"Type": "Pass", "Assign": {"x": "before", "e": "none"}, "Next": "T"},
        "T": {"Type": "Task", "Resource": "f", "Assign": {"x": "after"}, "Next": "Z",
              "Catch": [{"ErrorEquals": ["E"], "Assign": {"e.$": "$.Error"}, "Next": "Z"}]},
        "Z": show(&["x", "e"]),
    }});
    let caught = run(text.clone(), json!({}), |_| fail("E", "why"));
    assert_eq!(caught, Ok(json!({"x": "before", "e": "E"})));
    let went_well = run(text, json!({}), |_| Ok(json!(1)));
    assert_eq!(went_well, Ok(json!({"x": "after", "e": "none"})));
}
