//! How data flows through a state: paths, templates, the context object, variables.

#![cfg(test)]

mod support;

use serde_json::{Value, json};
use support::{fail, pure, run, single};

fn pass(fields: Value, input: Value) -> Value {
    let mut state = fields;
    state["Type"] = json!("Pass");
    pure(single(state), input).expect("succeeds")
}

fn broken(fields: Value, input: Value) -> String {
    let mut state = fields;
    state["Type"] = json!("Pass");
    pure(single(state), input).expect_err("fails").error
}

#[test]
fn input_and_output_paths_select_and_null_means_an_empty_object() {
    let input = json!({"a": {"b": [1, 2]}, "c": 3});
    assert_eq!(pass(json!({}), input.clone()), input);
    assert_eq!(
        pass(json!({"InputPath": "$.a.b"}), input.clone()),
        json!([1, 2])
    );
    assert_eq!(pass(json!({"OutputPath": "$.c"}), input.clone()), json!(3));
    assert_eq!(pass(json!({"InputPath": null}), input.clone()), json!({}));
    assert_eq!(pass(json!({"OutputPath": null}), input.clone()), json!({}));
    assert_eq!(
        broken(json!({"InputPath": "$.x"}), input.clone()),
        "States.Runtime"
    );
    assert_eq!(
        broken(json!({"OutputPath": "$.a.x"}), input),
        "States.Runtime"
    );
}

#[test]
fn a_result_goes_where_its_path_says_in_the_raw_input() {
    let input = json!({"a": {"b": 1}, "c": [1, 2]});
    let put = |path: Value| pass(json!({"Result": 9, "ResultPath": path}), input.clone());
    assert_eq!(put(json!("$")), json!(9));
    assert_eq!(put(json!(null)), input);
    assert_eq!(put(json!("$.a.b")), json!({"a": {"b": 9}, "c": [1, 2]}));
    assert_eq!(put(json!("$.c[1]")), json!({"a": {"b": 1}, "c": [1, 9]}));
    assert_eq!(
        put(json!("$['x y'].z")),
        json!({"a": {"b": 1}, "c": [1, 2], "x y": {"z": 9}})
    );
    for path in ["$.a.b.c", "$.c.x", "$.c[7]", "$.new[0]"] {
        let error = broken(json!({"Result": 9, "ResultPath": path}), input.clone());
        assert_eq!(error, "States.ResultPathMatchFailure", "{path}");
    }
    let raw = pass(
        json!({"InputPath": "$.a", "ResultPath": "$.r"}),
        input.clone(),
    );
    assert_eq!(raw, json!({"a": {"b": 1}, "c": [1, 2], "r": {"b": 1}}));
}

#[test]
fn templates_mix_literals_paths_calls_and_the_context() {
    let parameters = json!({
        "literal": {"x": [1, "$.a"]},
        "path.$": "$.a",
        "deep": [{"inner.$": "$.a.b"}, 7],
        "call.$": "States.Format('{}!', $.a.b)",
        "name.$": "$$.Execution.Name",
        "state.$": "$$.State.Name",
        "machine.$": "$$.StateMachine.Name",
        "input.$": "$$.Execution.Input.a.b",
        "retries.$": "$$.State.RetryCount",
        "start.$": "$$.Execution.StartTime",
    });
    let expected = json!({
        "literal": {"x": [1, "$.a"]},
        "path": {"b": 1},
        "deep": [{"inner": 1}, 7],
        "call": "1!",
        "name": "e1",
        "state": "S",
        "machine": "w1",
        "input": 1,
        "retries": 0,
        "start": "2023-11-14T22:13:20.000Z",
    });
    assert_eq!(
        pass(json!({"Parameters": parameters}), json!({"a": {"b": 1}})),
        expected
    );
    let error = broken(json!({"Parameters": {"x.$": "$.nothing"}}), json!({}));
    assert_eq!(error, "States.Runtime");
}

#[test]
fn a_tasks_data_goes_through_all_five_fields_in_order() {
    let state = json!({
        "Type": "Task", "Resource": "f",
        "InputPath": "$.in",
        "Parameters": {"p.$": "$.x"},
        "ResultSelector": {"s.$": "$.r"},
        "ResultPath": "$.out",
        "OutputPath": "$.out.s",
    });
    let output = run(single(state), json!({"in": {"x": 5}}), |event| {
        assert_eq!(event, &json!({"p": 5}));
        Ok(json!({"r": [6], "dropped": 1}))
    });
    assert_eq!(output, Ok(json!([6])));
}

#[test]
fn a_function_is_called_by_every_form_of_its_name() {
    for resource in [
        "f",
        "function:f",
        "arn:aws:lambda:eu-west-1:123456789012:function:f:3",
    ] {
        let state = json!({"Type": "Task", "Resource": resource});
        assert_eq!(
            run(single(state), json!(1), |e| Ok(json!([e]))),
            Ok(json!([1])),
            "{resource}"
        );
    }
    let invoke = |parameters: Value| {
        let resource = "arn:aws:states:::lambda:invoke";
        let state = json!({"Type": "Task", "Resource": resource, "Parameters": parameters});
        run(
            single(state),
            json!({"x": 1, "name": "f", "other": "g"}),
            |e| Ok(json!({"e": e})),
        )
    };
    let answer = |payload: Value| {
        Ok(json!({"ExecutedVersion": "$LATEST", "Payload": {"e": payload}, "StatusCode": 200}))
    };
    assert_eq!(
        invoke(json!({"FunctionName": "f", "Payload.$": "$.x"})),
        answer(json!(1))
    );
    assert_eq!(invoke(json!({"FunctionName": "f"})), answer(json!({})));
    assert_eq!(
        invoke(json!({"FunctionName.$": "$.name", "Payload": 2})),
        answer(json!(2))
    );
    let missing = invoke(json!({"FunctionName.$": "$.other"})).expect_err("fails");
    assert_eq!(missing.error, "Lambda.ResourceNotFoundException");
}

#[test]
fn variables_live_from_their_assignment_on_and_branches_have_their_own() {
    let text = json!({
        "StartAt": "A",
        "States": {
            "A": {"Type": "Pass", "Result": {"n": 1}, "Assign": {"x.$": "$.n", "y": "lit"}, "Next": "M"},
            "M": {
                "Type": "Map", "ItemsPath": "$$.Execution.Input", "ResultPath": "$.m", "Next": "B",
                "ItemProcessor": {"StartAt": "C", "States": {
                    "C": {"Type": "Pass", "Assign": {"sum.$": "States.MathAdd($x, $)"}, "Next": "D"},
                    "D": {"Type": "Pass", "Parameters": {"x.$": "$sum", "y.$": "$y"}, "End": true},
                }},
            },
            "B": {"Type": "Pass", "Parameters": {"m.$": "$.m", "x.$": "$x"}, "End": true},
        },
    });
    let each = |x: i64| json!({"x": x, "y": "lit"});
    let expected = json!({"m": [each(11), each(21)], "x": 1});
    assert_eq!(pure(text, json!([10, 20])), Ok(expected));
    let state = json!({"Type": "Pass", "Parameters": {"a.$": "$never"}});
    assert_eq!(
        pure(single(state), json!({})).expect_err("fails").error,
        "States.Runtime"
    );
}

#[test]
fn a_tasks_variables_come_from_its_result_and_a_catchers_from_the_error() {
    let text = |ok: bool| {
        json!({
            "StartAt": "T",
            "States": {
                "T": {
                    "Type": "Task", "Resource": "f", "ResultSelector": {"cut": 1},
                    "Assign": {"v.$": "$.r"}, "Next": "P",
                    "Catch": [{"ErrorEquals": ["E"], "Assign": {"v.$": "$.Cause"}, "Next": "P"}],
                },
                "P": {"Type": "Pass", "Parameters": {"v.$": "$v", "ok": ok}, "End": true},
            },
        })
    };
    let ok = run(text(true), json!({}), |_| Ok(json!({"r": 5})));
    assert_eq!(ok, Ok(json!({"v": 5, "ok": true})));
    let caught = run(text(false), json!({}), |_| fail("E", "why"));
    assert_eq!(caught, Ok(json!({"v": "why", "ok": false})));
}

#[test]
fn waits_end_at_their_instant() {
    let waited = |fields: Value, input: Value| {
        let mut state = fields;
        state["Type"] = json!("Wait");
        let definition = support::definition(&single(state), &[]);
        let mut execution = support::start(&definition, input);
        let (outcome, at) = support::finish_at(&mut execution, |_, _| unreachable!());
        (
            outcome.map_err(|failed| failed.error),
            (at - support::START) / 1_000_000,
        )
    };
    let input = json!({"s": 2, "t": "2023-11-14T22:13:25Z", "bad": "x"});
    let done = |ms: u64| (Ok(input.clone()), ms);
    assert_eq!(waited(json!({"Seconds": 3}), input.clone()), done(3000));
    assert_eq!(waited(json!({"Seconds": 0}), input.clone()), done(0));
    assert_eq!(
        waited(json!({"SecondsPath": "$.s"}), input.clone()),
        done(2000)
    );
    assert_eq!(
        waited(
            json!({"Timestamp": "2023-11-14T22:13:21.5Z"}),
            input.clone()
        ),
        done(1500)
    );
    assert_eq!(
        waited(json!({"TimestampPath": "$.t"}), input.clone()),
        done(5000)
    );
    assert_eq!(
        waited(json!({"Timestamp": "1999-01-01T00:00:00Z"}), input.clone()),
        done(0)
    );
    for fields in [
        json!({"SecondsPath": "$.bad"}),
        json!({"TimestampPath": "$.bad"}),
    ] {
        assert_eq!(
            waited(fields, input.clone()).0,
            Err("States.Runtime".to_owned())
        );
    }
}

#[test]
fn data_that_grows_beyond_the_limit_ends_the_execution() {
    let text = |parameters: Value| {
        json!({
            "StartAt": "Grow",
            "States": {"Grow": {"Type": "Pass", "Parameters": parameters, "Next": "Again"},
                "Again": {"Type": "Choice", "Choices": [
                    {"Variable": "$.stop", "IsPresent": true, "Next": "End"}], "Default": "Grow"},
                "End": {"Type": "Succeed"}},
        })
    };
    let twice = pure(text(json!({"a.$": "$", "b.$": "$"})), json!({"x": 1}));
    assert_eq!(twice.expect_err("fails").error, "States.DataLimitExceeded");
    let deeper = pure(text(json!({"a.$": "$"})), json!({"x": 1})).expect_err("fails");
    assert_eq!(deeper.error, "States.DataLimitExceeded");
    assert!(deeper.cause.contains("128 levels"), "{}", deeper.cause);
}

#[test]
fn waits_choices_and_fan_outs_assign_variables_too() {
    let text = json!({"StartAt": "W", "States": {
        "W": {"Type": "Wait", "Seconds": 0, "Assign": {"w.$": "$.n"}, "Next": "C"},
        "C": {"Type": "Choice", "Assign": {"c": "default"}, "Default": "D", "Choices": [
            {"Variable": "$.n", "NumericEquals": 1, "Assign": {"c": "rule"}, "Next": "D"}]},
        "D": {"Type": "Choice", "Assign": {"d": "default"}, "Default": "P", "Choices": [
            {"Variable": "$.n", "NumericEquals": 2, "Assign": {"d": "rule"}, "Next": "P"}]},
        "P": {"Type": "Parallel", "Assign": {"p.$": "$[0]"}, "ResultPath": null, "Next": "M", "Branches": [
            {"StartAt": "B", "States": {"B": {"Type": "Pass", "Result": 7, "End": true}}}]},
        "M": {"Type": "Map", "Assign": {"m.$": "$[1]"}, "ItemsPath": "$.items", "Next": "E",
            "ItemProcessor": {"StartAt": "I", "States": {"I": {"Type": "Succeed"}}}},
        "E": {"Type": "Pass", "End": true, "Parameters": {
            "w.$": "$w", "c.$": "$c", "d.$": "$d", "p.$": "$p", "m.$": "$m"}},
    }});
    assert_eq!(
        pure(text, json!({"n": 1, "items": ["x", "y"]})),
        Ok(json!({"w": 1, "c": "rule", "d": "default", "p": 7, "m": "y"}))
    );
}

#[test]
fn fan_outs_shape_their_data_as_tasks_do() {
    let branch = json!({"StartAt": "B", "States": {"B": {"Type": "Succeed", "InputPath": "$.k"}}});
    let shape = json!({
        "InputPath": "$.in", "ResultSelector": {"got.$": "$"}, "ResultPath": "$.r",
        "OutputPath": "$.r", "End": true,
    });
    let with = |fields: Value| {
        let mut state = shape.clone();
        for (key, value) in fields.as_object().expect("fields") {
            state[key] = value.clone();
        }
        let text = json!({"StartAt": "F", "States": {"F": state}});
        pure(text, json!({"in": {"a": 1, "items": [5, 6]}}))
    };
    let parallel =
        json!({"Type": "Parallel", "Branches": [branch.clone()], "Parameters": {"k.$": "$.a"}});
    assert_eq!(with(parallel), Ok(json!({"got": [1]})));
    let selector = json!({"k.$": "$$.Map.Item.Value"});
    let map = json!({"Type": "Map", "ItemsPath": "$.items", "ItemSelector": selector.clone(),
        "ItemProcessor": branch.clone()});
    assert_eq!(with(map), Ok(json!({"got": [5, 6]})));
    // The names that these fields had before.
    let map = json!({"Type": "Map", "ItemsPath": "$.items", "Parameters": selector,
        "Iterator": branch});
    assert_eq!(with(map), Ok(json!({"got": [5, 6]})));
}

#[test]
fn comments_versions_and_the_query_language_change_nothing() {
    let text = json!({"Comment": "c", "Version": "1.0", "QueryLanguage": "JSONPath", "StartAt": "P",
        "TimeoutSeconds": 9, "States": {"P": {"Type": "Parallel", "Comment": "c",
            "QueryLanguage": "JSONPath", "End": true, "Branches": [{"Comment": "c", "StartAt": "C",
                "States": {"C": {"Type": "Choice", "Choices": [{"Comment": "c", "Variable": "$",
                    "IsNumeric": true, "Next": "M"}], "Default": "M"},
                "M": {"Type": "Map", "ItemsPath": "States.Array($)", "End": true, "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "INLINE"}, "Comment": "c", "StartAt": "S",
                    "States": {"S": {"Type": "Succeed", "Comment": "c"}}}}}}]}}});
    assert_eq!(pure(text, json!(3)), Ok(json!([[3]])));
}
