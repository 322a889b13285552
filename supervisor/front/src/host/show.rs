//! A diagnosis for people and for programs.

use super::judge::{Diagnosis, Standing, Verdict};
use crate::render::escape;
use serde::Serialize;

/// What `doctor --json` prints; docs/CLI.md describes it.
#[derive(Serialize)]
struct Document<'d> {
    keylane: &'static str,
    checks: &'d [super::judge::Check],
    isolation: Isolations<'d>,
}

#[derive(Serialize)]
struct Isolations<'d> {
    process: &'d Verdict,
    mpk: &'d Verdict,
}

impl Diagnosis {
    /// One JSON document.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        let document = Document {
            keylane: env!("CARGO_PKG_VERSION"),
            checks: &self.checks,
            isolation: Isolations {
                process: &self.process,
                mpk: &self.mpk,
            },
        };
        serde_json::to_string_pretty(&document)
    }

    /// Lines for a person.
    pub fn human(&self) -> String {
        let mut text = String::new();
        for check in &self.checks {
            let standing = match check.standing {
                Standing::Ok => "ok",
                Standing::Substituted => "substituted",
                Standing::Missing => "missing",
            };
            let found = escape::line(&check.found);
            text.push_str(&format!("{standing:<12} {:<16}  {found}\n", check.name));
            if let Some(instead) = &check.instead {
                text.push_str(&indented(&format!("instead: {instead}")));
            }
            if let Some(advice) = &check.advice {
                text.push_str(&indented(&format!("what to do: {advice}")));
            }
        }
        text.push('\n');
        text.push_str(&verdict("process", &self.process));
        text.push_str(&verdict("mpk", &self.mpk));
        text
    }
}

/// A text below the findings, broken into lines that a terminal of 100 columns holds.
fn indented(text: &str) -> String {
    const ROOM: usize = 68;
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + 1 + word.len() <= ROOM => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
        .iter()
        .map(|line| format!("{:31}{}\n", "", escape::line(line)))
        .collect()
}

fn verdict(name: &str, verdict: &Verdict) -> String {
    if verdict.fit {
        format!("isolation {name}: this host is fit\n")
    } else {
        let reasons = verdict.reasons.iter().map(|reason| escape::line(reason));
        format!(
            "isolation {name}: cannot be had: {}\n",
            reasons.collect::<Vec<_>>().join("; ")
        )
    }
}
