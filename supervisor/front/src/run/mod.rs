//! `keylane run`: everything up to the first process, in an order that fails early and cheaply.
//!
//! Nothing is staged before the project, the input, the isolation and the runtime are known to be
//! good. `execute` takes it from there.

mod execute;
pub mod files;
pub mod input;
mod pictures;

use crate::build;
use crate::check;
use crate::deployment::Plan;
use crate::exit::Exit;
use crate::isolation::{self, Isolation};
use crate::operator;
use crate::project::Project;
use crate::project::manifest::Function;
use crate::refusal::Refusal;
use crate::render;
use crate::render::report::document;
use crate::render::screen::Screen;
use crate::runtime::HostRuntimes;
use crate::stage::{self, Stage};
use keylane_policy::abi::message::{FunctionEntry, ZygoteSpec};
use keylane_policy::blame::{Blame, Failure};
use keylane_policy::limit;
use keylane_policy::profile::Grants;
use keylane_policy::reuse::Reuse;
use serde::Serialize;
use std::io::{BufReader, Stderr, Stdin};
use std::path::PathBuf;

/// What the operator asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// The project's folder or file.
    pub project: PathBuf,
    /// Where the input comes from; without meaning for a stream.
    pub input: input::Source,
    /// Whether to print whole reports.
    pub json: bool,
    /// Whether each line of standard input is an input.
    pub stream: bool,
    /// How functions are kept apart.
    pub isolation: isolation::Asked,
    /// How many lanes; without a number, one for each processor.
    pub lanes: Option<u16>,
    /// Where the operator says what projects may have.
    pub policy: Option<PathBuf>,
    /// Whether to show failures alone.
    pub quiet: bool,
    /// Whether to record what happens.
    pub history: bool,
    /// Where to write a trace.
    pub trace: Option<PathBuf>,
    /// Where to draw the run.
    pub timeline: Option<PathBuf>,
}

impl Options {
    /// What was asked, as the first words of every failure.
    pub fn asked(&self) -> String {
        format!("run {}", self.project.display())
    }
}

/// The inputs of a run.
#[derive(Debug)]
pub enum Inputs {
    /// One, checked.
    One(Vec<u8>),
    /// As many as standard input has lines.
    Stream(input::Lines<BufReader<Stdin>>),
}

/// A run that lacks nothing but its processes. The stage goes when this is dropped.
#[derive(Debug)]
pub struct Prepared {
    /// What the operator asked for.
    pub options: Options,
    /// The project.
    pub project: Project,
    /// How functions are kept apart.
    pub isolation: Isolation,
    /// How many lanes.
    pub lanes: u16,
    /// What instances may read beside their trees.
    pub host: HostRuntimes,
    /// What the operator lets projects have.
    pub grants: Grants,
    /// The functions' trees.
    pub stage: Stage,
    trees: Trees,
    /// The inputs.
    pub inputs: Inputs,
    /// Files to write when it is over.
    pictures: pictures::Pictures,
}

/// What the functions' trees are made of.
#[derive(Debug)]
struct Trees {
    plans: Vec<stage::plan::Plan>,
    built: build::Built,
}

impl Trees {
    fn stage(&self, project: &Project) -> Result<Stage, Failure> {
        let stage = Stage::create(&project.folder, &self.plans)?;
        self.built.stage(&stage)?;
        Ok(stage)
    }
}

impl Prepared {
    /// Makes the functions' trees anew: a deployment that ends takes its stage along.
    pub fn stage_again(&mut self) -> Result<(), Failure> {
        self.stage = self.trees.stage(&self.project)?;
        Ok(())
    }

    /// The functions as lanes need to know them; a function's number is its place here.
    pub fn entries(&self) -> Vec<FunctionEntry> {
        let spares = self.spares();
        let per_lane = u64::from(spares).saturating_add(4);
        let entry = |function: &Function| FunctionEntry {
            name: function.name.to_string(),
            payload: function.payload,
            call_ms: function.timeout_ms,
            reuse: function.reuse,
            spares: match function.reuse {
                Reuse::Warm => 0,
                // Each lane has those that wait, one that answers and one that ends.
                _ if function.processes < per_lane.saturating_mul(self.lanes.into()) => 0,
                Reuse::Fresh | Reuse::FreshImport => spares,
            },
        };
        self.project.functions.iter().map(entry).collect()
    }

    /// How many workers each lane keeps ready of a function whose calls get fresh ones.
    fn spares(&self) -> u8 {
        let fresh = self.project.functions.iter();
        let fresh = fresh.filter(|function| !function.reuse.keeps_workers());
        let places = fresh.count().saturating_mul(usize::from(self.lanes));
        let each = limit::SPARES_IN_ALL.checked_div(places).unwrap_or_default();
        limit::SPARES.min(u8::try_from(each).unwrap_or(u8::MAX))
    }

    /// What to start.
    pub fn plan(&self) -> Plan {
        Plan {
            workflow: self.project.name.to_string(),
            definition: self.project.definition.text().to_owned(),
            functions: self.zygotes().into_iter().zip(self.entries()).collect(),
            lanes: self.lanes,
            stage: self.stage.root().to_owned(),
            required: self.grants.required.clone(),
        }
    }

    /// The functions as the spawner needs to know them, in the same order.
    pub fn zygotes(&self) -> Vec<ZygoteSpec> {
        let spec = |function: &Function| ZygoteSpec {
            name: function.name.to_string(),
            tree: self
                .stage
                .tree(function.name.as_str())
                .to_string_lossy()
                .into_owned(),
            runtime: function.handler.runtime(),
            handler: function.handler.as_str().to_owned(),
            runtime_paths: self.host.paths_of(function),
            groups: function.rights.groups.clone(),
            memory: function.memory,
            processes: function.processes,
            descriptors: function.descriptors,
            cpu: function.cpu,
            tmp: function.tmp,
            reuse: function.reuse,
            ports: function.ports.clone(),
            unfiltered: function.rights.unfiltered,
        };
        self.project.functions.iter().map(spec).collect()
    }
}

/// Prepares a run; notes for the operator go to the screen.
pub fn prepare(options: Options, screen: &mut Screen<Stderr>) -> Result<Prepared, Refusal> {
    let pictures = pictures::Pictures::check(&options)?;
    let grants = operator::load(options.policy.as_deref())?;
    let checked = check::project(&options.project, &grants)?;
    for warning in &checked.warnings {
        screen.line(warning.human().trim_end());
    }
    let lanes = options.lanes.map_or_else(default_lanes, Ok)?;
    let (isolation, why) = isolation::choose(options.isolation)?;
    let project = &checked.project;
    let host = HostRuntimes::find(project.functions.iter().map(|f| f.handler.runtime()))?;
    let inputs = if options.stream {
        Inputs::Stream(input::Lines::standard())
    } else {
        Inputs::One(input::read(&options.input, project)?)
    };
    if let Some(why) = why {
        screen.note(&why);
    }
    let built = build::build(&checked, false, screen)?;
    if let Some(failure) = &built.unlocked {
        screen.note(&format!(
            "{}, so the next build may choose other versions",
            failure.cause
        ));
    }
    let trees = Trees {
        plans: checked.plans,
        built,
    };
    let stage = trees.stage(&checked.project)?;
    Ok(Prepared {
        options,
        project: checked.project,
        isolation,
        lanes,
        host,
        grants,
        stage,
        trees,
        inputs,
        pictures,
    })
}

/// One lane for each processor that this process may use.
fn default_lanes() -> Result<u16, Failure> {
    let cores = keylane_sys::process::cores().map_err(|error| {
        Failure::new(Blame::Host, "counting the processors", error.to_string())
            .advise("say how many lanes: `--lanes 2`")
    })?;
    Ok(u16::try_from(cores.len().clamp(1, limit::LANES)).unwrap_or(1))
}

/// Runs a workflow as the options say.
pub fn run(options: Options) -> Exit {
    let (asked, json, stream) = (options.asked(), options.json, options.stream);
    let mut screen = Screen::stderr(options.quiet, options.json);
    match prepare(options, &mut screen) {
        Ok(prepared) => execute::execute(prepared, &mut screen),
        Err(refusal) => refuse(&asked, &refusal, json, stream, &mut screen),
    }
}

/// What `run --json` prints when nothing ran; docs/CLI.md describes it.
#[derive(Serialize)]
struct Refused<'r> {
    status: &'static str,
    failure: Failure,
    problems: &'r [crate::problem::Problem],
    exit: u8,
}

/// Tells a refusal on standard error and, for a program, on standard output.
pub fn refuse(
    asked: &str,
    refusal: &Refusal,
    json: bool,
    stream: bool,
    screen: &mut Screen<Stderr>,
) -> Exit {
    let exit = refusal.exit();
    screen.failure(&render::failure::refusal(asked, refusal));
    if !json {
        return exit;
    }
    let refused = Refused {
        status: "refused",
        failure: refusal.summary(),
        problems: refusal.problems(),
        exit: exit.code(),
    };
    match serde_json::to_string(&refused) {
        Ok(text) => crate::cli::print(&document(&text, stream), exit),
        Err(_unwritable) => Exit::Bug,
    }
}
