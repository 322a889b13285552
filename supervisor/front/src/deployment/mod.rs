//! A deployment: one workflow with its spawner, zygotes and lanes, warm and ready to run.
//!
//! The front starts the spawner and talks to it and to the lanes; it reads every process's output.
//! Lanes and functions are hostile to it: messages are bounded and typed, a loan goes only where
//! one was expected, reports are size-checked and parsed as foreign text, output is cut. When a
//! deployment is dropped, the spawner ends everything that it started.

mod execute;
mod images;
mod output;
mod start;
mod transfers;

pub use execute::{Finished, Interruption};

use keylane_policy::abi::message::{
    FromLane, FromSpawner, FunctionEntry, FunctionId, LaneId, Substitution, ToLane, ToSpawner, Who,
    ZygoteSpec,
};
use keylane_policy::blame::{Blame, Failure};
use keylane_policy::denial::Denials;
use keylane_policy::part::Part;
use keylane_sys::link::{Incoming, Link};
use keylane_sys::process::Child;
use keylane_sys::ready::Ready;
use keylane_sys::signal::Signals;
use output::Pipes;
use std::collections::BTreeMap;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::time::Duration;
use transfers::Transfers;

/// What a deployment consists of.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The workflow's name.
    pub workflow: String,
    /// The workflow's definition, which has been checked.
    pub definition: String,
    /// The functions, in the order of their numbers.
    pub functions: Vec<(ZygoteSpec, FunctionEntry)>,
    /// How many lanes.
    pub lanes: LaneId,
    /// The directory of the staged trees; the spawner removes it when this process is gone.
    pub stage: PathBuf,
    /// Parts of the jail that a host may lack, without which nothing is started.
    pub required: Vec<Part>,
}

/// Who is told what happens meanwhile.
pub trait Listener {
    /// A line of some process's output, labelled and escaped.
    fn line(&mut self, line: &str);
    /// How far an execution has come: the state, branches done, branches in all (0, 0 outside of a
    /// fan-out).
    fn progress(&mut self, state: &str, done: u64, total: u64);
    /// A function has loaded: how many of how many.
    fn loaded(&mut self, loaded: usize, of: usize);
    /// The deployment does not come up, and these calls were denied meanwhile.
    fn denied(&mut self, denials: Denials);
}

/// What became ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Signals,
    Spawner,
    Lane(LaneId),
    Pipe(u64),
}

/// A lane as the front knows it.
#[derive(Debug)]
struct Lane {
    link: Link<ToLane, FromLane>,
    deployed: bool,
}

/// A running deployment.
#[derive(Debug)]
pub struct Deployment {
    workflow: String,
    names: Vec<String>,
    child: Child,
    spawner: Link<ToSpawner, FromSpawner>,
    signals: Signals,
    ready: Ready<Source>,
    lanes: BTreeMap<LaneId, Lane>,
    pipes: Pipes,
    transfers: Transfers,
    substitutions: Vec<Substitution>,
    denials: Denials,
    executions: u64,
    ended: bool,
}

/// The lane that runs executions; the others help it.
const PRIMARY: LaneId = 0;
/// Messages that are read from one source before others get their turn.
const TURN: usize = 32;
/// How long the spawner may take to end everything.
const FAREWELL: Duration = Duration::from_secs(5);

fn bug(doing: &str, cause: impl ToString) -> Failure {
    Failure::new(Blame::Bug, doing, cause.to_string())
}

impl Deployment {
    /// Starts a deployment and waits until every function has loaded and every lane stands.
    pub fn start(plan: Plan, listener: &mut dyn Listener) -> Result<Deployment, Interruption> {
        start::start(plan, listener)
    }

    /// What the host lacks, and what stands in for it.
    pub fn substitutions(&self) -> &[Substitution] {
        &self.substitutions
    }

    /// Runs one execution with `input`, JSON text, and waits for its report; records what happens
    /// if `history` says so. A signal ends the execution, and its report is that of a cancelled
    /// one; a second signal, or a lane that does not report soon, is an interruption.
    pub fn execute(
        &mut self,
        name: &str,
        input: &[u8],
        history: bool,
        listener: &mut dyn Listener,
    ) -> Result<Finished, Interruption> {
        execute::execute(self, name, input, history, listener)
    }

    /// Waits until `input` can be read; signals and output are attended to meanwhile.
    pub fn await_input(
        &mut self,
        input: BorrowedFd<'_>,
        listener: &mut dyn Listener,
    ) -> Result<(), Interruption> {
        execute::await_input(self, input, listener)
    }

    /// Ends everything and waits until it is gone; the last output goes to `listener`.
    pub fn stop(mut self, listener: &mut dyn Listener) {
        self.end();
        self.hear_of_last_pipes();
        self.pipes.settle(listener);
    }

    /// Takes over the output of workers that the spawner has told of and nobody has heard yet: a
    /// short run may be over before its turn comes.
    fn hear_of_last_pipes(&mut self) {
        while let Ok(Incoming::Message(got)) = self.spawner.try_recv() {
            if let FromSpawner::Output { who } = got.message {
                let _lost_for_lack_of_descriptors = self.listen(who, got.descriptors);
            }
        }
    }

    fn end(&mut self) {
        if self.ended {
            return;
        }
        self.ended = true;
        self.lanes.clear();
        let _gone_is_fine = self.spawner.try_send(&ToSpawner::Stop, &[]);
        let patience = std::time::Instant::now().checked_add(FAREWELL);
        while patience.is_some_and(|at| std::time::Instant::now() < at) {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(1)),
                Ok(Some(_)) | Err(_) => return,
            }
        }
        let _gone_is_fine = self.child.kill();
        let _gone_is_fine = self.child.wait();
    }

    /// The label of a process in messages and in front of its output.
    fn label(&self, who: Who) -> String {
        let name = |function: FunctionId| {
            let name = self.names.get(usize::from(function)).cloned();
            name.unwrap_or_else(|| format!("function {function}"))
        };
        match who {
            Who::Zygote(function) | Who::Worker(_, function) => name(function),
            Who::Lane(lane) => format!("lane {lane}"),
        }
    }

    /// Tells the operator what the spawner found out about a function.
    fn notice(&self, function: FunctionId, text: &str, listener: &mut dyn Listener) {
        let name = self.label(Who::Zygote(function));
        listener.line(&format!("keylane: function {name:?}: {text}"));
    }

    fn signal(&self) -> Option<Interruption> {
        self.signals.next().map(Interruption::Signal)
    }

    fn wait(
        &mut self,
        patience: Option<Duration>,
    ) -> io::Result<std::collections::BTreeSet<Source>> {
        self.ready.wait(patience)
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        self.end();
    }
}
