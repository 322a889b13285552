//! A host for tests: functions are closures, time is a number.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses a part of this"
)]

use keylane_workflow::{
    CallId, Context, Data, Definition, Execution, Failed, Poll, Problem, TaskError,
};
use serde_json::Value;
use std::sync::Arc;

/// The instant at which tests begin.
pub const START: u64 = 1_700_000_000_000_000_000;
pub const SECOND: u64 = 1_000_000_000;

pub type Answer = Result<Value, TaskError>;

pub fn fail(error: &str, cause: &str) -> Answer {
    Err(TaskError {
        error: error.to_owned(),
        cause: cause.to_owned(),
    })
}

pub fn definition(text: &Value, functions: &[&str]) -> Arc<Definition> {
    let functions: Vec<String> = functions.iter().map(|f| (*f).to_owned()).collect();
    match Definition::check(text.to_string().as_bytes(), &functions) {
        Ok((definition, _)) => Arc::new(definition),
        Err(problems) => panic!("{problems:#?}"),
    }
}

pub fn problems(text: &str, functions: &[&str]) -> Vec<Problem> {
    let functions: Vec<String> = functions.iter().map(|f| (*f).to_owned()).collect();
    match Definition::check(text.as_bytes(), &functions) {
        Ok((_, warnings)) => warnings,
        Err(problems) => problems,
    }
}

pub fn start(definition: &Arc<Definition>, input: Value) -> Execution {
    let context = Context {
        execution_name: "e1".to_owned(),
        workflow_name: "w1".to_owned(),
        started_ns: START,
        seed: 42,
        ..Context::default()
    };
    Execution::new(definition.clone(), context, Data::from_value(input))
}

/// Runs an execution to its end, one call at a time; waits take no time. Also the instant of the
/// end.
pub fn finish_at(
    execution: &mut Execution,
    mut function: impl FnMut(u16, &Value) -> Answer,
) -> (Result<Value, Failed>, u64) {
    let mut now = START;
    let mut polls = 0_u64;
    loop {
        polls += 1;
        assert!(polls < 3_000_000, "the execution does not end");
        match execution.poll(now) {
            Poll::Call(call) => {
                let answer = function(call.function, call.input.value());
                // As from a function: bytes that are validated.
                let answer = answer.map(|value| {
                    Data::from_untrusted(value.to_string().into_bytes()).expect("valid")
                });
                execution.complete(call.id, answer, now);
            }
            Poll::Cancel(_) => {}
            Poll::Idle { wake_at_ns } => {
                now = now.max(wake_at_ns.expect("something must wake it up"));
            }
            Poll::Done => {
                let outcome = execution.outcome().expect("done");
                return (
                    outcome
                        .map(|data| data.value().clone())
                        .map_err(Clone::clone),
                    now,
                );
            }
        }
    }
}

pub fn finish(
    execution: &mut Execution,
    function: impl FnMut(u16, &Value) -> Answer,
) -> Result<Value, Failed> {
    finish_at(execution, function).0
}

/// Runs a definition whose only function, `f`, is `function`.
pub fn run(
    text: Value,
    input: Value,
    mut function: impl FnMut(&Value) -> Answer,
) -> Result<Value, Failed> {
    let definition = definition(&text, &["f"]);
    finish(&mut start(&definition, input), |_, event| function(event))
}

/// Runs a definition without functions.
pub fn pure(text: Value, input: Value) -> Result<Value, Failed> {
    let definition = definition(&text, &[]);
    finish(&mut start(&definition, input), |_, _| {
        unreachable!("there is no function")
    })
}

/// One state of that kind and fields, as a definition.
pub fn single(state: Value) -> Value {
    let mut state = state;
    if !matches!(state["Type"].as_str(), Some("Succeed" | "Fail" | "Choice")) {
        state["End"] = Value::Bool(true);
    }
    serde_json::json!({"StartAt": "S", "States": {"S": state}})
}

/// Polls for the next call.
pub fn next_call(execution: &mut Execution, now: u64) -> Option<(CallId, u16, Value)> {
    match execution.poll(now) {
        Poll::Call(call) => Some((call.id, call.function, call.input.value().clone())),
        Poll::Cancel(_) | Poll::Idle { .. } | Poll::Done => None,
    }
}
