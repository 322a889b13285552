//! Paths: a path of names and indices selects what a few lines of other code select; any other
//! yields a list or fails with an error that the language has for it.

use crate::single::{Outcome, evaluate, parted};
use crate::{Verdict, ensure};
use serde_json::Value;

/// Checks Keylane's paths.
pub fn check(data: &[u8]) -> Verdict {
    match parted(data) {
        Some((path, input)) if path.starts_with('$') => judge(path, &input, evaluate(path, &input)),
        _ => Ok(()),
    }
}

/// Judges what a path selected.
pub fn judge(path: &str, input: &Value, outcome: Outcome) -> Verdict {
    let said = || format!("{path:?} of {input} is {outcome:?}");
    match &outcome {
        Outcome::Endless => return Err(said()),
        Outcome::Failed(error) => ensure(error == "States.Runtime", said)?,
        Outcome::Refused | Outcome::Value(_) => {}
    }
    let Some(steps) = plain(path) else {
        return Ok(());
    };
    match (select(input, &steps), &outcome) {
        (Some(wanted), Outcome::Value(value)) => ensure(wanted == value, said),
        (None, Outcome::Failed(_)) => Ok(()),
        // Paths have as many steps as values have levels.
        (_, Outcome::Refused) => ensure(steps.len() > 100, said),
        _ => Err(said()),
    }
}

/// A step of a plain path.
#[derive(Debug)]
enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

/// The steps of `$.name[0].other`; none of any other path.
fn plain(path: &str) -> Option<Vec<Step<'_>>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let end = after.find(|c| !word(c)).unwrap_or(after.len());
            let (name, more) = after.split_at_checked(end)?;
            // What follows may make it a function's name.
            if name.is_empty() || more.starts_with('(') {
                return None;
            }
            steps.push(Step::Name(name));
            rest = more;
        } else {
            let (digits, more) = rest.strip_prefix('[')?.split_once(']')?;
            let index = digits.bytes().all(|b| b.is_ascii_digit()) && digits.len() <= 6;
            steps.push(Step::Index(index.then(|| digits.parse().ok())??));
            rest = more;
        }
    }
    Some(steps)
}

fn select<'v>(value: &'v Value, steps: &[Step<'_>]) -> Option<&'v Value> {
    steps.iter().try_fold(value, |value, step| match step {
        Step::Name(name) => value.as_object()?.get(*name),
        Step::Index(index) => value.as_array()?.get(*index),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_wrong_selection_is_found() {
        let input = json!({"a": [7, {"b": 8}]});
        let value = |value| Outcome::Value(value);
        assert_eq!(judge("$.a[1].b", &input, value(json!(8))), Ok(()));
        assert!(judge("$.a[1].b", &input, value(json!([8]))).is_err());
        assert!(judge("$.a[9]", &input, value(json!(null))).is_err());
        assert!(judge("$.a", &input, Outcome::Failed("States.Runtime".into())).is_err());
        assert!(judge("$.a", &input, Outcome::Refused).is_err());
        assert!(judge("$.x", &input, Outcome::Failed("KeyError".into())).is_err());
        assert!(judge("$.*", &input, Outcome::Endless).is_err());
        assert_eq!(judge("$.a.length()", &input, value(json!(2))), Ok(()));
    }
}
