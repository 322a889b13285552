//! Executions: a definition made from bytes runs over an input made from bytes, by a host that
//! answers, fails, delays and cancels as the bytes say. Whatever they say, the execution asks for
//! nothing twice, tells a history that fits together, and does the same again.

mod make;

use crate::bytes::Bytes;
use crate::{Verdict, ensure};
use keylane_workflow::{
    CallId, Context, Data, Definition, Event, Execution, JsonFault, Poll, TaskError,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use make::definition;

/// Polls that an execution gets; a definition may well run for ever.
const POLLS: usize = 400;

/// Polls of these that may make a thousand steps each without asking for anything.
const SPINS: usize = 3;

/// Bytes of state data: little, so that the limit is met.
const DATA_LIMIT: usize = 4096;

/// Checks Keylane's interpreter.
pub fn check(data: &[u8]) -> Verdict {
    let mut bytes = Bytes::new(data);
    let text = definition(&mut bytes).to_string();
    let functions = ["f", "g"].map(str::to_owned);
    let definition = match Definition::check(text.as_bytes(), &functions) {
        Ok((definition, _)) => Arc::new(definition),
        // What is made has no loop without an end and no error that the check finds.
        Err(problems) => return Err(format!("{text} is refused: {problems:?}")),
    };
    let first = run(&definition, bytes.clone()).map_err(|why| format!("{why}: {text}"))?;
    let second = run(&definition, bytes).map_err(|why| format!("{why}: {text}"))?;
    ensure(first == second, || {
        format!("{text} went two ways:\n{first:?}\n{second:?}")
    })
}

/// What a run left: its outcome in words, its events in words, its last instant.
type Trace = (String, Vec<String>, u64);

fn run(definition: &Arc<Definition>, mut bytes: Bytes<'_>) -> Result<Trace, String> {
    let context = Context {
        seed: 7,
        data_limit: DATA_LIMIT,
        ..Context::default()
    };
    let input = Data::from_value(input(&mut bytes));
    let mut execution = Execution::new(Arc::clone(definition), context, input);
    let mut now = 0;
    let mut open: BTreeSet<CallId> = BTreeSet::new();
    let mut seen: BTreeSet<CallId> = BTreeSet::new();
    let mut spins = 0;
    for _ in 0..POLLS {
        if spins > SPINS {
            break;
        }
        match execution.poll(now) {
            Poll::Call(call) => {
                ensure(seen.insert(call.id), || format!("{:?} again", call.id))?;
                ensure(is_json(&call.input), || {
                    "an input that is not JSON".to_owned()
                })?;
                ensure(call.deadline_ns.is_none_or(|at| at >= now), || {
                    "a deadline in the past".to_owned()
                })?;
                match answer(&mut bytes, &call.input) {
                    Some(answer) => execution.complete(call.id, answer, now),
                    None => {
                        open.insert(call.id);
                    }
                }
            }
            Poll::Cancel(id) => {
                ensure(open.remove(&id), || {
                    format!("{id:?} is cancelled, not open")
                })?;
                // A host may be late.
                execution.complete(id, Ok(Data::from_value(json!("late"))), now);
            }
            Poll::Idle { wake_at_ns } => {
                let late = open.pop_first();
                if let Some(id) = late {
                    now += u64::from(bytes.byte()) * 20_000_000;
                    let data = Data::from_value(json!({"late": true}));
                    execution.complete(id, Ok(data), now);
                } else {
                    let at = wake_at_ns.ok_or("nothing can wake it up")?;
                    spins += usize::from(at <= now);
                    now = now.max(at);
                }
            }
            Poll::Done => break,
        }
    }
    let outcome = match execution.outcome() {
        None => "still running".to_owned(),
        Some(Ok(output)) => {
            ensure(is_json(output), || "an output that is not JSON".to_owned())?;
            output.text().as_str().to_owned()
        }
        Some(Err(failed)) => format!("{failed:?}"),
    };
    let over = execution.outcome().is_some();
    ensure(
        !over || matches!(execution.poll(now), Poll::Done | Poll::Cancel(_)),
        || "it wants something after its end".to_owned(),
    )?;
    let events = execution.take_events();
    judge(&events)?;
    let events = events.iter().map(|event| format!("{event:?}")).collect();
    Ok((outcome, events, now))
}

fn is_json(data: &Data) -> bool {
    let read: Result<Data, JsonFault> = Data::from_untrusted(data.text().to_vec());
    read.is_ok_and(|read| read == *data)
}

/// An input with the fields that the definitions look for.
fn input(bytes: &mut Bytes<'_>) -> Value {
    let number = bytes.byte();
    let items: Vec<Value> = (0..bytes.below(5))
        .map(|k| json!({"k": k, "v": "a"}))
        .collect();
    let text = bytes.pick("hi", &["", "2024-01-01T00:00:00Z", "é\u{0}", "f"]);
    json!({"n": number % 7, "s": text, "items": items, "a": {"b": [1, 2, {"c": "x"}]}, "z": null})
}

/// What a function answers; none if it takes its time.
fn answer(bytes: &mut Bytes<'_>, event: &Data) -> Option<Result<Data, TaskError>> {
    let error = |name: &str| {
        Err(TaskError {
            error: name.to_owned(),
            cause: "why".to_owned(),
        })
    };
    Some(match bytes.below(8) {
        0 | 1 => Ok(event.clone()),
        2 => Ok(Data::from_value(json!([1, {"c": true}]))),
        3 => Ok(Data::from_value(json!("x".repeat(bytes.below(40) * 200)))),
        4 => error(bytes.pick(
            "E",
            &["F", "States.Timeout", "States.DataLimitExceeded", ""],
        )),
        5 | 6 => error("E"),
        _ => return None,
    })
}

/// Judges a history: states are left as often as they are entered at most, in each branch one after
/// the other; calls end once, after they were asked for; fan-outs end once.
pub fn judge(events: &[Event]) -> Verdict {
    let mut inside: BTreeMap<u64, &str> = BTreeMap::new();
    let mut calls: BTreeSet<u64> = BTreeSet::new();
    let mut fans = BTreeSet::new();
    for event in events {
        let wrong = || format!("out of order: {event:?}");
        match event {
            Event::StateEntered {
                branch, pointer, ..
            } => {
                ensure(inside.insert(*branch, pointer).is_none(), wrong)?;
            }
            Event::StateExited {
                branch, pointer, ..
            }
            | Event::StateFailed {
                branch, pointer, ..
            } => {
                ensure(inside.remove(branch) == Some(&**pointer), wrong)?;
            }
            Event::TaskScheduled {
                call,
                branch,
                pointer,
                ..
            } => {
                ensure(inside.get(branch) == Some(&&**pointer), wrong)?;
                ensure(calls.insert(*call), wrong)?;
            }
            Event::TaskEnded { call, .. } => ensure(calls.remove(call), wrong)?,
            Event::Retried {
                branch, pointer, ..
            } => {
                ensure(inside.get(branch) == Some(&&**pointer), wrong)?;
            }
            Event::FanStarted { fan, .. } => ensure(fans.insert(fan.0), wrong)?,
            Event::FanEnded { fan, .. } => ensure(fans.remove(&fan.0), wrong)?,
            Event::BranchStarted { fan, .. } => ensure(fans.contains(&fan.0), wrong)?,
            Event::BranchEnded { fan, .. } => ensure(fans.contains(&fan.0), wrong)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutate::Mutator;

    #[test]
    fn a_history_that_does_not_fit_together_is_found() {
        let text = json!({"StartAt": "P", "States": {"P": {"Type": "Parallel", "End": true, "Branches": [
            {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "f", "End": true}}}]}}});
        let (definition, _) =
            Definition::check(text.to_string().as_bytes(), &["f".to_owned()]).unwrap();
        let mut execution = Execution::new(
            Arc::new(definition),
            Context::default(),
            Data::from_value(json!(1)),
        );
        loop {
            match execution.poll(0) {
                Poll::Call(call) => execution.complete(call.id, Ok(call.input), 0),
                Poll::Done => break,
                Poll::Idle { .. } | Poll::Cancel(_) => {}
            }
        }
        let events = execution.take_events();
        assert_eq!(judge(&events), Ok(()));
        let mut found = 0;
        for place in 0..events.len() {
            let mut twice = events.clone();
            twice.insert(place, events[place].clone());
            found += usize::from(judge(&twice).is_err());
            let mut without = events.clone();
            without.remove(place);
            found += usize::from(judge(&without).is_err());
        }
        assert!(found >= events.len(), "{found} of {}", 2 * events.len());
    }

    #[test]
    fn bytes_make_many_different_definitions_and_runs() {
        let mut texts = BTreeSet::new();
        for seed in 0..200_u64 {
            let mut mutator = Mutator::new(seed);
            let data: Vec<u8> = (0..40).flat_map(|_| mutator.next(&[Vec::new()])).collect();
            texts.insert(definition(&mut Bytes::new(&data)).to_string());
            assert_eq!(check(&data), Ok(()));
        }
        assert!(texts.len() > 150, "{}", texts.len());
        for kind in [
            "Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map",
        ] {
            let word = format!("\"Type\":\"{kind}\"");
            assert!(texts.iter().any(|text| text.contains(&word)), "{kind}");
        }
    }
}
