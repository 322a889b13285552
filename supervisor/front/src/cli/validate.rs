//! `keylane validate`: everything that is wrong with a project, for people and for programs.

use super::print;
use crate::check::{self, Checked};
use crate::exit::Exit;
use crate::operator;
use crate::problem::Problem;
use crate::refusal::Refusal;
use crate::render;
use crate::render::report::document;
use crate::render::screen::Screen;
use serde::Serialize;
use std::path::Path;

/// What `validate --json` prints; docs/CLI.md describes it.
#[derive(Serialize)]
struct Document<'d> {
    valid: bool,
    path: String,
    problems: &'d [Problem],
    failure: Option<keylane_policy::blame::Failure>,
}

pub(super) fn validate(path: &Path, policy: Option<&Path>, json: bool) -> Exit {
    let shown = path.display().to_string();
    let checked = if is_definition(path) {
        check::definition_alone(path).map(|warnings| ("the definition is valid".into(), warnings))
    } else {
        operator::load(policy)
            .and_then(|grants| check::project(path, &grants))
            .map(valid)
    };
    let (exit, text) = match (checked, json) {
        (Ok((summary, warnings)), false) => {
            let warnings: String = warnings.iter().map(Problem::human).collect();
            (Exit::Done, format!("{warnings}{summary}\n"))
        }
        (Ok((_, warnings)), true) => {
            let document = Document {
                valid: true,
                path: shown,
                problems: &warnings,
                failure: None,
            };
            (Exit::Done, to_json(&document))
        }
        (Err(refusal), false) => {
            let text = render::failure::refusal(&format!("validate {shown}"), &refusal);
            if refusal.problems().is_empty() {
                Screen::stderr(true, false).failure(&text);
                return refusal.exit();
            }
            // Problems are what was asked for, so they are the output.
            (refusal.exit(), text)
        }
        (Err(refusal), true) => {
            let failure = match &refusal {
                Refusal::Failure(failure) => Some(failure.clone()),
                Refusal::Signal(_) => Some(refusal.summary()),
                Refusal::Problems { .. } => None,
            };
            let problems = refusal.problems();
            let document = Document {
                valid: false,
                path: shown,
                problems,
                failure,
            };
            (refusal.exit(), to_json(&document))
        }
    };
    print(&text, exit)
}

fn valid(checked: Checked) -> (String, Vec<Problem>) {
    let functions = checked.project.functions.len();
    let plural = if functions == 1 { "" } else { "s" };
    let name = &checked.project.name;
    (
        format!("{name} is valid: a workflow with {functions} function{plural}"),
        checked.warnings,
    )
}

/// A file that is no keylane.toml is a definition.
fn is_definition(path: &Path) -> bool {
    path.is_file()
        && path
            .file_name()
            .is_some_and(|name| name != crate::project::FILE)
}

fn to_json(value: &Document<'_>) -> String {
    // Texts, numbers and lists always have a JSON form.
    document(&serde_json::to_string(value).unwrap_or_default(), false)
}
