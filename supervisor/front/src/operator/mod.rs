//! What the operator lets projects have: `--policy FILE`, else `/etc/keylane/policy.toml` if it is
//! there, else everything that is built in.
//!
//! An attacker controls nothing here; a project controls what it asks for, which [`resolve`] holds
//! against the operator's word.

mod network;
mod parse;
mod resolve;
#[cfg(test)]
mod tests;

pub use parse::{built_in, parse};
pub use resolve::resolve;

use crate::problem::Problem;
use crate::refusal::Refusal;
use crate::source::Source;
use keylane_policy::blame::{Blame, Failure};
use keylane_policy::limit;
use keylane_policy::profile::Grants;
use std::io::Read;
use std::path::Path;

/// Where an operator's file is looked for when none is named.
pub const FILE: &str = "/etc/keylane/policy.toml";

/// Reads what the operator grants; `named` is what `--policy` says.
pub fn load(named: Option<&Path>) -> Result<Grants, Refusal> {
    match named {
        Some(path) => read(path),
        // Only where there is nothing at all: a file that cannot be read is not the same as none.
        None if !Path::new(FILE).try_exists().unwrap_or(true) => built_in().map_err(broken),
        None => read(Path::new(FILE)),
    }
}

fn broken(problems: Vec<Problem>) -> Refusal {
    let cause = problems.first().map(Problem::human).unwrap_or_default();
    Failure::new(Blame::Bug, "reading the built-in profiles", cause).into()
}

fn read(path: &Path) -> Result<Grants, Refusal> {
    let shown = path.display().to_string();
    let failure = |cause: String| {
        Failure::new(
            Blame::Operator,
            format!("reading the policy {shown}"),
            cause,
        )
        .advise("name a file that you may read; docs/PROFILES.md says what stands in it")
    };
    let mut bytes = Vec::new();
    // A FIFO or a device would never end.
    match std::fs::metadata(path) {
        Ok(found) if !found.is_file() => return Err(failure("it is not a file".into()).into()),
        Ok(_) => {}
        Err(error) => return Err(failure(error.to_string()).into()),
    }
    std::fs::File::open(path)
        .and_then(|file| {
            file.take(limit::DEFINITION_BYTES.saturating_add(1))
                .read_to_end(&mut bytes)
        })
        .map_err(|error| failure(error.to_string()))?;
    if bytes.len() as u64 > limit::DEFINITION_BYTES {
        return Err(failure(format!(
            "it is longer than {} bytes",
            limit::DEFINITION_BYTES
        ))
        .into());
    }
    let source = Source::from_bytes(shown.as_str(), bytes).map_err(|(place, why)| {
        failure(format!(
            "line {}, column {}: {why}",
            place.line, place.column
        ))
    })?;
    parse(&source).map_err(|problems| Refusal::Problems {
        doing: "reading the policy",
        problems,
    })
}
