//! Runs executions: starts the deployment, hands it one input after the other, shows what comes
//! back.

use super::input::Lines;
use super::{Inputs, Prepared, refuse};
use crate::cli::print;
use crate::deployment::{Deployment, Finished, Interruption, Listener};
use crate::exit::Exit;
use crate::history::{History, assemble};
use crate::render;
use crate::render::denial;
use crate::render::report::{self, Context};
use crate::render::screen::Screen;
use keylane_policy::blame::Failure;
use keylane_policy::denial::Denials;
use std::io::{BufReader, Stderr, Stdin};
use std::os::fd::AsFd;
use std::time::Instant;

/// Shows on the screen what happens meanwhile.
struct Shown<'s> {
    screen: &'s mut Screen<Stderr>,
}

impl Listener for Shown<'_> {
    fn line(&mut self, line: &str) {
        self.screen.line(line);
    }

    fn progress(&mut self, state: &str, done: u64, total: u64) {
        self.screen.progress(state, done, total);
    }

    fn loaded(&mut self, loaded: usize, of: usize) {
        let (loaded, of) = (loaded as u64, of as u64);
        self.screen.progress("loading functions", loaded, of);
    }

    fn denied(&mut self, denials: Denials) {
        tell(self.screen, &denials);
    }
}

/// Tells of denied calls, the first few.
fn tell(screen: &mut Screen<Stderr>, denials: &Denials) {
    for line in denial::lines(denials) {
        screen.line(&line);
    }
}

/// Runs every input of a prepared run.
pub(super) fn execute(prepared: Prepared, screen: &mut Screen<Stderr>) -> Exit {
    let mut session = Session {
        asked: prepared.options.asked(),
        prepared,
        screen,
    };
    let plan = session.prepared.plan();
    let deployment = Deployment::start(
        plan,
        &mut Shown {
            screen: session.screen,
        },
    );
    let mut deployment = match deployment {
        Ok(deployment) => deployment,
        Err(interruption) => return session.interrupted(interruption),
    };
    for substitution in deployment.substitutions() {
        let (missing, instead) = (&substitution.missing, &substitution.instead);
        session
            .screen
            .note(&format!("this host has no {missing}; instead: {instead}"));
    }
    let exit = session.inputs(&mut deployment);
    deployment.stop(&mut Shown {
        screen: session.screen,
    });
    exit
}

struct Session<'s> {
    asked: String,
    prepared: Prepared,
    screen: &'s mut Screen<Stderr>,
}

impl Session<'_> {
    fn inputs(&mut self, deployment: &mut Deployment) -> Exit {
        let inputs = std::mem::replace(&mut self.prepared.inputs, Inputs::One(Vec::new()));
        match inputs {
            Inputs::One(input) => match self.one(deployment, 0, &input) {
                Ok(exit) => exit,
                Err(interruption) => self.interrupted(interruption),
            },
            Inputs::Stream(lines) => match self.stream(deployment, lines) {
                Ok(exit) => exit,
                Err(interruption) => self.interrupted(interruption),
            },
        }
    }

    /// Runs each line, and ends like the first one that failed.
    fn stream(
        &mut self,
        deployment: &mut Deployment,
        mut lines: Lines<BufReader<Stdin>>,
    ) -> Result<Exit, Interruption> {
        let mut ended = Exit::Done;
        for number in 0.. {
            if !lines.has_read_ahead() {
                let mut shown = Shown {
                    screen: &mut *self.screen,
                };
                deployment.await_input(std::io::stdin().as_fd(), &mut shown)?;
            }
            let exit = match lines.next() {
                None => break,
                Some(Ok(input)) => self.one(deployment, number, &input)?,
                // A line that is no JSON spoils only itself.
                Some(Err(failure)) => self.refused(failure),
            };
            ended = ended.then(exit);
            if exit == Exit::Unwritten {
                break;
            }
        }
        Ok(ended)
    }

    /// Runs one input and prints what came of it.
    fn one(
        &mut self,
        deployment: &mut Deployment,
        number: u64,
        input: &[u8],
    ) -> Result<Exit, Interruption> {
        let started = Instant::now();
        let workflow = self.prepared.project.name.to_string();
        let name = format!("{workflow}-{number}");
        let options = &self.prepared.options;
        let (json, stream) = (options.json, options.stream);
        let finished = deployment.execute(
            &name,
            input,
            options.history,
            &mut Shown {
                screen: &mut *self.screen,
            },
        )?;
        let wall_ns = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let lanes = usize::from(self.prepared.lanes);
        tell(self.screen, &finished.denials);
        let report = &finished.report;
        let exit = report::exit(report);
        // Making a history costs time that nobody waits for who wants the output alone.
        let wanted = json || self.prepared.pictures.any();
        let history = if wanted {
            self.history(&finished, input)?
        } else {
            None
        };
        let context = Context {
            asked: &self.asked,
            workflow: &workflow,
            lanes,
            wall_ns,
            history: history.as_ref(),
            denials: Some(&finished.denials),
        };
        if let Some(failure) = report::failure(report, &context) {
            self.screen.failure(&failure);
        }
        let drawn = self.prepared.pictures.write(report, &context);
        let printed = if json {
            Some(report::json(report, &context, stream)?)
        } else {
            // The summary first: with both streams on one terminal the result is the last thing
            // seen.
            self.screen.line(&report::summary(report, &context));
            report::output(report)
        };
        let exit = printed.map_or(exit, |text| print(&text, exit));
        let exit = match drawn {
            Ok(()) => exit,
            Err(failure) => {
                let text = render::failure::failure(&self.asked, &failure);
                self.screen.failure(&text);
                exit.then(Exit::Unwritten)
            }
        };
        match finished.signal {
            Some(number) => Err(Interruption::Signal(number)),
            None => Ok(exit),
        }
    }

    /// The history of an execution, if it was recorded.
    fn history(&self, finished: &Finished, input: &[u8]) -> Result<Option<History>, Failure> {
        let Some(recording) = finished.recording()? else {
            return Ok(None);
        };
        let functions = &self.prepared.project.functions;
        let names: Vec<String> = functions.iter().map(|f| f.name.to_string()).collect();
        let input = String::from_utf8_lossy(input);
        Ok(Some(History {
            events: assemble::events(&recording, &finished.report, &names, &input),
            dropped: recording.dropped,
        }))
    }

    fn refused(&mut self, failure: Failure) -> Exit {
        let options = &self.prepared.options;
        refuse(
            &self.asked,
            &failure.into(),
            options.json,
            options.stream,
            self.screen,
        )
    }

    fn interrupted(&mut self, interruption: Interruption) -> Exit {
        match interruption {
            Interruption::Signal(number) => {
                self.screen.note(&format!("ended by signal {number}"));
                Exit::signal(number).unwrap_or(Exit::Bug)
            }
            Interruption::Failure(failure) => self.refused(failure),
        }
    }
}
