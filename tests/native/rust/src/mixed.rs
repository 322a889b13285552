//! One step of a workflow of several languages.

use keylane::{Context, Error};
use serde::{Deserialize, Serialize};

/// A number on its way, and who had it.
#[derive(Deserialize, Serialize)]
struct Step {
    value: i64,
    by: Vec<String>,
}

/// Doubles the value.
#[keylane::function]
fn double(mut step: Step, context: &Context<'_>) -> Result<Step, Error> {
    step.value *= 2;
    step.by.push(format!("rust {}", context.function_name()));
    Ok(step)
}
