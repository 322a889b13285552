//! The spawner's loop, and what it knows.
//!
//! One thread, one poll. A source is read until it is empty or its turn is over
//! ([`TURN`] messages), so that a process that floods its socket delays others by that much and no
//! more. Sends never block: a peer that does not read loses its message, and a lane or zygote that
//! loses one is broken and is ended.
//!
//! What a message or an end changes is in the file of the one who sends it.

mod ends;
mod hear_denied;
mod hear_front;
mod hear_lane;
mod hear_zygote;
mod rounds;

use crate::ears::Ear;
use crate::extras::{self, Extras};
use crate::identity::Identities;
use crate::lanes::Lane;
use crate::workers::Workers;
use crate::zygotes::Zygote;
use keylane_jail::Filters;
use keylane_policy::abi::message::{FromSpawner, FunctionId, LaneId, Substitution, ToSpawner};
use keylane_policy::blame::{Blame, Failure};
use keylane_policy::part::Part;
use keylane_sys::link::Link;
use keylane_sys::ready::Ready;
use keylane_sys::{cgroup, denied, host, jail, process};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Messages that are read from one source before others get their turn.
const TURN: usize = 32;

/// What became ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Front,
    Lane(LaneId),
    LaneEnd(LaneId),
    Zygote(FunctionId),
    ZygoteEnd(FunctionId),
    WorkerEnd(u64),
    Denied(FunctionId),
}

/// Executable images, as the front sent them.
#[derive(Debug)]
struct Images {
    lane: OwnedFd,
    /// The launcher of Python functions.
    python: OwnedFd,
    /// The launcher of native functions.
    native: OwnedFd,
}

/// The spawner's state.
#[derive(Debug)]
pub(crate) struct Spawner {
    ready: Ready<Source>,
    front: Link<FromSpawner, ToSpawner>,
    images: Option<Images>,
    stage: Option<PathBuf>,
    filters: Filters,
    landlock_abi: u32,
    extras: Extras,
    substitutions: Vec<Substitution>,
    groups: Option<cgroup::Run>,
    groups_made: u64,
    /// Groups of functions that have ended, while a process may still be in them.
    left: Vec<cgroup::Group>,
    identities: Identities,
    lanes: BTreeMap<LaneId, Lane>,
    zygotes: BTreeMap<FunctionId, Zygote>,
    ears: BTreeMap<FunctionId, Ear>,
    workers: Workers,
    restarts: BTreeMap<FunctionId, u32>,
    /// How long the trial of an import took, of functions whose workers import for themselves.
    imports: BTreeMap<FunctionId, Duration>,
    /// The functions' names, also of those whose zygote has ended.
    names: BTreeMap<FunctionId, String>,
    stopping: bool,
}

fn bug(doing: &str, cause: impl ToString) -> Failure {
    Failure::new(Blame::Bug, doing, cause.to_string())
}

impl Spawner {
    /// A spawner that serves `front`; none if the host cannot carry the jail, which the front has
    /// been told then. Tries the parts of the jail that a host may lack.
    pub(crate) fn new(front: Link<FromSpawner, ToSpawner>) -> Result<Option<Spawner>, Failure> {
        let doing = "starting the spawner";
        let host = |error: io::Error| Failure::new(Blame::Host, doing, error.to_string());
        // A terminal's Ctrl-C is the front's to handle; it tells us.
        jail::new_session().map_err(host)?;
        jail::no_new_privileges().map_err(host)?;
        jail::set_dumpable(false).map_err(host)?;
        process::become_subreaper().map_err(host)?;
        // A pidfd for each worker of each lane.
        jail::raise_descriptors().map_err(host)?;
        let listener = denied::try_listener();
        let compiled = host::landlock_abi()
            .map_err(|error| {
                Failure::new(Blame::Host, doing, format!("no Landlock: {error}"))
                    .advise("boot a kernel >= 6.1 with landlock in its list of security modules")
            })
            .and_then(|abi| match Filters::compile(abi, listener.is_ok()) {
                Ok(filters) => Ok((abi, filters)),
                Err(error) => Err(bug(doing, error)),
            });
        let (abi, filters) = match compiled {
            Ok(compiled) => compiled,
            Err(failure) => {
                front
                    .try_send(&FromSpawner::Unfit(failure), &[])
                    .map_err(host)?;
                return Ok(None);
            }
        };
        let found = extras::find();
        let mut substitutions = found.substitutions;
        if let Err(error) = &listener {
            substitutions.push(Substitution {
                parts: vec![Part::Denials],
                missing: format!("listener for denied calls ({error})"),
                instead: "a denied call still fails with EPERM, and nothing tells which it was"
                    .to_owned(),
            });
        }
        front
            .try_send(
                &FromSpawner::Ready {
                    substitutions: substitutions.clone(),
                },
                &[],
            )
            .map_err(host)?;
        let mut spawner = Spawner {
            ready: Ready::new().map_err(host)?,
            front,
            images: None,
            stage: None,
            filters,
            landlock_abi: abi,
            extras: found.extras,
            substitutions,
            groups: found.groups,
            groups_made: 0,
            left: Vec::new(),
            identities: Identities::of(std::process::id(), jail::is_root()),
            lanes: BTreeMap::new(),
            zygotes: BTreeMap::new(),
            ears: BTreeMap::new(),
            workers: Workers::default(),
            restarts: BTreeMap::new(),
            imports: BTreeMap::new(),
            names: BTreeMap::new(),
            stopping: false,
        };
        spawner
            .ready
            .watch(&spawner.front, Source::Front)
            .map_err(host)?;
        Ok(Some(spawner))
    }

    /// Serves until the front says stop or goes away; then ends everything.
    pub(crate) fn serve(mut self) -> Result<(), Failure> {
        let outcome = self.turns();
        self.end_everything();
        outcome
    }

    fn turns(&mut self) -> Result<(), Failure> {
        while !self.stopping {
            let patience = self
                .next_deadline()
                .map(|at| at.saturating_duration_since(Instant::now()));
            let due = self
                .ready
                .wait(patience)
                .map_err(|error| bug("waiting for events", error))?;
            for source in due {
                self.handle(source);
            }
            self.check_deadlines();
            self.round();
            self.left.retain(|group| !group.remove());
            let known = self.known();
            process::reap_orphans(|pid| known.contains(&pid));
        }
        Ok(())
    }

    /// Children that this process waits for by themselves.
    fn known(&self) -> BTreeSet<i32> {
        let leaders = self.zygotes.values().map(|zygote| zygote.leader.pid());
        let lanes = self.lanes.values().map(|lane| lane.child.pid());
        leaders.chain(lanes).collect()
    }

    fn handle(&mut self, source: Source) {
        match source {
            Source::Front => self.hear_front(),
            Source::Lane(lane) => self.hear_lane(lane),
            Source::Zygote(function) => self.hear_zygote(function),
            Source::LaneEnd(lane) => self.lane_ended(lane),
            Source::ZygoteEnd(function) => self.zygote_ended(function),
            Source::WorkerEnd(serial) => self.worker_gone(serial),
            Source::Denied(function) => self.hear_denied(function),
        }
    }

    fn tell_front(&mut self, message: &FromSpawner, descriptors: &[BorrowedFd<'_>]) {
        // A front that does not read is gone or stuck; either way nobody is left to serve.
        if self.front.send(message, descriptors).is_err() {
            self.stopping = true;
        }
    }
}
