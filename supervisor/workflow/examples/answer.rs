//! Answers definitions, for the comparison in `tests/oracle/`: reads a JSON object in each line,
//! with a `definition` and an `input`, and writes one with `output`, or `error` and `cause`, or
//! `refused`.

#[path = "../tests/support/table.rs"]
mod table;

use serde_json::{Value, json};
use std::io::{BufRead, Write};
use table::Outcome;

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let case: Value = serde_json::from_str(&line?).map_err(std::io::Error::other)?;
        let part = |name: &str| case.get(name).unwrap_or(&Value::Null);
        let answer = match table::run(part("definition"), part("input")) {
            Outcome::Refused(problems) => {
                let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
                json!({ "refused": told })
            }
            Outcome::Ended(Ok(output)) => json!({"output": output, "error": null}),
            Outcome::Ended(Err(failed)) => {
                json!({"output": null, "error": failed.error, "cause": failed.cause})
            }
            Outcome::Endless => json!({"refused": ["it does not end"]}),
        };
        writeln!(out, "{answer}")?;
    }
    Ok(())
}
