//! A host whose functions answer from `tests/oracle/functions.json`, as the oracle's do. Time is a
//! number: a function that takes seconds takes none.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "shared by a test and the example that the comparison runs"
)]

use keylane_workflow::{
    CallId, Context, Data, Definition, Execution, Failed, Poll, Problem, TaskError,
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

const FUNCTIONS: &str = include_str!("../oracle/functions.json");
const SECOND: u64 = 1_000_000_000;
const START: u64 = 1_700_000_000 * SECOND;
/// Polls after which an execution is taken to be endless.
const POLLS: usize = 100_000;

/// What became of a definition.
#[derive(Debug)]
pub enum Outcome {
    /// The check refused it.
    Refused(Vec<Problem>),
    /// It ended.
    Ended(Result<Value, Failed>),
    /// It did not end within the polls that it has.
    Endless,
}

/// The functions and how often each was called, by its event's `id`.
struct Table {
    functions: Map<String, Value>,
    calls: BTreeMap<(String, String), u64>,
}

impl Table {
    fn read() -> Table {
        let mut functions = serde_json::from_str::<Map<String, Value>>(FUNCTIONS);
        if let Ok(functions) = &mut functions {
            functions.retain(|_, function| function.is_object());
        }
        Table {
            functions: functions.unwrap_or_default(),
            calls: BTreeMap::new(),
        }
    }

    fn names(&self) -> Vec<String> {
        self.functions.keys().cloned().collect()
    }

    /// How many seconds the function takes, and its answer.
    fn answer(&mut self, name: &str, event: &Value) -> (u64, Result<Value, TaskError>) {
        let function = self.functions.get(name).unwrap_or(&Value::Null);
        let takes = function.get("takes").and_then(Value::as_u64).unwrap_or(0);
        let text = |key: &str| function.get(key).and_then(Value::as_str).map(str::to_owned);
        if let (Some(error), Some(message)) = (text("fails"), text("cause")) {
            let id = event.get("id").unwrap_or(&Value::Null).to_string();
            let made = self.calls.entry((name.to_owned(), id)).or_default();
            *made += 1;
            let times = function.get("times").and_then(Value::as_u64);
            if times.is_none_or(|times| *made <= times) {
                // As the service words it.
                let cause = serde_json::json!({"errorMessage": message, "errorType": error});
                let cause = cause.to_string();
                return (takes, Err(TaskError { error, cause }));
            }
        }
        let answer = function.get("returns").unwrap_or(event).clone();
        (takes, Ok(answer))
    }
}

/// Checks and runs a definition.
pub fn run(definition: &Value, input: &Value) -> Outcome {
    let mut table = Table::read();
    let names = table.names();
    let checked = Definition::check(definition.to_string().as_bytes(), &names);
    let definition = match checked {
        Ok((definition, _)) => Arc::new(definition),
        Err(problems) => return Outcome::Refused(problems),
    };
    let context = Context {
        execution_name: "e1".to_owned(),
        workflow_name: "w1".to_owned(),
        started_ns: START,
        seed: 42,
        ..Context::default()
    };
    let mut execution = Execution::new(definition, context, Data::from_value(input.clone()));
    let mut now = START;
    let mut pending: Vec<(u64, CallId, Result<Data, TaskError>)> = Vec::new();
    for _ in 0..POLLS {
        match execution.poll(now) {
            Poll::Call(call) => {
                let name = names.get(usize::from(call.function));
                let name = name.map_or("", String::as_str);
                let (takes, answer) = table.answer(name, call.input.value());
                let due = now.saturating_add(takes.saturating_mul(SECOND));
                pending.push((due, call.id, answer.map(Data::from_value)));
            }
            Poll::Cancel(id) => pending.retain(|(_, pending, _)| *pending != id),
            Poll::Idle { wake_at_ns } => {
                let due = pending.iter().map(|(due, ..)| *due).min();
                let Some(next) = due.into_iter().chain(wake_at_ns).min() else {
                    return Outcome::Endless;
                };
                now = now.max(next);
                let (over, rest) = pending.into_iter().partition(|(due, ..)| *due <= now);
                pending = rest;
                let over: Vec<(u64, CallId, Result<Data, TaskError>)> = over;
                for (_, id, answer) in over {
                    execution.complete(id, answer, now);
                }
            }
            Poll::Done => {
                let Some(outcome) = execution.outcome() else {
                    return Outcome::Endless;
                };
                return Outcome::Ended(match outcome {
                    Ok(output) => Ok(output.value().clone()),
                    Err(failed) => Err(failed.clone()),
                });
            }
        }
    }
    Outcome::Endless
}
