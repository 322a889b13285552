//! The check of definitions: every problem has a place in the text, a pointer that leads somewhere
//! and words that a terminal can show; what passes passes again.

use crate::{Verdict, ensure};
use keylane_workflow::{Data, Definition, Problem, Severity};
use serde_json::Value;

/// The functions that the definitions may name.
pub const FUNCTIONS: [&str; 3] = ["f", "g", "lastpx"];

/// The check's answer to a definition: the problems, and whether it passed.
pub fn answer(text: &[u8]) -> (bool, Vec<Problem>) {
    let functions = FUNCTIONS.map(str::to_owned);
    match Definition::check(text, &functions) {
        Ok((_, warnings)) => (true, warnings),
        Err(problems) => (false, problems),
    }
}

/// Checks the check.
pub fn check(data: &[u8]) -> Verdict {
    let (passed, problems) = answer(data);
    judge(data, passed, &problems)?;
    let again = answer(data);
    ensure(again == (passed, problems), || {
        "another answer to the same text".to_owned()
    })
}

/// Judges an answer.
pub fn judge(data: &[u8], passed: bool, problems: &[Problem]) -> Verdict {
    let errors = problems.iter().filter(|p| p.severity == Severity::Error);
    let errors = errors.count();
    ensure(passed == (errors == 0), || {
        format!("passed: {passed}, with {errors} errors")
    })?;
    let text = String::from_utf8_lossy(data);
    let value: Option<Value> = serde_json::from_slice(data).ok();
    ensure(
        !passed || value.as_ref().is_some_and(Value::is_object),
        || "what is no JSON object passed".to_owned(),
    )?;
    for problem in problems {
        judge_problem(&text, value.as_ref(), problem)
            .map_err(|why| format!("{why}: {problem:?}"))?;
    }
    let places: Vec<_> = problems.iter().map(|p| (p.line, p.column)).collect();
    ensure(places.is_sorted(), || {
        format!("not by position: {places:?}")
    })
}

fn judge_problem(text: &str, value: Option<&Value>, problem: &Problem) -> Verdict {
    let line = usize::try_from(problem.line).unwrap_or(0);
    let column = usize::try_from(problem.column).unwrap_or(0);
    let shown = line
        .checked_sub(1)
        .and_then(|line| text.split('\n').nth(line));
    let length = shown.map(|line| line.chars().count());
    ensure(
        length.is_some_and(|length| (1..=length + 1).contains(&column)),
        || "no such place in the text".to_owned(),
    )?;
    ensure(!problem.message.is_empty(), || "no words".to_owned())?;
    let controls = |c: char| c.is_control() && c != '\n';
    ensure(!problem.excerpt.contains(controls), || {
        "the excerpt holds a control character".to_owned()
    })?;
    // Of members that are there twice the other reader knows the last, the check the first.
    let plain = Data::from_untrusted(text.as_bytes().to_vec()).is_ok();
    match value {
        Some(value) if plain => {
            let found = value.pointer(&problem.pointer).is_some();
            ensure(found, || "a dangling pointer".to_owned())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] =
        b"{\n  \"StartAt\": \"B\",\n  \"States\": {\"A\": {\"Type\": \"Succeed\"}}\n}";

    #[test]
    fn an_answer_that_hides_misplaces_or_misorders_is_found() {
        let (passed, good) = answer(TEXT);
        assert_eq!((passed, good.len()), (false, 1));
        assert_eq!(judge(TEXT, false, &good), Ok(()));
        let with = |change: &dyn Fn(&mut Problem)| {
            let mut problems = good.clone();
            problems.iter_mut().for_each(change);
            judge(TEXT, false, &problems)
        };
        assert!(judge(TEXT, true, &good).is_err());
        assert!(judge(TEXT, false, &[]).is_err());
        assert!(judge(b"[]", true, &[]).is_err());
        assert!(with(&|p| p.line = 9).is_err());
        assert!(with(&|p| p.column = 99).is_err());
        assert!(with(&|p| p.pointer = "/Nowhere".to_owned()).is_err());
        assert!(with(&|p| p.excerpt.push('\x1b')).is_err());
        assert!(with(&|p| p.message.clear()).is_err());
        let mut two = good.clone();
        two.extend(good.iter().cloned().map(|p| Problem { line: 1, ..p }));
        assert!(judge(TEXT, false, &two).is_err());
    }
}
