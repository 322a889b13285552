//! `keylane bench`: what a hop, a start and a fresh worker cost on this host, beside the least that
//! each could cost.
//!
//! Everything that is compared is measured in turns, round by round, in one run, so that a host that
//! slows down slows all of it; each ratio is taken within a round. The projects are made for the
//! measurement and run in the ordinary jail, in the way of every other project. A goal is printed with
//! what was measured and decides nothing: the exit code tells whether there are measurements.
//!
//! An attacker controls nothing here: the functions are ours.

mod fresh;
mod handoff;
mod hop;
mod interpreter;
mod numbers;
mod project;
mod show;
mod start;
#[cfg(test)]
mod tests;

use crate::deployment::Interruption;
use crate::exit::Exit;
use crate::refusal::Refusal;
use crate::render::report;
use crate::render::screen::Screen;
use crate::run;
use clap::ValueEnum;
use keylane_policy::blame::{Blame, Failure};
use show::Results;
use std::io::Stderr;

/// What failures here were doing.
const DOING: &str = "measuring";

/// A measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// One more function in a sequence, and a warm call, in Python and in machine code
    Hop,
    /// From a project on disk to its first answer
    Start,
    /// A call that gets a worker which no other call has seen
    Fresh,
}

/// All of them, in the order in which they are printed.
const ALL: [Name; 3] = [Name::Hop, Name::Start, Name::Fresh];

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which measurements; none named are all.
    pub names: Vec<Name>,
    /// How often each way is measured in its turn.
    pub rounds: u32,
    /// Whether to print a JSON document.
    pub json: bool,
}

/// Measures, and prints the figures.
pub fn bench(options: &Options) -> Exit {
    let mut screen = Screen::stderr(false, options.json);
    let measured = measure(options, &mut screen);
    screen.clear();
    match measured {
        Ok(results) if options.json => match results.json() {
            Ok(text) => crate::cli::print(&report::document(&text, false), Exit::Done),
            Err(_unwritable) => Exit::Bug,
        },
        Ok(results) => crate::cli::print(&results.text(), Exit::Done),
        Err(Stop::Signal(number)) => {
            screen.note(&format!("ended by signal {number}"));
            Exit::signal(number).unwrap_or(Exit::Bug)
        }
        Err(Stop::Refused(refusal)) => {
            run::refuse("bench", &refusal, options.json, false, &mut screen)
        }
    }
}

fn measure(options: &Options, screen: &mut Screen<Stderr>) -> Result<Results, Stop> {
    let mut results = Results::begin(options.rounds);
    for name in ALL {
        if !options.names.is_empty() && !options.names.contains(&name) {
            continue;
        }
        let mut run = Run {
            rounds: options.rounds,
            screen,
            results: &mut results,
        };
        match name {
            Name::Hop => hop::measure(&mut run)?,
            Name::Start => start::measure(&mut run)?,
            Name::Fresh => fresh::measure(&mut run)?,
        }
    }
    results.end();
    Ok(results)
}

/// What each measurement works with.
struct Run<'r> {
    rounds: u32,
    screen: &'r mut Screen<Stderr>,
    results: &'r mut Results,
}

impl Run<'_> {
    /// The numbers of the rounds, told on a terminal as they come. The first, number 0, warms up and is
    /// not counted.
    fn tell_round(&mut self, what: &str, round: u32) {
        self.screen.progress(what, round.into(), self.rounds.into());
    }
}

/// Why there are no figures.
enum Stop {
    Signal(i32),
    Refused(Refusal),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        Stop::Refused(failure.into())
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Stop {
        Stop::Refused(refusal)
    }
}

impl From<Interruption> for Stop {
    fn from(interruption: Interruption) -> Stop {
        match interruption {
            Interruption::Signal(number) => Stop::Signal(number),
            Interruption::Failure(failure) => failure.into(),
        }
    }
}

fn host(error: impl ToString) -> Failure {
    Failure::new(Blame::Host, DOING, error.to_string())
}
