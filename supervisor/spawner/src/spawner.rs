//! The spawner's loop.
//!
//! One thread, one poll. A source is read until it is empty or its turn is over
//! ([`TURN`] messages), so that a process that floods its socket delays others by that much and no
//! more. Sends never block: a peer that does not read loses its message, and a lane or zygote that
//! loses one is broken and is ended.

use crate::identity::Identities;
use crate::lanes::Lane;
use crate::workers::{Worker, Workers};
use crate::zygotes::{self, Zygote};
use keylane_jail::Filters;
use keylane_policy::abi::message::{
    Ended, FromSpawner, FromZygote, FunctionId, LaneId, LaneToSpawner, SpawnerToLane, Substitution,
    ToSpawner, ToZygote, Who, ZygoteSpec,
};
use keylane_policy::blame::{Blame, Failure};
use keylane_policy::limit;
use keylane_sys::link::{Incoming, Link, Received};
use keylane_sys::ready::Ready;
use keylane_sys::{host, jail, process};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Messages that are read from one source before others get their turn.
const TURN: usize = 32;

/// How often a function's zygote is started again in a deployment. A zygote that ends after it has
/// loaded was killed or ended itself; one that keeps doing so is left alone, and its function fails.
const RESTARTS: u32 = 8;

/// Workers that one lane may wait for in vain before a zygote is not asked any more. The lane has one
/// at a time: each of these is one that it has given up.
const SILENT: usize = 8;

/// Workers of one function that one lane may have, most of them about to end. Each holds a
/// descriptor here.
const WORKERS: usize = 32;

/// How long a zygote may take to tell how a worker ended.
const TELL: Duration = Duration::from_millis(100);

/// What became ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Front,
    Lane(LaneId),
    LaneEnd(LaneId),
    Zygote(FunctionId),
    ZygoteEnd(FunctionId),
    WorkerEnd(u64),
}

/// Executable images, as the front sent them.
#[derive(Debug)]
struct Images {
    lane: OwnedFd,
    launcher: OwnedFd,
}

/// The spawner's state.
#[derive(Debug)]
pub(crate) struct Spawner {
    ready: Ready<Source>,
    front: Link<FromSpawner, ToSpawner>,
    images: Option<Images>,
    stage: Option<PathBuf>,
    filters: Filters,
    namespaces: bool,
    identities: Identities,
    lanes: BTreeMap<LaneId, Lane>,
    zygotes: BTreeMap<FunctionId, Zygote>,
    workers: Workers,
    restarts: BTreeMap<FunctionId, u32>,
    stopping: bool,
}

fn bug(doing: &str, cause: impl ToString) -> Failure {
    Failure::new(Blame::Bug, doing, cause.to_string())
}

/// How a process that has ended came to its end.
fn reap(child: &process::Child) -> Ended {
    match child.try_wait() {
        Ok(Some(how)) => how,
        // Whoever started Keylane ignores SIGCHLD, and so does everybody who inherits that: then
        // the kernel reaps, and tells nobody how (sigaction(2), SIG_IGN).
        Ok(None) | Err(_) => Ended::Unknown,
    }
}

impl Spawner {
    /// A spawner that serves `front`. Tries the parts of the jail that a host may lack.
    pub(crate) fn new(front: Link<FromSpawner, ToSpawner>) -> Result<Spawner, Failure> {
        let doing = "starting the spawner";
        let host = |error: io::Error| Failure::new(Blame::Host, doing, error.to_string());
        // A terminal's Ctrl-C is the front's to handle; it tells us.
        jail::new_session().map_err(host)?;
        jail::no_new_privileges().map_err(host)?;
        jail::set_dumpable(false).map_err(host)?;
        process::become_subreaper().map_err(host)?;
        // A pidfd for each worker of each lane.
        jail::raise_descriptors().map_err(host)?;
        let unfit = |failure: Failure| {
            let _exit_tells_too = front.try_send(&FromSpawner::Unfit(failure.clone()), &[]);
            failure
        };
        let abi = host::landlock_abi().map_err(|error| {
            unfit(
                Failure::new(Blame::Host, doing, format!("no Landlock: {error}"))
                    .advise("boot a kernel >= 6.1 with landlock in its list of security modules"),
            )
        })?;
        let filters = Filters::compile(abi).map_err(|error| unfit(bug(doing, error)))?;
        let namespaces = host::try_namespaces();
        let substitutions = match &namespaces {
            Ok(()) => Vec::new(),
            Err(error) => vec![Substitution {
                missing: format!("user namespaces ({error})"),
                instead: "Landlock and the filter alone: processes share the host's process \
                          numbers and network stack, which the filter keeps them from using"
                    .to_owned(),
            }],
        };
        front
            .try_send(&FromSpawner::Ready { substitutions }, &[])
            .map_err(host)?;
        let mut spawner = Spawner {
            ready: Ready::new().map_err(host)?,
            front,
            images: None,
            stage: None,
            filters,
            namespaces: namespaces.is_ok(),
            identities: Identities::of(std::process::id(), jail::is_root()),
            lanes: BTreeMap::new(),
            zygotes: BTreeMap::new(),
            workers: Workers::default(),
            restarts: BTreeMap::new(),
            stopping: false,
        };
        spawner
            .ready
            .watch(&spawner.front, Source::Front)
            .map_err(host)?;
        Ok(spawner)
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
            let known: BTreeSet<i32> = self
                .zygotes
                .values()
                .map(|zygote| zygote.leader.pid())
                .chain(self.lanes.values().map(|lane| lane.child.pid()))
                .collect();
            process::reap_orphans(|pid| known.contains(&pid));
        }
        Ok(())
    }

    fn handle(&mut self, source: Source) {
        match source {
            Source::Front => self.hear_front(),
            Source::Lane(lane) => self.hear_lane(lane),
            Source::Zygote(function) => self.hear_zygote(function),
            Source::LaneEnd(lane) => self.lane_ended(lane),
            Source::ZygoteEnd(function) => self.zygote_ended(function),
            Source::WorkerEnd(serial) => self.worker_gone(serial),
        }
    }

    fn tell_front(&mut self, message: &FromSpawner, descriptors: &[BorrowedFd<'_>]) {
        // A front that does not read is gone or stuck; either way nobody is left to serve.
        if self.front.send(message, descriptors).is_err() {
            self.stopping = true;
        }
    }

    // ---- the front -------------------------------------------------------------------------

    fn hear_front(&mut self) {
        for _ in 0..TURN {
            match self.front.try_recv() {
                Ok(Incoming::Nothing) => return,
                Ok(Incoming::Message(got)) => self.obey(got),
                Ok(Incoming::Closed | Incoming::Garbage(_)) | Err(_) => {
                    self.stopping = true;
                    return;
                }
            }
        }
        self.ready.again(Source::Front);
    }

    fn obey(&mut self, got: Received<ToSpawner>) {
        match got.message {
            ToSpawner::Setup { stage } => {
                let mut images = got.descriptors.into_iter();
                if let (Some(lane), Some(launcher)) = (images.next(), images.next()) {
                    self.images = Some(Images { lane, launcher });
                    self.stage = Some(PathBuf::from(stage));
                } else {
                    self.stopping = true;
                }
            }
            ToSpawner::Zygote { function, spec } => self.start_zygote(function, &spec),
            ToSpawner::Lane { lane, core } => self.start_lane(lane, core),
            ToSpawner::Stop => self.stopping = true,
        }
    }

    fn start_zygote(&mut self, function: FunctionId, spec: &ZygoteSpec) {
        let started = self
            .identities
            .take()
            .map_err(|why| bug("choosing a user id", why))
            .and_then(|user| {
                let images = self
                    .images
                    .as_ref()
                    .ok_or_else(|| bug("starting", "no images"))?;
                let image = images.launcher.as_fd();
                Zygote::start(spec, user, self.namespaces, &self.filters, image)
            });
        match started {
            Ok((zygote, [out, err])) => {
                let watched = self
                    .ready
                    .watch(&zygote.link, Source::Zygote(function))
                    .and_then(|()| {
                        self.ready
                            .watch(&zygote.leader, Source::ZygoteEnd(function))
                    });
                self.zygotes.insert(function, zygote);
                let who = Who::Zygote(function);
                self.tell_front(&FromSpawner::Output { who }, &[out.as_fd(), err.as_fd()]);
                if let Err(error) = watched {
                    self.fail_zygote(function, bug("watching a zygote", error));
                }
            }
            Err(failure) => {
                self.tell_front(&FromSpawner::ZygoteFailed { function, failure }, &[]);
            }
        }
    }

    fn start_lane(&mut self, lane: LaneId, core: Option<u16>) {
        let started = self
            .identities
            .take()
            .map_err(|why| bug("choosing a user id", why))
            .and_then(|user| {
                let images = self
                    .images
                    .as_ref()
                    .ok_or_else(|| bug("starting", "no images"))?;
                let image = images.lane.as_fd();
                Lane::start(lane, core, user, self.namespaces, &self.filters, image)
            });
        let fresh = match started {
            Ok(fresh) => fresh,
            Err(failure) => {
                self.tell_front(&FromSpawner::LaneFailed { lane, failure }, &[]);
                return;
            }
        };
        let watched = self
            .ready
            .watch(&fresh.lane.link, Source::Lane(lane))
            .and_then(|()| self.ready.watch(&fresh.lane.child, Source::LaneEnd(lane)));
        self.lanes.insert(lane, fresh.lane);
        let [out, err] = &fresh.output;
        let who = Who::Lane(lane);
        self.tell_front(&FromSpawner::Output { who }, &[out.as_fd(), err.as_fd()]);
        self.tell_front(&FromSpawner::LaneUp { lane }, &[fresh.control.as_fd()]);
        if let Err(error) = watched {
            let failure = bug("watching a lane", error);
            self.tell_front(&FromSpawner::LaneFailed { lane, failure }, &[]);
        }
    }

    // ---- lanes -----------------------------------------------------------------------------

    fn hear_lane(&mut self, lane: LaneId) {
        for _ in 0..TURN {
            let Some(known) = self.lanes.get(&lane) else {
                return;
            };
            match known.link.try_recv() {
                Ok(Incoming::Nothing) => return,
                Ok(Incoming::Message(got)) => match got.message {
                    LaneToSpawner::Worker {
                        ticket,
                        function,
                        capacity,
                    } => {
                        self.fork_worker(lane, ticket, function, capacity, got.descriptors);
                    }
                    LaneToSpawner::Kill { ticket } => self.kill_worker(lane, ticket),
                },
                // A lane that closes its socket or talks nonsense has nothing more to ask; its end
                // is seen on its pidfd.
                Ok(Incoming::Closed | Incoming::Garbage(_)) | Err(_) => {
                    let _gone_is_fine = known.child.kill();
                    return;
                }
            }
        }
        self.ready.again(Source::Lane(lane));
    }

    fn tell_lane(&mut self, lane: LaneId, message: &SpawnerToLane) {
        if let Some(known) = self.lanes.get(&lane)
            && known.link.try_send(message, &[]).is_err()
        {
            // It does not read: without this message its picture of its workers would be wrong.
            let _gone_is_fine = known.child.kill();
        }
    }

    fn fork_worker(
        &mut self,
        lane: LaneId,
        ticket: u32,
        function: FunctionId,
        capacity: u64,
        descriptors: Vec<OwnedFd>,
    ) {
        let serial = self.workers.expect(lane, ticket, function);
        if let Err(failure) = self.ask_zygote(lane, function, serial, capacity, &descriptors) {
            self.workers.remove(serial);
            self.tell_lane(lane, &SpawnerToLane::WorkerFailed { ticket, failure });
        }
    }

    fn ask_zygote(
        &mut self,
        lane: LaneId,
        function: FunctionId,
        serial: u64,
        capacity: u64,
        descriptors: &[OwnedFd],
    ) -> Result<(), Failure> {
        let doing = format!("starting a worker of {}", zygotes::label(function));
        let host = |error: io::Error| Failure::new(Blame::Host, &doing, error.to_string());
        let [channel, alive] = descriptors else {
            return Err(bug(&doing, "a request without its two descriptors"));
        };
        // What a zygote never answered must not use up what other functions need: entries here,
        // and the user's descriptors in flight.
        let (all, silent) = self.workers.count(lane, function);
        if silent > SILENT || all > WORKERS {
            let cause = format!("{all} are still there, {silent} of them never spoke");
            return Err(Failure::new(Blame::Function, &doing, cause));
        }
        let Some(zygote) = self.zygotes.get(&function) else {
            return Err(Failure::new(
                Blame::Function,
                &doing,
                "its zygote has ended",
            ));
        };
        let (out, out_end) = jail::pipe().map_err(host)?;
        let (err, err_end) = jail::pipe().map_err(host)?;
        let order = ToZygote::Fork { serial, capacity };
        let passed = [
            channel.as_fd(),
            alive.as_fd(),
            out_end.as_fd(),
            err_end.as_fd(),
        ];
        let sent = zygote.link.try_send(&order, &passed);
        sent.map_err(|error| {
            Failure::new(
                Blame::Function,
                format!("starting a worker of function {:?}", zygote.name),
                format!("its zygote does not answer: {error}"),
            )
        })?;
        let who = Who::Worker(lane, function);
        self.tell_front(&FromSpawner::Output { who }, &[out.as_fd(), err.as_fd()]);
        Ok(())
    }

    fn kill_worker(&mut self, lane: LaneId, ticket: u32) {
        if let Some((_, worker)) = self.workers.of_lane(lane, ticket) {
            match &worker.pidfd {
                Some(pidfd) => {
                    let _gone_is_fine = process::signal(pidfd.as_fd(), 9);
                }
                None => worker.doomed = true,
            }
        }
    }

    fn lane_ended(&mut self, lane: LaneId) {
        let Some(known) = self.lanes.get(&lane) else {
            return;
        };
        if !process::has_ended(known.child.as_fd()) {
            return;
        }
        let how = reap(&known.child);
        self.lanes.remove(&lane);
        self.ready.forget(Source::Lane(lane));
        self.ready.forget(Source::LaneEnd(lane));
        // Its workers have nobody to work for.
        for serial in self.workers.serials_of_lane(lane) {
            if let Some(ticket) = self.workers.get(serial).map(|worker| worker.ticket) {
                self.kill_worker(lane, ticket);
            }
        }
        self.tell_front(
            &FromSpawner::Ended {
                who: Who::Lane(lane),
                how,
            },
            &[],
        );
    }

    // ---- zygotes and workers ---------------------------------------------------------------

    fn hear_zygote(&mut self, function: FunctionId) {
        for _ in 0..TURN {
            let Some(zygote) = self.zygotes.get(&function) else {
                return;
            };
            match zygote.next() {
                Ok(Incoming::Nothing | Incoming::Closed) => return,
                Ok(Incoming::Message(got)) => self.note(function, got),
                Ok(Incoming::Garbage(fault)) => {
                    let doing = format!("listening to function {:?}", zygote.name);
                    let failure = Failure::new(Blame::Function, doing, fault.to_string());
                    self.fail_zygote(function, failure);
                    return;
                }
                Err(error) => {
                    self.fail_zygote(function, bug("listening to a zygote", error));
                    return;
                }
            }
        }
        self.ready.again(Source::Zygote(function));
    }

    fn note(&mut self, function: FunctionId, got: Received<FromZygote>) {
        let Some(zygote) = self.zygotes.get_mut(&function) else {
            return;
        };
        match got.message {
            FromZygote::Loaded if !zygote.loaded => {
                zygote.loaded = true;
                let load_us =
                    u64::try_from(zygote.started.elapsed().as_micros()).unwrap_or(u64::MAX);
                self.tell_front(&FromSpawner::ZygoteUp { function, load_us }, &[]);
            }
            // Said twice, it means nothing.
            FromZygote::Loaded => {}
            FromZygote::LoadFailed {
                error_type,
                message,
                trace,
            } => {
                let jail = zygote.speaks_for_jail(&error_type, got.sender);
                let failure =
                    zygotes::load_failure(&zygote.name, &error_type, &message, &trace, jail);
                self.fail_zygote(function, failure);
            }
            FromZygote::Hello { serial } => self.greet(function, serial, got.sender),
            FromZygote::ForkFailed { serial, errno } => {
                let name = zygote.name.clone();
                if let Some(ticket) = self.workers.of_zygote(function, serial).map(|w| w.ticket)
                    && let Some(worker) = self.workers.remove(serial)
                {
                    let why = io::Error::from_raw_os_error(errno);
                    let doing = format!("forking a worker of function {name:?}");
                    let failure = Failure::new(Blame::Function, doing, why.to_string());
                    let failed = SpawnerToLane::WorkerFailed { ticket, failure };
                    self.tell_lane(worker.lane, &failed);
                }
            }
            FromZygote::WorkerEnded { serial, how } => {
                if self.workers.of_zygote(function, serial).is_some() {
                    self.worker_ended(serial, how);
                }
            }
        }
    }

    /// A process says that it is worker `serial`. The kernel says its number; it is believed only
    /// inside its zygote's session, so that a lie can hurt nobody but the liar's own function.
    fn greet(&mut self, function: FunctionId, serial: u64, sender: Option<i32>) {
        let Some(zygote) = self.zygotes.get(&function) else {
            return;
        };
        let Some(worker) = self.workers.of_zygote(function, serial) else {
            return;
        };
        let Some(pid) = sender.filter(|pid| *pid > 0) else {
            return;
        };
        if worker.pidfd.is_some() {
            return;
        }
        let Ok(pidfd) = process::open_pidfd(pid) else {
            return;
        };
        if !zygote.owns(pid) || process::has_ended(pidfd.as_fd()) {
            return;
        }
        let (lane, ticket, doomed) = (worker.lane, worker.ticket, worker.doomed);
        if doomed {
            let _gone_is_fine = process::signal(pidfd.as_fd(), 9);
        }
        let watched = self.ready.watch(&pidfd, Source::WorkerEnd(serial));
        worker.pidfd = Some(pidfd);
        if let Some(core) = self.lanes.get(&lane).and_then(|lane| lane.core) {
            // A worker that runs elsewhere is slower, not wrong.
            let _slower = process::bind_to_core(pid, core);
        }
        if watched.is_ok() {
            self.tell_lane(lane, &SpawnerToLane::WorkerUp { ticket });
        }
    }

    /// The worker's pidfd says that it is gone. How it ended only its zygote can tell, and usually
    /// does at once; [`TELL`] later its end is told without.
    fn worker_gone(&mut self, serial: u64) {
        if let Some(worker) = self.workers.get_mut(serial) {
            worker.gone_at.get_or_insert_with(Instant::now);
        }
    }

    fn worker_ended(&mut self, serial: u64, how: Ended) {
        if let Some(Worker {
            lane,
            ticket,
            pidfd,
            ..
        }) = self.workers.remove(serial)
        {
            self.ready.forget(Source::WorkerEnd(serial));
            // It may have been said of one that lives: nobody could end that one any more.
            if let Some(pidfd) = pidfd {
                let _gone_is_fine = process::signal(pidfd.as_fd(), 9);
            }
            self.tell_lane(lane, &SpawnerToLane::WorkerEnded { ticket, how });
        }
    }

    fn fail_zygote(&mut self, function: FunctionId, failure: Failure) {
        if let Some(zygote) = self.zygotes.get_mut(&function) {
            zygote.failed = true;
            zygote.kill();
            self.tell_front(&FromSpawner::ZygoteFailed { function, failure }, &[]);
        }
    }

    fn zygote_ended(&mut self, function: FunctionId) {
        let Some(zygote) = self.zygotes.get(&function) else {
            return;
        };
        if !process::has_ended(zygote.leader.as_fd()) {
            return;
        }
        // Without a pid namespace its children live on. They are ended before the leader is reaped:
        // until then its number cannot become somebody else's.
        zygote.kill();
        // Last words that came before the end.
        self.hear_zygote(function);
        let Some(zygote) = self.zygotes.remove(&function) else {
            return;
        };
        let how = reap(&zygote.leader);
        self.ready.forget(Source::Zygote(function));
        self.ready.forget(Source::ZygoteEnd(function));
        for (serial, worker) in self.workers.remove_function(function) {
            self.ready.forget(Source::WorkerEnd(serial));
            let ticket = worker.ticket;
            self.tell_lane(
                worker.lane,
                &SpawnerToLane::WorkerEnded {
                    ticket,
                    how: Ended::Unknown,
                },
            );
        }
        self.tell_front(
            &FromSpawner::Ended {
                who: Who::Zygote(function),
                how,
            },
            &[],
        );
        let restarts = self.restarts.entry(function).or_default();
        if zygote.loaded && !zygote.failed && *restarts < RESTARTS {
            *restarts = restarts.saturating_add(1);
            // Workers that are asked for meanwhile wait in its socket.
            self.start_zygote(function, &zygote.spec);
        }
    }

    // ---- time and the end ------------------------------------------------------------------

    fn next_deadline(&self) -> Option<Instant> {
        let loads = self.zygotes.values().filter_map(Zygote::load_deadline);
        let told = self
            .workers
            .gone()
            .filter_map(|(_, at)| at.checked_add(TELL));
        loads.chain(told).min()
    }

    fn check_deadlines(&mut self) {
        let now = Instant::now();
        let late: Vec<_> = self
            .zygotes
            .iter()
            .filter(|(_, zygote)| zygote.load_deadline().is_some_and(|at| at <= now))
            .map(|(function, zygote)| (*function, zygote.name.clone()))
            .collect();
        for (function, name) in late {
            let failure = Failure::new(
                Blame::Function,
                format!("loading function {name:?}"),
                format!(
                    "it has not finished its imports in {} ms",
                    limit::LOAD_MILLISECONDS
                ),
            );
            self.fail_zygote(function, failure);
        }
        let untold: Vec<u64> = self
            .workers
            .gone()
            .filter(|(_, at)| now.saturating_duration_since(*at) >= TELL)
            .map(|(serial, _)| serial)
            .collect();
        for serial in untold {
            self.worker_ended(serial, Ended::Unknown);
        }
    }

    fn end_everything(&mut self) {
        for lane in self.lanes.values() {
            let _gone_is_fine = lane.child.kill();
        }
        for zygote in self.zygotes.values() {
            zygote.kill();
        }
        for lane in self.lanes.values() {
            let _nothing_to_say = lane.child.wait();
        }
        for zygote in self.zygotes.values() {
            let _nothing_to_say = zygote.leader.wait();
        }
        process::reap_orphans(|_| false);
        if let Some(stage) = &self.stage {
            // The front removes it as well when it ends in order; whoever comes second finds none.
            let _maybe_gone = std::fs::remove_dir_all(stage);
        }
    }
}
