//! Projects made for a measurement, and deployments of them.

use super::{DOING, Stop, host};
use crate::deployment::{Deployment, Listener};
use crate::isolation::Asked;
use crate::render::screen::Screen;
use crate::run::{self, Prepared, input};
use crate::stage::Stage;
use keylane_policy::blame::{Blame, Failure};
use keylane_policy::denial::Denials;
use keylane_policy::report::{Report, Status};
use keylane_policy::reuse::Reuse;
use std::path::Path;

/// A function that answers with its event, in machine code; `build.rs` makes it.
const NATIVE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/noop.so"));
/// The same in Python; what it imports, an ordinary function imports.
const PYTHON: &str =
    "import json, re, decimal, datetime\n\n\ndef handler(event, context):\n    return event\n";

/// What the functions of a project are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Python,
    Native,
}

/// A project on disk, removed with this value; what a kill leaves, the next Keylane sweeps away.
#[derive(Debug)]
pub(super) struct Project(Stage);

impl Project {
    /// A workflow of so many Tasks in a sequence, each with a function of its own that does nothing.
    pub(super) fn sequence(
        language: Language,
        functions: usize,
        reuse: Reuse,
    ) -> Result<Project, Failure> {
        let project = Project(Stage::bare()?);
        let mut manifest =
            "[workflow]\nname = \"bench\"\ndefinition = \"workflow.asl.json\"\n".to_owned();
        let mut states = Vec::new();
        let reuse = match reuse {
            Reuse::Warm => "warm",
            Reuse::Fresh => "fresh",
            Reuse::FreshImport => "fresh-import",
        };
        for number in 0..functions {
            let next = match number.saturating_add(1) {
                next if next < functions => format!("\"Next\": \"f{next}\""),
                _last => "\"End\": true".to_owned(),
            };
            states.push(format!(
                "\"f{number}\": {{\"Type\": \"Task\", \"Resource\": \"f{number}\", {next}}}"
            ));
            let (runtime, handler) = match language {
                Language::Python => ("python3.11", "noop.handler"),
                Language::Native => ("native", "noop.so"),
            };
            manifest.push_str(&format!(
                "[functions.f{number}]\nruntime = \"{runtime}\"\npath = \"code\"\n\
                 handler = \"{handler}\"\nreuse = \"{reuse}\"\n"
            ));
        }
        let definition = format!(
            "{{\"StartAt\": \"f0\", \"States\": {{{}}}}}",
            states.join(", ")
        );
        project.write("keylane.toml", manifest.as_bytes())?;
        project.write("workflow.asl.json", definition.as_bytes())?;
        match language {
            Language::Python => project.write("code/noop.py", PYTHON.as_bytes())?,
            Language::Native => project.write("code/noop.so", NATIVE)?,
        }
        Ok(project)
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.0.root().join(path);
        let parent = path.parent().unwrap_or(Path::new("/"));
        std::fs::create_dir_all(parent).map_err(host)?;
        std::fs::write(&path, bytes).map_err(host)
    }

    /// Starts the project, all that it takes from its files on.
    pub(super) fn start(&self) -> Result<Warm, Stop> {
        let options = run::Options {
            project: self.0.root().to_owned(),
            input: input::Source::Text("{}".to_owned()),
            json: false,
            stream: false,
            isolation: Asked::Process,
            lanes: Some(1),
            policy: None,
            quiet: true,
            history: false,
            trace: None,
            timeline: None,
        };
        let prepared = run::prepare(options, &mut Screen::stderr(true, false))?;
        let deployment = Deployment::start(prepared.plan(), &mut Silent)?;
        Ok(Warm {
            deployment,
            _staged: prepared,
        })
    }
}

/// A deployment that is up.
#[derive(Debug)]
pub(super) struct Warm {
    deployment: Deployment,
    _staged: Prepared,
}

impl Warm {
    /// Runs one execution, whose output must be its input.
    pub(super) fn execute(&mut self, input: &str) -> Result<Report, Stop> {
        let done = self
            .deployment
            .execute("bench", input.as_bytes(), false, &mut Silent)?;
        if let Some(number) = done.signal {
            return Err(Stop::Signal(number));
        }
        let same = |output: &str| {
            let parsed = [output, input].map(serde_json::from_str::<serde_json::Value>);
            matches!(parsed, [Ok(output), Ok(input)] if output == input)
        };
        let report = done.report;
        match (report.status, report.output.as_deref()) {
            (Status::Succeeded, Some(output)) if output == input || same(output) => Ok(report),
            _ => {
                let cause = format!("a function that does nothing answered {report:?}");
                Err(Failure::new(Blame::Bug, DOING, cause).into())
            }
        }
    }

    /// Ends it.
    pub(super) fn stop(self) {
        self.deployment.stop(&mut Silent);
    }
}

/// Nobody wants to know.
struct Silent;

impl Listener for Silent {
    fn line(&mut self, _line: &str) {}
    fn progress(&mut self, _state: &str, _done: u64, _total: u64) {}
    fn loaded(&mut self, _loaded: usize, _of: usize) {}
    fn denied(&mut self, _denials: Denials) {}
}
