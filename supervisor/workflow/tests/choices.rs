//! Choice states: every comparator, And, Or, Not.

#![cfg(test)]

mod support;

use serde_json::{Value, json};
use support::pure;

fn choose(rule: Value, input: &Value) -> Result<Value, String> {
    let mut rule = rule;
    rule["Next"] = json!("Yes");
    let text = json!({
        "StartAt": "C",
        "States": {
            "C": {"Type": "Choice", "Choices": [rule], "Default": "No"},
            "Yes": {"Type": "Pass", "Result": true, "End": true},
            "No": {"Type": "Pass", "Result": false, "End": true},
        },
    });
    pure(text, input.clone()).map_err(|failed| failed.error)
}

#[test]
fn every_comparator_compares_values_of_its_type_and_no_others() {
    let input = json!({
        "s": "b", "a": "a", "n": 5, "f": 5.0, "m": 4, "t": true, "u": true, "z": null,
        "at": "2024-01-02T00:00:00Z", "same": "2024-01-02T01:00:00+01:00", "o": {}, "glob": "a.log",
    });
    for (variable, comparator, operand, expected) in [
        ("$.s", "StringEquals", json!("b"), true),
        ("$.n", "StringEquals", json!("5"), false),
        ("$.s", "StringEqualsPath", json!("$.a"), false),
        ("$.s", "StringLessThan", json!("c"), true),
        ("$.s", "StringLessThanPath", json!("$.a"), false),
        ("$.s", "StringGreaterThan", json!("a"), true),
        ("$.s", "StringGreaterThanPath", json!("$.a"), true),
        ("$.s", "StringLessThanEquals", json!("b"), true),
        ("$.s", "StringLessThanEqualsPath", json!("$.a"), false),
        ("$.s", "StringGreaterThanEquals", json!("c"), false),
        ("$.s", "StringGreaterThanEqualsPath", json!("$.s"), true),
        ("$.glob", "StringMatches", json!("*.log"), true),
        ("$.n", "StringMatches", json!("*"), false),
        ("$.n", "NumericEquals", json!(5.0), true),
        ("$.s", "NumericEquals", json!(5), false),
        ("$.n", "NumericEqualsPath", json!("$.f"), true),
        ("$.n", "NumericLessThan", json!(5.5), true),
        ("$.n", "NumericLessThanPath", json!("$.m"), false),
        ("$.n", "NumericGreaterThan", json!(-1), true),
        ("$.n", "NumericGreaterThanPath", json!("$.m"), true),
        ("$.n", "NumericLessThanEquals", json!(5), true),
        ("$.n", "NumericLessThanEqualsPath", json!("$.m"), false),
        ("$.n", "NumericGreaterThanEquals", json!(6), false),
        ("$.n", "NumericGreaterThanEqualsPath", json!("$.f"), true),
        ("$.t", "BooleanEquals", json!(true), true),
        ("$.t", "BooleanEquals", json!(false), false),
        ("$.z", "BooleanEquals", json!(false), false),
        ("$.t", "BooleanEqualsPath", json!("$.u"), true),
        (
            "$.at",
            "TimestampEquals",
            json!("2024-01-01T23:00:00-01:00"),
            true,
        ),
        ("$.at", "TimestampEqualsPath", json!("$.same"), true),
        (
            "$.s",
            "TimestampEquals",
            json!("2024-01-01T23:00:00Z"),
            false,
        ),
        (
            "$.at",
            "TimestampLessThan",
            json!("2024-01-02T00:00:00.001Z"),
            true,
        ),
        ("$.at", "TimestampLessThanPath", json!("$.same"), false),
        (
            "$.at",
            "TimestampGreaterThan",
            json!("2024-01-02T00:00:00Z"),
            false,
        ),
        ("$.at", "TimestampGreaterThanPath", json!("$.same"), false),
        (
            "$.at",
            "TimestampLessThanEquals",
            json!("2024-01-02T00:00:00Z"),
            true,
        ),
        ("$.at", "TimestampLessThanEqualsPath", json!("$.same"), true),
        (
            "$.at",
            "TimestampGreaterThanEquals",
            json!("2024-01-03T00:00:00Z"),
            false,
        ),
        (
            "$.at",
            "TimestampGreaterThanEqualsPath",
            json!("$.same"),
            true,
        ),
        ("$.z", "IsNull", json!(true), true),
        ("$.s", "IsNull", json!(false), true),
        ("$.z", "IsPresent", json!(true), true),
        ("$.none", "IsPresent", json!(true), false),
        ("$.none.deeper", "IsPresent", json!(false), true),
        ("$.f", "IsNumeric", json!(true), true),
        ("$.s", "IsNumeric", json!(true), false),
        ("$.s", "IsString", json!(true), true),
        ("$.o", "IsString", json!(false), true),
        ("$.t", "IsBoolean", json!(true), true),
        ("$.n", "IsBoolean", json!(true), false),
        ("$.at", "IsTimestamp", json!(true), true),
        ("$.s", "IsTimestamp", json!(true), false),
        ("$$.Execution.Name", "StringEquals", json!("e1"), true),
    ] {
        let rule = json!({"Variable": variable, comparator: operand.clone()});
        assert_eq!(
            choose(rule, &input),
            Ok(json!(expected)),
            "{variable} {comparator} {operand}"
        );
    }
}

#[test]
fn and_or_and_not_join_rules_and_stop_where_the_answer_is_known() {
    let input = json!({"n": 5});
    let is = |n: i64| json!({"Variable": "$.n", "NumericEquals": n});
    let never = json!({"Variable": "$.none", "NumericEquals": 1});
    for (rule, expected) in [
        (json!({"And": [is(5), {"Not": is(6)}]}), Ok(json!(true))),
        (json!({"And": [is(5), is(6)]}), Ok(json!(false))),
        (json!({"Or": [is(6), is(5), never]}), Ok(json!(true))),
        (json!({"And": [is(6), never]}), Ok(json!(false))),
        (json!({"Not": {"Or": [is(6), is(7)]}}), Ok(json!(true))),
        (
            json!({"And": [is(5), never]}),
            Err("States.Runtime".to_owned()),
        ),
    ] {
        assert_eq!(choose(rule.clone(), &input), expected, "{rule}");
    }
}

#[test]
fn the_first_rule_that_matches_decides_and_without_a_default_the_state_fails() {
    let text = |default: Value| {
        let mut text = json!({
            "StartAt": "C",
            "States": {
                "C": {"Type": "Choice", "InputPath": "$.in", "OutputPath": "$.n", "Choices": [
                    {"Variable": "$.n", "NumericGreaterThan": 10, "Next": "Big"},
                    {"Variable": "$.n", "NumericGreaterThan": 5, "Next": "Middle"},
                ]},
                "Big": {"Type": "Pass", "Parameters": {"big.$": "$"}, "End": true},
                "Middle": {"Type": "Pass", "Parameters": {"middle.$": "$"}, "End": true},
            },
        });
        if default.is_string() {
            text["States"]["C"]["Default"] = default;
        }
        text
    };
    let with = |n: i64| json!({"in": {"n": n}});
    assert_eq!(pure(text(json!(null)), with(11)), Ok(json!({"big": 11})));
    assert_eq!(pure(text(json!(null)), with(6)), Ok(json!({"middle": 6})));
    assert_eq!(pure(text(json!("Big")), with(1)), Ok(json!({"big": 1})));
    let failed = pure(text(json!(null)), with(1)).expect_err("fails");
    assert_eq!(failed.error, "States.NoChoiceMatched");
    assert_eq!(failed.pointer.as_deref(), Some("/States/C"));
}
