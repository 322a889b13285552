//! Map and Parallel: order, concurrency, tolerated failures, siblings, size.

#![cfg(test)]

mod support;

use keylane_workflow::{CallId, Data, Detail, Event, Poll};
use serde_json::{Value, json};
use support::{SECOND, START, definition, fail, finish, next_call, pure, run, start};

fn map(fields: Value) -> Value {
    let mut state = json!({
        "Type": "Map", "End": true,
        "ItemProcessor": {"StartAt": "T", "States": {
            "T": {"Type": "Task", "Resource": "f", "End": true},
        }},
    });
    for (key, value) in fields.as_object().expect("fields") {
        state[key] = value.clone();
    }
    json!({"StartAt": "M", "States": {"M": state}})
}

#[test]
fn executions_and_definitions_can_move_between_threads() {
    fn moves<T: Send>() {}
    fn shared<T: Send + Sync>() {}
    moves::<keylane_workflow::Execution>();
    shared::<keylane_workflow::Definition>();
    shared::<Data>();
}

#[test]
fn a_map_keeps_the_order_of_its_items_whatever_the_order_of_completion() {
    let definition = definition(&map(json!({})), &["f"]);
    let mut execution = start(&definition, json!([0, 1, 2, 3]));
    let mut calls: Vec<(CallId, u16, Value)> = Vec::new();
    while let Some(call) = next_call(&mut execution, START) {
        calls.push(call);
    }
    for place in [2, 0, 3, 1] {
        let (id, _, event) = &calls[place];
        let answer = Data::from_value(json!({"of": event}));
        execution.complete(*id, Ok(answer), START);
        execution.complete(*id, fail("twice", "").map(Data::from_value), START);
    }
    assert!(matches!(execution.poll(START), Poll::Done));
    let output = execution
        .outcome()
        .expect("over")
        .expect("succeeds")
        .value()
        .clone();
    assert_eq!(output, json!([{"of": 0}, {"of": 1}, {"of": 2}, {"of": 3}]));
}

#[test]
fn an_empty_map_and_one_over_no_array() {
    assert_eq!(
        run(map(json!({})), json!([]), |_| unreachable!()),
        Ok(json!([]))
    );
    let failed = run(map(json!({})), json!({}), |_| unreachable!()).expect_err("fails");
    assert_eq!(failed.error, "States.Runtime");
}

#[test]
fn items_are_selected_and_know_their_index() {
    for selector in ["ItemSelector", "Parameters"] {
        let text = map(json!({
            "InputPath": "$.in", "ItemsPath": "$.list",
            selector: {"i.$": "$$.Map.Item.Index", "v.$": "$$.Map.Item.Value", "all.$": "$.k"},
        }));
        let output = run(text, json!({"in": {"list": ["a", "b"], "k": 7}}), |e| {
            Ok(e.clone())
        });
        let item = |i: u32, v: &str| json!({"i": i, "v": v, "all": 7});
        assert_eq!(
            output,
            Ok(json!([item(0, "a"), item(1, "b")])),
            "{selector}"
        );
    }
}

#[test]
fn no_more_branches_run_than_the_concurrency_allows() {
    for (fields, cap) in [
        (json!({"MaxConcurrency": 3}), 3),
        (json!({"MaxConcurrencyPath": "$[0]"}), 2),
        (json!({"MaxConcurrency": 0}), 10),
    ] {
        let definition = definition(&map(fields.clone()), &["f"]);
        let mut execution = start(&definition, json!([2, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
        let mut running = Vec::new();
        let mut most = 0;
        loop {
            while let Some((id, _, event)) = next_call(&mut execution, START) {
                running.push((id, event));
            }
            most = most.max(running.len());
            let Some((id, event)) = running.pop() else {
                break;
            };
            execution.complete(id, Ok(Data::from_value(event)), START);
        }
        assert_eq!(most, cap, "{fields}");
        let output = execution
            .outcome()
            .expect("over")
            .expect("succeeds")
            .value();
        assert_eq!(output, &json!([2, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
    }
}

#[test]
fn a_failing_branch_stops_its_siblings_and_all_that_is_inside_them() {
    let text = json!({
        "StartAt": "P",
        "States": {
            "P": {
                "Type": "Parallel",
                "Branches": [
                    {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "f", "End": true}}},
                    {"StartAt": "M", "States": {"M": {
                        "Type": "Map", "End": true,
                        "ItemProcessor": {"StartAt": "B", "States": {
                            "B": {"Type": "Task", "Resource": "f", "End": true}}},
                    }}},
                    {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 9, "End": true}}},
                ],
                "Catch": [{"ErrorEquals": ["E"], "Next": "C"}],
                "End": true,
            },
            "C": {"Type": "Pass", "End": true},
        },
    });
    let definition = definition(&text, &["f"]);
    let mut execution = start(&definition, json!([1, 2]));
    let mut calls = Vec::new();
    while let Some((id, ..)) = next_call(&mut execution, START) {
        calls.push(id);
    }
    assert_eq!(calls.len(), 3);
    assert_eq!(execution.fans().len(), 2);
    execution.complete(calls[0], fail("E", "why").map(Data::from_value), START);
    let mut cancelled = Vec::new();
    loop {
        match execution.poll(START) {
            Poll::Cancel(id) => cancelled.push(id),
            Poll::Done => break,
            other => panic!("{other:?}"),
        }
    }
    cancelled.sort();
    calls.remove(0);
    calls.sort();
    assert_eq!(cancelled, calls);
    let output = execution.outcome().expect("over").expect("caught").value();
    assert_eq!(output, &json!({"Error": "E", "Cause": "why"}));
    assert!(execution.fans().is_empty());
}

#[test]
fn a_map_tolerates_as_many_failures_as_it_says() {
    let go = |fields: Value, failures: i64| {
        run(map(fields), json!([0, 1, 2, 3]), |event| {
            if event.as_i64() < Some(failures) {
                fail("E", "why")
            } else {
                Ok(event.clone())
            }
        })
        .map_err(|failed| failed.error)
    };
    let error = json!({"Error": "E", "Cause": "why"});
    let threshold = Err("States.ExceedToleratedFailureThreshold".to_owned());
    let one = || Ok(json!([error, 1, 2, 3]));
    assert_eq!(go(json!({}), 1), Err("E".to_owned()));
    assert_eq!(go(json!({"ToleratedFailureCount": 1}), 1), one());
    assert_eq!(go(json!({"ToleratedFailureCount": 1}), 2), threshold);
    assert_eq!(go(json!({"ToleratedFailurePercentage": 25}), 1), one());
    assert_eq!(
        go(json!({"ToleratedFailurePercentage": 49.9}), 2),
        threshold
    );
    let both =
        json!({"ToleratedFailurePercentagePath": "$[3]", "ToleratedFailureCountPath": "$[1]"});
    assert_eq!(go(both, 1), threshold);
}

#[test]
fn a_parallel_hands_its_input_to_every_branch_and_returns_their_outputs_in_order() {
    let text = json!({
        "StartAt": "P",
        "States": {"P": {
            "Type": "Parallel", "Parameters": {"x.$": "$.a"}, "ResultSelector": {"r.$": "$[1]"},
            "ResultPath": "$.out", "End": true,
            "Branches": [
                {"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": 1, "End": true}}},
                {"StartAt": "B", "States": {"B": {"Type": "Succeed"}}},
            ],
        }},
    });
    assert_eq!(
        pure(text, json!({"a": 5})),
        Ok(json!({"a": 5, "out": {"r": {"x": 5}}}))
    );
}

#[test]
fn waits_of_branches_overlap() {
    let text = map(json!({"ItemProcessor": {"StartAt": "W", "States": {
        "W": {"Type": "Wait", "SecondsPath": "$", "End": true}}}}));
    let definition = definition(&text, &["f"]);
    let mut execution = start(&definition, json!([3, 1, 2]));
    let (outcome, at) = support::finish_at(&mut execution, |_, _| unreachable!());
    assert_eq!((outcome, at - START), (Ok(json!([3, 1, 2])), 3 * SECOND));
}

#[test]
fn a_retried_map_runs_all_its_items_again() {
    let text = map(json!({"Retry": [{"ErrorEquals": ["E"], "MaxAttempts": 1}]}));
    let mut calls = 0;
    let output = run(text, json!([1, 2]), |event| {
        calls += 1;
        if calls == 2 {
            fail("E", "")
        } else {
            Ok(event.clone())
        }
    });
    assert_eq!((output, calls), (Ok(json!([1, 2])), 4));
}

#[test]
fn inner_branches_go_before_outer_ones() {
    let text = map(json!({"ItemProcessor": {"StartAt": "I", "States": {"I": {
        "Type": "Map", "End": true, "MaxConcurrency": 1,
        "ItemProcessor": {"StartAt": "T", "States": {
            "T": {"Type": "Task", "Resource": "f", "End": true}}},
    }}}}));
    let definition = definition(&text, &["f"]);
    let mut execution = start(&definition, json!([[1, 2, 3], [4, 5], [6]]));
    let mut order = Vec::new();
    let output = finish(&mut execution, |_, event| {
        order.push(event.clone());
        Ok(event.clone())
    });
    assert_eq!(output, Ok(json!([[1, 2, 3], [4, 5], [6]])));
    assert_eq!(json!(order), json!([1, 2, 3, 4, 5, 6]));
}

#[test]
fn a_hundred_thousand_items_run_one_after_the_other_with_one_branch_alive() {
    let definition = definition(&map(json!({})), &["f"]);
    let items: Vec<u32> = (0..100_000).collect();
    let mut execution = start(&definition, json!(items));
    execution.set_detail(Detail::Fans);
    let (mut ended, mut calls) = (0, 0);
    loop {
        match execution.poll(START) {
            Poll::Call(call) => {
                calls += 1;
                if calls % 1000 == 1 {
                    let fan = execution.fans().remove(0);
                    assert_eq!((fan.started, fan.finished), (calls, calls - 1));
                }
                execution.complete(call.id, Ok(call.input), START);
                for event in execution.take_events() {
                    ended += u64::from(matches!(event, Event::BranchEnded { failed: false, .. }));
                }
            }
            Poll::Done => break,
            Poll::Idle { .. } => {}
            Poll::Cancel(id) => panic!("{id:?}"),
        }
    }
    ended += u64::try_from(execution.take_events().len()).expect("fits") - 1;
    assert_eq!((calls, ended), (100_000, 100_000));
    let output = execution.outcome().expect("over").expect("succeeds");
    assert_eq!(output.value(), &json!(items));
}

#[test]
fn events_tell_a_run_from_its_beginning_to_its_end() {
    let text = json!({
        "StartAt": "A",
        "States": {
            "A": {"Type": "Pass", "Next": "M"},
            "M": map(json!({}))["States"]["M"],
        },
    });
    let definition = definition(&text, &["f"]);
    let mut execution = start(&definition, json!([1]));
    finish(&mut execution, |_, event| Ok(event.clone())).expect("succeeds");
    let told: Vec<String> = execution
        .take_events()
        .into_iter()
        .map(|event| match event {
            Event::StateEntered {
                branch,
                state,
                kind,
                ..
            } => format!("{branch} enter {kind} {state}"),
            Event::StateExited {
                branch,
                state,
                output,
                ..
            } => format!("{branch} exit {state} {output:?}"),
            Event::FanStarted { branch, total, .. } => format!("{branch} fan {total}"),
            Event::BranchStarted {
                branch,
                parent,
                index,
                ..
            } => format!("{branch} of {parent} at {index}"),
            Event::TaskScheduled {
                branch, function, ..
            } => format!("{branch} call {function}"),
            Event::TaskEnded { branch, error, .. } => format!("{branch} called {error:?}"),
            Event::BranchEnded {
                index,
                failed,
                lent,
                ..
            } => format!("branch {index} {failed} {lent}"),
            Event::FanEnded { total, failed, .. } => format!("fan over {total} {failed}"),
            other => format!("{other:?}"),
        })
        .collect();
    let expected = [
        "0 enter Pass A",
        "0 exit A [1]",
        "0 enter Map M",
        "0 fan 1",
        "2 of 0 at 0",
        "2 enter Task T",
        "2 call 0",
        "2 called None",
        "2 exit T 1",
        "branch 0 false false",
        "fan over 1 false",
        "0 exit M [1]",
    ];
    assert_eq!(told, expected);
}

fn parallel(branches: Value) -> Value {
    json!({"StartAt": "P", "States": {"P": {"Type": "Parallel", "End": true, "Branches": branches}}})
}

#[test]
fn branches_that_wait_start_before_a_sibling_calls() {
    let pass = json!({"Type": "Pass", "Next": "X"});
    let choice = json!({"Type": "Choice", "Default": "W4", "Choices": [
        {"Variable": "$", "IsNull": true, "Next": "W4"}]});
    let text = parallel(json!([
        {"StartAt": "T1", "States": {"T1": {"Type": "Task", "Resource": "f", "End": true}}},
        {"StartAt": "W1", "States": {"W1": {"Type": "Wait", "Seconds": 5, "End": true}}},
        {"StartAt": "P2", "States": {"P2": {"Type": "Parallel", "End": true, "Branches": [
            {"StartAt": "T2", "States": {"T2": {"Type": "Task", "Resource": "f", "End": true}}},
            {"StartAt": "W2", "States": {"W2": {"Type": "Wait", "Seconds": 5, "End": true}}}]}}},
        {"StartAt": "M", "States": {"M": {"Type": "Map", "ItemsPath": "$.items", "End": true,
            "ItemProcessor": {"StartAt": "W3", "States": {
                "W3": {"Type": "Wait", "Seconds": 5, "End": true}}}}}},
        {"StartAt": "Y", "States": {"Y": pass, "X": choice,
            "W4": {"Type": "Wait", "Seconds": 5, "End": true}}},
    ]));
    let mut execution = start(&definition(&text, &["f"]), json!({"items": [1, 2, 3]}));
    let mut now = START;
    let mut calls = 0;
    while let Some((id, ..)) = next_call(&mut execution, now) {
        calls += 1;
        now += 3 * SECOND;
        execution.complete(id, Ok(Data::from_value(json!(1))), now);
    }
    // Two calls of three seconds; the waits of five were over by then.
    assert_eq!((calls, now), (2, START + 6 * SECOND));
    let output = execution
        .outcome()
        .expect("over by then")
        .expect("no error");
    let input = json!({"items": [1, 2, 3]});
    assert_eq!(
        output.value(),
        &json!([1, input, [1, input], [1, 2, 3], input])
    );
}

#[test]
fn a_map_that_waits_one_item_after_the_other_goes_on_while_a_sibling_calls() {
    let text = parallel(json!([
        {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "f", "End": true}}},
        {"StartAt": "M", "States": {"M": {"Type": "Map", "End": true, "MaxConcurrency": 1,
            "ItemProcessor": {"StartAt": "W", "States": {
                "W": {"Type": "Wait", "Seconds": 5, "End": true}}}}}},
    ]));
    let mut execution = start(&definition(&text, &["f"]), json!([1, 2, 3]));
    let (id, ..) = next_call(&mut execution, START).expect("a call");
    let mut now = START;
    for _ in 0..30 {
        now += SECOND;
        assert!(execution.attend(id, now));
    }
    execution.complete(id, Ok(Data::from_value(json!(1))), now);
    assert!(next_call(&mut execution, now).is_none());
    let output = execution.outcome().expect("over with the call");
    assert_eq!(output.expect("no error").value(), &json!([1, [1, 2, 3]]));
}

#[test]
fn a_branch_that_fails_while_a_sibling_calls_ends_the_call() {
    let text = parallel(json!([
        {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "f", "End": true}}},
        {"StartAt": "W", "States": {
            "W": {"Type": "Wait", "Seconds": 1, "Next": "F"},
            "F": {"Type": "Fail", "Error": "Late"}}},
    ]));
    let mut execution = start(&definition(&text, &["f"]), json!({}));
    let (id, ..) = next_call(&mut execution, START).expect("a call");
    assert!(execution.attend(id, START));
    assert!(execution.attend(id, START + SECOND - 1));
    assert!(!execution.attend(id, START + SECOND));
    assert!(matches!(execution.poll(START + SECOND), Poll::Cancel(cancelled) if cancelled == id));
    assert!(matches!(execution.poll(START + SECOND), Poll::Done));
    let failed = execution.outcome().expect("over").expect_err("failed");
    assert_eq!(
        (failed.error.as_str(), failed.state.as_deref()),
        ("Late", Some("F"))
    );
    // What is no call, or none any more, nobody waits for.
    assert!(!execution.attend(id, START + SECOND));
}

#[test]
fn while_a_call_runs_its_siblings_go_on_to_their_calls_and_no_further() {
    let task = |name: &str| json!({"Type": "Task", "Resource": name, "End": true});
    let text = parallel(json!([
        {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "f", "TimeoutSeconds": 1,
                                          "End": true}}},
        {"StartAt": "W", "States": {
            "W": {"Type": "Wait", "Seconds": 1, "Next": "G"}, "G": task("g")}},
        {"StartAt": "V", "States": {
            "V": {"Type": "Wait", "Seconds": 1, "Next": "M"},
            "M": {"Type": "Map", "ItemsPath": "$.items", "End": true, "ItemProcessor": {
                "StartAt": "H", "States": {"H": task("h")}}}}},
    ]));
    let items: Vec<u64> = (0..100).collect();
    let definition = definition(&text, &["f", "g", "h"]);
    let mut execution = start(&definition, json!({"items": items}));
    let (id, function, _) = next_call(&mut execution, START).expect("a call");
    assert_eq!(function, 0);
    // The call is late; to say so is its host's.
    assert!(execution.attend(id, START + 2 * SECOND));
    let map = execution
        .fans()
        .into_iter()
        .find(|fan| fan.state == "M")
        .expect("it began");
    assert_eq!(
        (map.started, map.total),
        (0, 100),
        "no branch of it has started"
    );
    execution.complete(id, Ok(Data::from_value(json!(0))), START + 2 * SECOND);
    let (id, function, _) = next_call(&mut execution, START + 2 * SECOND).expect("a call");
    assert_eq!(function, 1, "what is about to call goes first, once");
    execution.complete(id, Ok(Data::from_value(json!(0))), START + 2 * SECOND);
    let (.., function, _) = next_call(&mut execution, START + 2 * SECOND).expect("a call");
    assert_eq!(function, 2);
}
