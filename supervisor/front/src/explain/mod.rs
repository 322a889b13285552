//! `keylane explain`: what a denied call was, why it is denied, and how an operator would allow it.
//!
//! An attacker controls: every text of what is explained, which is read within bounds and escaped on
//! its way out.

#[cfg(test)]
mod tests;

use crate::inspect::saved;
use crate::render::escape;
use crate::render::report::Cause;
use keylane_policy::blame::{Blame, Failure};
use keylane_policy::denial::Denial;
use keylane_policy::limit::{DENIALS, ERROR_CAUSE_BYTES};
use keylane_policy::profile::Grants;
use keylane_policy::report::ErrorReport;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What can be explained: a report, or what stands in its `denials`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Said {
    One(Box<Denial>),
    Many(Vec<Denial>),
    Report {
        denials: Vec<Denial>,
        #[serde(default)]
        denials_more: u64,
        #[serde(default)]
        error: Option<ErrorReport>,
    },
}

/// An explanation, as `--json` prints it.
#[derive(Debug, Serialize)]
pub struct Explained {
    /// The denied calls.
    denials: Vec<Explanation>,
    /// Denied calls of which the report has no record.
    more: u64,
    /// What an error says that is no denied call.
    remark: Option<String>,
}

/// One denied call.
#[derive(Debug, Serialize)]
struct Explanation {
    function: String,
    call: String,
    happened: String,
    rule: String,
    reason: String,
    blame: Blame,
    permitted_instead: String,
    /// Granted profiles that would permit the call.
    allowed_by: Vec<String>,
    to_allow: String,
}

/// Explains `asked`: a record as JSON text, a file with one, or `-` for standard input.
pub fn explain(asked: &str, grants: &Grants, json: bool) -> Result<String, Failure> {
    let bytes = if asked.trim_start().starts_with(['{', '[']) {
        asked.as_bytes().to_vec()
    } else {
        saved::read_bytes(Path::new(asked), "the record")?
    };
    let explained = understand(&bytes, grants)?;
    if !json {
        return Ok(show(&explained));
    }
    serde_json::to_string(&explained)
        .map_err(|error| Failure::new(Blame::Bug, "writing an explanation", error.to_string()))
}

fn understand(bytes: &[u8], grants: &Grants) -> Result<Explained, Failure> {
    let said: Said = serde_json::from_slice(bytes).map_err(|error| {
        let cause = format!(
            "it is neither a report nor a record of a denied call (line {}, column {})",
            error.line(),
            error.column()
        );
        Failure::new(Blame::Operator, "reading a record", cause)
            .advise("give what `keylane run --json` printed, or one of its `denials`")
    })?;
    let (denials, more, error) = match said {
        Said::One(denial) => (vec![*denial], 0, None),
        Said::Many(denials) => (denials, 0, None),
        Said::Report {
            denials,
            denials_more,
            error,
        } => (denials, denials_more, error),
    };
    let left = denials.len().saturating_sub(DENIALS) as u64;
    let denials: Vec<Explanation> = denials
        .into_iter()
        .take(DENIALS)
        .map(|denial| one(denial, grants))
        .collect();
    let remark = error.and_then(|error| remark(&error, denials.is_empty()));
    Ok(Explained {
        denials,
        more: more.saturating_add(left),
        remark,
    })
}

fn one(denial: Denial, grants: &Grants) -> Explanation {
    let allowed_by: Vec<String> = grants
        .by_size()
        .into_iter()
        .filter(|profile| {
            denial
                .missing_group
                .is_some_and(|group| profile.groups.has(group))
        })
        .map(|profile| profile.name.clone())
        .collect();
    let to_allow = match (denial.missing_group, allowed_by.first()) {
        (Some(_), Some(smallest)) => format!(
            "write `profile = \"{smallest}\"` for the function in keylane.toml: {} grants it",
            grants.source
        ),
        (Some(group), None) => format!(
            "the operator lets projects have a profile with the group `{group}`: a name under \
             `profiles` of the policy file"
        ),
        (None, _) => {
            "nobody can by a setting: the table of system calls has no rule that permits it \
                      to any profile (docs/SYSCALLS.md)"
                .to_owned()
        }
    };
    Explanation {
        happened: format!("function {:?} called {}", denial.function, denial.shown()),
        function: denial.function,
        call: denial.call,
        rule: denial.rule,
        reason: denial.reason,
        blame: denial.blame,
        permitted_instead: denial.permitted_instead,
        allowed_by,
        to_allow,
    }
}

/// Python's word for EACCES is no denied call but Landlock's, of which the kernel tells nothing.
fn remark(error: &ErrorReport, no_denial: bool) -> Option<String> {
    let cause = Cause::read(&error.cause).message;
    if error.error == "PermissionError" && cause.contains("[Errno 13]") {
        let message = escape::cut(&cause, 400);
        return Some(format!(
            "\"{message}\" is no denied call: Landlock lets a function open what lies below its own \
             folder and the runtime, for reading, and nothing else. Put the file into the function's \
             folder (`path`, `include`), or hand its contents over in the event"
        ));
    }
    no_denial.then(|| "the report has no denied call".to_owned())
}

fn show(explained: &Explained) -> String {
    let mut text = String::new();
    let mut line = |words: &str| {
        text.push_str(&escape::line(&escape::cut(words, ERROR_CAUSE_BYTES)));
        text.push('\n');
    };
    for one in &explained.denials {
        line(&one.happened);
        line(&format!("  denied: {}", one.rule));
        line(&format!("  why: {}", one.reason));
        line(&format!("  fault of: {}", one.blame));
        line(&format!("  instead: {}", one.permitted_instead));
        line(&format!("  to allow it: {}", one.to_allow));
    }
    if explained.more > 0 {
        line(&format!(
            "and {} more denied calls without a record",
            explained.more
        ));
    }
    if let Some(remark) = &explained.remark {
        line(remark);
    }
    if text.is_empty() {
        "there is no denied call in it\n".clone_into(&mut text);
    }
    text
}
