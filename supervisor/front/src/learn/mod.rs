//! `keylane learn`: runs a project, first with as good as nothing allowed, and gives each function in
//! the next round what it was denied, as far as the operator lets projects have it. What the last
//! round had is the smallest profile that this input shows.
//!
//! A denied call fails, so that what would have come after it is seen in a later round alone. Each
//! round is a deployment of its own in the ordinary jail; nothing is allowed that the same project
//! could not have by asking for it in `keylane.toml`, and no file is written.
//!
//! An attacker controls: what a function calls, and so which of the granted groups it seems to need;
//! every text of a denial.

mod propose;
mod show;
#[cfg(test)]
mod tests;

use crate::deployment::{Deployment, Interruption, Listener};
use crate::exit::Exit;
use crate::isolation::Asked;
use crate::refusal::Refusal;
use crate::render::report;
use crate::render::screen::Screen;
use crate::run::{self, Inputs, Prepared, input};
use keylane_policy::blame::Failure;
use keylane_policy::denial::Denials;
use keylane_policy::profile::Grants;
use keylane_policy::report::Report;
use propose::{Learned, Proposal, Subject};
use serde::Serialize;
use std::io::Stderr;
use std::path::PathBuf;

/// Rounds after which learning ends whatever was denied: a workflow stops at its first failure, so
/// that each function may take a few.
const ROUNDS: usize = 32;

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// The project's folder or file.
    pub project: PathBuf,
    /// Where the input comes from.
    pub input: input::Source,
    /// Where the operator says what projects may have.
    pub policy: Option<PathBuf>,
    /// Whether to print a JSON document.
    pub json: bool,
}

/// What was learned, as `--json` prints it.
#[derive(Debug, Serialize)]
pub struct Lesson {
    /// How the last round ended: `succeeded`, `failed`, `cancelled`, or `not started` where a function
    /// could not be loaded.
    status: &'static str,
    /// The error of the last round, in a line; null if there was none.
    error: Option<String>,
    /// How many rounds there were.
    rounds: usize,
    /// Whether nothing was denied in the last round that another one would have been given.
    complete: bool,
    /// Denied calls of the last round that no record tells.
    more: u64,
    /// Where it is written what projects may have.
    source: String,
    /// What each function needs.
    functions: Vec<Proposal>,
    /// Lines for `keylane.toml`; empty if it needs none.
    project_fragment: String,
    /// Lines for the operator's policy: profiles of exactly what is needed where every granted one is
    /// larger, or none is large enough.
    policy_fragment: String,
}

/// Learns, and prints what was learned.
pub fn learn(options: Options) -> Exit {
    let asked = format!("learn {}", options.project.display());
    let mut screen = Screen::stderr(false, options.json);
    match lesson(&options, &mut screen) {
        Ok((lesson, exit)) if options.json => match serde_json::to_string(&lesson) {
            Ok(text) => crate::cli::print(&report::document(&text, false), exit),
            Err(_unwritable) => Exit::Bug,
        },
        Ok((lesson, exit)) => crate::cli::print(&show::text(&lesson), exit),
        Err(Stop::Signal(number)) => {
            screen.note(&format!("ended by signal {number}"));
            Exit::signal(number).unwrap_or(Exit::Bug)
        }
        Err(Stop::Refused(refusal)) => {
            run::refuse(&asked, &refusal, options.json, false, &mut screen)
        }
    }
}

/// Why there is nothing to tell.
enum Stop {
    Signal(i32),
    Refused(Refusal),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Stop {
        Stop::Refused(refusal)
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        Stop::Refused(failure.into())
    }
}

/// How a round ended.
struct Round {
    denials: Denials,
    ended: Result<Report, Failure>,
}

fn lesson(options: &Options, screen: &mut Screen<Stderr>) -> Result<(Lesson, Exit), Stop> {
    let mut prepared = prepare(options, screen)?;
    let Inputs::One(input) = std::mem::replace(&mut prepared.inputs, Inputs::One(Vec::new()))
    else {
        return Err(keylane_policy::blame::Failure::new(
            keylane_policy::blame::Blame::Bug,
            "reading the input",
            "learning reads no stream",
        )
        .into());
    };
    let grants = prepared.grants.clone();
    let mut learned = Learned::nothing(&prepared.project.functions, &grants);
    let mut rounds = 0usize;
    loop {
        rounds = rounds.saturating_add(1);
        screen.progress("learning, round", rounds as u64, 0);
        let round = self::round(&mut prepared, &learned, &input, screen)?;
        let grown = learned.take(&round.denials);
        if grown && rounds < ROUNDS {
            // The spawner removes the staged files with everything else.
            prepared.stage_again()?;
            continue;
        }
        screen.clear();
        return Ok(tell(&prepared, &grants, &learned, &round, rounds, !grown));
    }
}

fn prepare(options: &Options, screen: &mut Screen<Stderr>) -> Result<Prepared, Refusal> {
    let options = run::Options {
        project: options.project.clone(),
        input: options.input.clone(),
        json: options.json,
        stream: false,
        isolation: Asked::Auto,
        lanes: Some(1),
        policy: options.policy.clone(),
        quiet: true,
        history: false,
        trace: None,
        timeline: None,
    };
    run::prepare(options, screen)
}

/// Runs the input once, with what has been learned so far and no more.
fn round(
    prepared: &mut Prepared,
    learned: &Learned<'_>,
    input: &[u8],
    screen: &mut Screen<Stderr>,
) -> Result<Round, Stop> {
    for function in &mut prepared.project.functions {
        function.rights.groups = learned.groups(function.name.as_str());
    }
    let mut ear = Ear {
        denials: Denials::default(),
        screen,
    };
    let ended = match Deployment::start(prepared.plan(), &mut ear) {
        Ok(mut deployment) => {
            let name = format!("{}-learn", prepared.project.name);
            let finished = deployment.execute(&name, input, false, &mut ear);
            deployment.stop(&mut ear);
            finished.and_then(|finished| {
                ear.denied(finished.denials);
                // What was denied until a signal is not what the project needs.
                let signal = finished.signal.map(Interruption::Signal);
                signal.map_or(Ok(finished.report), Err)
            })
        }
        Err(interruption) => Err(interruption),
    };
    let denials = ear.denials;
    match ended {
        Ok(report) => Ok(Round {
            denials,
            ended: Ok(report),
        }),
        // A function that cannot be loaded may need just what it was denied.
        Err(Interruption::Failure(failure)) => Ok(Round {
            denials,
            ended: Err(failure),
        }),
        Err(Interruption::Signal(number)) => Err(Stop::Signal(number)),
    }
}

/// Keeps what was denied; functions' output in the rounds is nobody's concern.
struct Ear<'s> {
    denials: Denials,
    screen: &'s mut Screen<Stderr>,
}

impl Listener for Ear<'_> {
    fn line(&mut self, _line: &str) {}

    fn progress(&mut self, state: &str, done: u64, total: u64) {
        self.screen.progress(state, done, total);
    }

    fn loaded(&mut self, _loaded: usize, _of: usize) {}

    fn denied(&mut self, denials: Denials) {
        for denial in denials.records {
            self.denials.add(denial);
        }
        self.denials.count(denials.more);
    }
}

fn tell(
    prepared: &Prepared,
    grants: &Grants,
    learned: &Learned<'_>,
    round: &Round,
    rounds: usize,
    complete: bool,
) -> (Lesson, Exit) {
    let (status, error, exit) = match &round.ended {
        Ok(report) => {
            let error = report.error.as_ref();
            let error = error.map(|error| {
                let cause = report::Cause::read(&error.cause).message;
                match &error.function {
                    Some(function) => {
                        format!("function {function:?} raised {}: {cause}", error.error)
                    }
                    None => format!("{}: {cause}", error.error),
                }
            });
            let status = match report.status {
                keylane_policy::report::Status::Succeeded => "succeeded",
                keylane_policy::report::Status::Failed => "failed",
                keylane_policy::report::Status::Cancelled => "cancelled",
            };
            (status, error, report::exit(report))
        }
        Err(failure) => {
            let exit = Exit::before(failure.blame);
            ("not started", Some(failure.to_string()), exit)
        }
    };
    let called = |name: &str| {
        let report = round.ended.as_ref().ok();
        report.is_some_and(|report| report.functions.iter().any(|f| f.function == name))
    };
    let functions: Vec<Proposal> = prepared
        .project
        .functions
        .iter()
        .map(|function| {
            let subject = Subject {
                function,
                manifest: &prepared.project.manifest,
                called: called(function.name.as_str()),
            };
            learned.propose(&subject, &round.denials)
        })
        .collect();
    let lesson = Lesson {
        status,
        error,
        rounds,
        complete,
        more: round.denials.more,
        source: grants.source.clone(),
        project_fragment: propose::project_fragment(&functions),
        policy_fragment: propose::policy_fragment(&functions),
        functions,
    };
    (lesson, exit)
}
