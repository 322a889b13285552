//! Calls of intrinsic functions: errors are the language's, and the functions agree with each other
//! on whatever an expression yields.

use crate::single::{Outcome, evaluate, parted};
use crate::{Verdict, ensure};
use serde_json::{Value, json};

const ERRORS: [&str; 3] = [
    "States.IntrinsicFailure",
    "States.Runtime",
    "States.DataLimitExceeded",
];

/// Checks Keylane's evaluation.
pub fn check(data: &[u8]) -> Verdict {
    match parted(data) {
        Some((expression, input)) => judge(expression, &|expression| evaluate(expression, &input)),
        None => Ok(()),
    }
}

/// Judges an evaluation by laws between its answers.
pub fn judge(expression: &str, evaluate: &dyn Fn(&str) -> Outcome) -> Verdict {
    let outcome = evaluate(expression);
    let value = match outcome {
        Outcome::Refused => return Ok(()),
        Outcome::Endless => return Err(format!("{expression} does not end")),
        Outcome::Failed(error) => {
            let known = ERRORS.contains(&error.as_str());
            return ensure(known, || format!("{expression} fails with {error}"));
        }
        Outcome::Value(value) => value,
    };
    // These draw another number each time.
    let random = ["UUID", "MathRandom"]
        .iter()
        .any(|name| expression.contains(name));
    let law = |around: [&str; 2], wanted: Value| {
        let whole = format!("{}{expression}{}", around[0], around[1]);
        match evaluate(&whole) {
            // Nested too deep, or too large.
            Outcome::Refused | Outcome::Failed(_) => Ok(()),
            Outcome::Value(value) if value == wanted => Ok(()),
            other => Err(format!("{whole} is {other:?}, not {wanted}")),
        }
    };
    law(["States.ArrayLength(States.Array(", ", 0))"], json!(2))?;
    if random {
        return Ok(());
    }
    law(
        ["States.StringToJson(States.JsonToString(", "))"],
        value.clone(),
    )?;
    law(
        ["States.ArrayGetItem(States.Array(0, ", "), 1)"],
        value.clone(),
    )?;
    law(
        ["States.ArrayContains(States.Array(", "), 0)"],
        json!(value == json!(0)),
    )?;
    if let Some(text) = value.as_str() {
        law(
            ["States.Base64Decode(States.Base64Encode(", "))"],
            json!(text),
        )?;
        law(["States.Format('{}', ", ")"], json!(text))?;
    }
    if let Some(elements) = value.as_array() {
        law(["States.ArrayLength(", ")"], json!(elements.len()))?;
    }
    match value.as_i64() {
        Some(number) if number < i64::MAX => law(["States.MathAdd(1, ", ")"], json!(number + 1)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(wrong: &str, answer: Outcome) -> Verdict {
        let input = json!({"n": 1, "s": "é", "a": [1, 2]});
        let expression = wrong.split('|').next().unwrap_or("");
        let marker = wrong.split('|').nth(1).unwrap_or("nothing");
        judge(expression, &|expression| {
            if expression.contains(marker) {
                answer.clone()
            } else {
                evaluate(expression, &input)
            }
        })
    }

    #[test]
    fn an_evaluation_that_breaks_a_law_is_found() {
        for expression in [
            "$.n",
            "$.s",
            "$.a",
            "States.UUID()",
            "$.none",
            "States.Hash($.s, 'X')",
        ] {
            assert_eq!(wrong(expression, Outcome::Endless), Ok(()), "{expression}");
        }
        for case in [
            "$.n|MathAdd",
            "$.s|Base64",
            "$.a|ArrayLength($",
            "$.a|StringToJson",
            "$.s|Format",
        ] {
            assert!(wrong(case, Outcome::Value(json!("?"))).is_err(), "{case}");
        }
        assert!(wrong("$.n|$.n", Outcome::Failed("ValueError".into())).is_err());
        assert!(wrong("$.n|$.n", Outcome::Endless).is_err());
    }
}
