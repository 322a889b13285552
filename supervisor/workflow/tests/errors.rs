//! Errors: retries, catchers, timeouts, and what nothing catches.

#![cfg(test)]

mod support;

use keylane_workflow::{Data, Event, Poll};
use serde_json::{Value, json};
use support::{SECOND, START, definition, fail, finish_at, pure, run, single, start};

fn task(fields: Value) -> Value {
    let mut state = fields;
    state["Type"] = json!("Task");
    state["Resource"] = json!("f");
    state
}

/// Runs a Task whose function fails `failures` times with an error; the outcome, and after how
/// many milliseconds each attempt was made.
fn attempts(fields: Value, failures: usize, error: &str) -> (Result<Value, String>, Vec<u64>) {
    let definition = definition(&single(task(fields)), &["f"]);
    let mut execution = start(&definition, json!({"in": 1}));
    let mut made = 0;
    let (outcome, _) = finish_at(&mut execution, |_, _| {
        made += 1;
        if made <= failures {
            fail(error, "why")
        } else {
            Ok(json!(made))
        }
    });
    let at = execution
        .take_events()
        .into_iter()
        .filter_map(|event| match event {
            Event::TaskScheduled { at_ns, .. } => Some((at_ns - START) / 1_000_000),
            _ => None,
        });
    (outcome.map_err(|failed| failed.error), at.collect())
}

#[test]
fn a_retrier_waits_longer_each_time_and_gives_up_after_its_attempts() {
    let retry = |fields: Value| json!({"Retry": [fields]});
    let any = json!({"ErrorEquals": ["States.ALL"]});
    assert_eq!(
        attempts(retry(any.clone()), 3, "E"),
        (Ok(json!(4)), vec![0, 1000, 3000, 7000])
    );
    let (outcome, made) = attempts(retry(any), 9, "E");
    assert_eq!((outcome, made.len()), (Err("E".to_owned()), 4));
    let slow = json!({
        "ErrorEquals": ["E"], "IntervalSeconds": 3, "MaxAttempts": 4, "BackoffRate": 1.5,
        "MaxDelaySeconds": 5,
    });
    let expected = vec![0, 3000, 7500, 12_500, 17_500];
    assert_eq!(
        attempts(retry(slow.clone()), 4, "E"),
        (Ok(json!(5)), expected)
    );
    assert_eq!(
        attempts(retry(slow), 1, "Other"),
        (Err("Other".to_owned()), vec![0])
    );
    let none = json!({"ErrorEquals": ["E"], "MaxAttempts": 0});
    assert_eq!(
        attempts(retry(none), 1, "E"),
        (Err("E".to_owned()), vec![0])
    );
}

#[test]
fn full_jitter_stays_within_the_delay_and_differs() {
    let fields = json!({"Retry": [{
        "ErrorEquals": ["E"], "IntervalSeconds": 10, "BackoffRate": 1, "MaxAttempts": 8,
        "JitterStrategy": "FULL",
    }]});
    let (outcome, made) = attempts(fields, 8, "E");
    assert_eq!(outcome, Ok(json!(9)));
    let delays: Vec<u64> = made.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(delays.iter().all(|delay| *delay <= 10_000), "{delays:?}");
    assert!(delays.iter().any(|delay| *delay != delays[0]), "{delays:?}");
}

#[test]
fn each_retrier_counts_for_itself_and_then_the_catchers_are_asked() {
    let fields = json!({
        "Retry": [
            {"ErrorEquals": ["A"], "MaxAttempts": 1, "IntervalSeconds": 1},
            {"ErrorEquals": ["B"], "MaxAttempts": 1, "IntervalSeconds": 2},
        ],
    });
    let definition = definition(&single(task(fields)), &["f"]);
    let mut execution = start(&definition, json!({}));
    let mut errors = ["A", "B", "A"].into_iter();
    let (outcome, at) = finish_at(&mut execution, |_, _| {
        errors.next().map_or(Ok(json!(0)), |e| fail(e, ""))
    });
    assert_eq!(outcome.expect_err("fails").error, "A");
    assert_eq!(at - START, 3 * SECOND);
}

fn caught(error_equals: Value, error: &str) -> Result<Value, String> {
    let text = json!({
        "StartAt": "S",
        "States": {
            "S": {
                "Type": "Task", "Resource": "f", "End": true, "OutputPath": "$.nothing",
                "Catch": [{"ErrorEquals": error_equals, "ResultPath": "$.e", "Next": "C"}],
            },
            "C": {"Type": "Pass", "End": true},
        },
    });
    run(text, json!({"in": 1}), |_| fail(error, "why")).map_err(|failed| failed.error)
}

#[test]
fn a_catcher_gets_the_error_beside_the_raw_input() {
    let expected = json!({"in": 1, "e": {"Error": "E", "Cause": "why"}});
    for names in [
        json!(["E"]),
        json!(["X", "E"]),
        json!(["States.ALL"]),
        json!(["States.TaskFailed"]),
    ] {
        assert_eq!(caught(names.clone(), "E"), Ok(expected.clone()), "{names}");
    }
    assert_eq!(caught(json!(["X"]), "E"), Err("E".to_owned()));
}

#[test]
fn wildcards_leave_out_what_the_language_says() {
    let matched = |name: &str, error: &str| caught(json!([name]), error).is_ok();
    assert!(matched("States.ALL", "States.Timeout"));
    assert!(!matched("States.TaskFailed", "States.Timeout"));
    assert!(!matched("States.TaskFailed", "States.HeartbeatTimeout"));
    assert!(matched("States.Timeout", "States.HeartbeatTimeout"));
    assert!(!matched("States.HeartbeatTimeout", "States.Timeout"));
    assert!(!matched("States.ALL", "States.DataLimitExceeded"));
    assert!(!matched("States.TaskFailed", "States.DataLimitExceeded"));
    assert!(matched(
        "States.DataLimitExceeded",
        "States.DataLimitExceeded"
    ));
    assert!(!matched("States.ALL", "States.Runtime"));
    assert!(!matched("States.Runtime", "States.Runtime"));
}

#[test]
fn errors_of_the_data_flow_can_be_caught_unless_they_are_runtime_errors() {
    let text = |fields: Value| {
        let mut state = task(fields);
        state["Catch"] = json!([{"ErrorEquals": ["States.ALL"], "ResultPath": null, "Next": "C"}]);
        state["End"] = json!(true);
        json!({"StartAt": "S", "States": {"S": state, "C": {"Type": "Succeed"}}})
    };
    let go = |fields: Value| {
        run(text(fields), json!([1]), |_| Ok(json!({"x": 1}))).map_err(|failed| failed.error)
    };
    assert_eq!(
        go(json!({"Parameters": {"a.$": "States.StringToJson('{')"}})),
        Ok(json!([1]))
    );
    assert_eq!(go(json!({"ResultPath": "$.x"})), Ok(json!([1])));
    assert_eq!(
        go(json!({"InputPath": "$.x"})),
        Err("States.Runtime".to_owned())
    );
    assert_eq!(
        go(json!({"ResultSelector": {"a.$": "$.y"}})),
        Err("States.Runtime".to_owned())
    );
}

#[test]
fn a_task_that_takes_too_long_is_cancelled_and_its_result_ignored() {
    let text = single(task(json!({"TimeoutSecondsPath": "$.t"})));
    let definition = definition(&text, &["f"]);
    let mut execution = start(&definition, json!({"t": 2}));
    let Poll::Call(call) = execution.poll(START) else {
        panic!("a call")
    };
    assert_eq!(call.deadline_ns, Some(START + 2 * SECOND));
    let early = execution.poll(START + 2 * SECOND - 1);
    assert!(matches!(early, Poll::Idle { wake_at_ns: Some(at) } if at == START + 2 * SECOND));
    let late = execution.poll(START + 2 * SECOND);
    assert!(
        matches!(late, Poll::Cancel(id) if id == call.id),
        "{late:?}"
    );
    execution.complete(call.id, Ok(Data::from_value(json!(1))), START + 3 * SECOND);
    assert!(matches!(execution.poll(START + 3 * SECOND), Poll::Done));
    let failed = execution.outcome().expect("over").expect_err("failed");
    assert_eq!(
        (failed.error.as_str(), failed.function),
        ("States.Timeout", Some(0))
    );
}

#[test]
fn the_definitions_own_timeout_ends_everything_and_nothing_catches_it() {
    let mut text = single(task(json!({
        "TimeoutSeconds": 50,
        "Retry": [{"ErrorEquals": ["States.ALL"]}],
    })));
    text["TimeoutSeconds"] = json!(7);
    let definition = definition(&text, &["f"]);
    let mut execution = start(&definition, json!({}));
    let Poll::Call(call) = execution.poll(START + SECOND) else {
        panic!("a call")
    };
    assert_eq!(call.deadline_ns, Some(START + 7 * SECOND));
    let idle = execution.poll(START + SECOND);
    assert!(matches!(idle, Poll::Idle { wake_at_ns: Some(at) } if at == START + 7 * SECOND));
    let over = execution.poll(START + 7 * SECOND);
    assert!(
        matches!(over, Poll::Cancel(id) if id == call.id),
        "{over:?}"
    );
    assert!(matches!(execution.poll(START + 7 * SECOND), Poll::Done));
    assert_eq!(
        execution
            .outcome()
            .expect("over")
            .expect_err("failed")
            .error,
        "States.Timeout"
    );
}

#[test]
fn a_heartbeat_must_be_shorter_than_the_timeout_also_when_the_data_says_both() {
    let fields = json!({"TimeoutSecondsPath": "$.t", "HeartbeatSecondsPath": "$.h"});
    let go = |input: Value| {
        let outcome = run(single(task(fields.clone())), input, |_| Ok(json!(1)));
        outcome.map_err(|failed| failed.error)
    };
    assert_eq!(go(json!({"t": 5, "h": 4})), Ok(json!(1)));
    for input in [
        json!({"t": 5, "h": 5}),
        json!({"t": "5", "h": 4}),
        json!({"t": 0, "h": 4}),
    ] {
        assert_eq!(
            go(input.clone()),
            Err("States.Runtime".to_owned()),
            "{input}"
        );
    }
}

#[test]
fn a_fail_state_names_its_error_itself_or_by_a_path() {
    let failed = |fields: Value| {
        let mut state = fields;
        state["Type"] = json!("Fail");
        let failed = pure(single(state), json!({"e": "E", "n": 1})).expect_err("fails");
        (failed.error, failed.cause)
    };
    let words = |error: &str, cause: &str| (error.to_owned(), cause.to_owned());
    assert_eq!(failed(json!({"Error": "A", "Cause": "B"})), words("A", "B"));
    assert_eq!(failed(json!({})), words("", ""));
    let paths = json!({"ErrorPath": "$.e", "CausePath": "States.Format('{}!', $.n)"});
    assert_eq!(failed(paths), words("E", "1!"));
    assert_eq!(failed(json!({"ErrorPath": "$.n"})).0, "States.Runtime");
}

#[test]
fn a_failure_tells_the_state_and_the_function_where_it_arose() {
    let text = json!({
        "StartAt": "P",
        "States": {"P": {"Type": "Parallel", "End": true, "Branches": [
            {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "g", "End": true}}},
        ]}},
    });
    let definition = definition(&text, &["f", "g"]);
    let (outcome, _) = finish_at(&mut start(&definition, json!({})), |_, _| fail("E", "why"));
    let failed = outcome.expect_err("fails");
    assert_eq!(failed.state.as_deref(), Some("T"));
    assert_eq!(
        failed.pointer.as_deref(),
        Some("/States/P/Branches/0/States/T")
    );
    assert_eq!((failed.error.as_str(), failed.cause.as_str()), ("E", "why"));
    assert_eq!(failed.function, Some(1));
}

#[test]
fn a_call_says_for_how_long_its_function_may_be_silent() {
    let silent = |fields: Value, input: Value| {
        let definition = definition(&single(task(fields)), &["f"]);
        match start(&definition, input).poll(START) {
            Poll::Call(call) => call.heartbeat_ns,
            other => panic!("{other:?}"),
        }
    };
    let fixed = json!({"TimeoutSeconds": 9, "HeartbeatSeconds": 2});
    assert_eq!(silent(fixed, json!({})), Some(2 * SECOND));
    let path = json!({"HeartbeatSecondsPath": "$.h"});
    assert_eq!(silent(path, json!({"h": 3})), Some(3 * SECOND));
    assert_eq!(silent(json!({"TimeoutSeconds": 9}), json!({})), None);
}
