//! Evaluates one expression by running a definition of one Pass state.

use keylane_workflow::{Context, Data, Definition, Execution, Poll};
use serde_json::{Value, json};
use std::sync::Arc;

/// What became of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The check refused it.
    Refused,
    /// It has this value.
    Value(Value),
    /// It failed with this error.
    Failed(String),
    /// The execution did not end.
    Endless,
}

/// The value of an expression for an input.
pub fn evaluate(expression: &str, input: &Value) -> Outcome {
    let text = json!({"StartAt": "S", "States": {"S": {
        "Type": "Pass", "Parameters": {"r.$": expression}, "End": true}}});
    let Ok((definition, _)) = Definition::check(text.to_string().as_bytes(), &[]) else {
        return Outcome::Refused;
    };
    let input = Data::from_value(input.clone());
    let mut execution = Execution::new(Arc::new(definition), Context::default(), input);
    for _ in 0..100 {
        if matches!(execution.poll(0), Poll::Done) {
            break;
        }
    }
    match execution.outcome() {
        None => Outcome::Endless,
        Some(Err(failed)) => Outcome::Failed(failed.error.clone()),
        Some(Ok(output)) => match output.value().get("r") {
            Some(value) => Outcome::Value(value.clone()),
            None => Outcome::Endless,
        },
    }
}

/// An expression's text and an input in JSON, parted by a zero byte. Without one, an input that has
/// a bit of everything.
pub fn parted(data: &[u8]) -> Option<(&str, Value)> {
    let end = data.iter().position(|byte| *byte == 0);
    let text = std::str::from_utf8(data.get(..end.unwrap_or(data.len()))?).ok()?;
    let input = match end {
        Some(end) => {
            let bytes = data.get(end + 1..)?.to_vec();
            Data::from_untrusted(bytes).ok()?.value().clone()
        }
        None => json!({
            "a": {"b": [1, 2, {"c": "x"}]}, "n": 5, "s": "a,b;c", "t": true, "z": null, "f": 1.5,
            "items": [{"k": 1, "v": "a"}, {"k": 2, "v": "b"}, {"k": 3}], "e": {}, "no": [],
            "x y": {"'": 1}, "é": "\u{1F600}",
        }),
    };
    Some((text, input))
}
