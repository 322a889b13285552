//! From a plan to a running deployment.

use super::images::Images;
use super::output::Pipes;
use super::transfers::Transfers;
use super::{Deployment, Interruption, Lane, Listener, Plan, Source, TURN, bug};
use keylane_policy::abi::message::{
    Ended, FromLane, FromSpawner, FunctionEntry, LaneId, ToLane, ToSpawner, Who, ZygoteSpec,
};
use keylane_policy::blame::{Blame, Failure};
use keylane_policy::denial::Denials;
use keylane_sys::link::{Incoming, Link, Received, pair};
use keylane_sys::process::{self, Child, Fork, Namespaces};
use keylane_sys::ready::Ready;
use keylane_sys::signal::Signals;
use keylane_sys::{body, jail};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

const DOING: &str = "starting the deployment";

/// How long to wait before the spawner's socket is tried again that had no room for an order.
const ROOM: Duration = Duration::from_millis(5);

fn host(error: io::Error) -> Failure {
    Failure::new(Blame::Host, DOING, error.to_string())
}

/// What has been started and is not ready yet.
struct Awaited {
    functions: usize,
    loaded: usize,
    lanes: usize,
    deployed: usize,
}

pub(super) fn start(plan: Plan, listener: &mut dyn Listener) -> Result<Deployment, Interruption> {
    // Before anything is started, so that no signal finds this process half-way.
    let signals = Signals::catch().map_err(host)?;
    // Two pipes for each worker of each lane.
    jail::raise_descriptors().map_err(host)?;
    let images = Images::seal().map_err(host)?;
    // The front carries branches between lanes that keep all processors busy.
    let _slower = process::prefer_short_slices(0);
    let (spawner, child) =
        start_spawner(images.spawner.as_fd().try_clone_to_owned().map_err(host)?)?;
    let mut ready = Ready::new().map_err(host)?;
    ready.watch(&signals, Source::Signals).map_err(host)?;
    ready.watch(&spawner, Source::Spawner).map_err(host)?;
    let mut deployment = Deployment {
        workflow: plan.workflow.clone(),
        names: plan
            .functions
            .iter()
            .map(|(spec, _)| spec.name.clone())
            .collect(),
        child,
        spawner,
        signals,
        ready,
        lanes: BTreeMap::new(),
        pipes: Pipes::default(),
        transfers: Transfers::default(),
        substitutions: Vec::new(),
        denials: Denials::default(),
        executions: 0,
        ended: false,
    };
    let ready = match deployment.order(&plan, &images) {
        Ok(orders) => deployment.await_all(&plan, orders, listener),
        // A spawner that has gone and takes no orders may have said why.
        Err(failure) => Err(deployment.why_unfit().unwrap_or(failure).into()),
    };
    match ready {
        Ok(()) => Ok(deployment),
        Err(interruption) => {
            // What a process printed before it failed often says why.
            listener.denied(std::mem::take(&mut deployment.denials));
            deployment.stop(listener);
            Err(interruption)
        }
    }
}

/// How a function's process ended, as the exit status of the tiny init above it tells: 128 and the
/// signal's number where one ended it.
fn of_program(init: Ended) -> Ended {
    match init {
        Ended::Exited(status @ 129..=192) => Ended::Signaled(status.saturating_sub(128)),
        other => other,
    }
}

/// Forks and executes the spawner with its socket as descriptor 3.
fn start_spawner(image: OwnedFd) -> Result<(Link<ToSpawner, FromSpawner>, Child), Failure> {
    let (ours, theirs) = pair().map_err(host)?;
    let null = jail::null_device().map_err(host)?;
    match process::fork(Namespaces::Shared).map_err(host)? {
        Fork::Parent(child) => Ok((Link::over(ours), child)),
        Fork::Child => {
            // Standard error stays: the spawner is ours, and its last words are for the operator.
            let kept = [jail::number(&null), 2, 2, jail::number(&theirs)];
            let program = std::ffi::CString::from(c"keylane-spawner");
            let status = match jail::keep_descriptors(&kept, jail::number(&image), 4) {
                Ok(()) => match process::inherited(4) {
                    Ok(image) => {
                        let _error = process::execute(image.as_fd(), &[program], &[]);
                        126
                    }
                    Err(_) => 125,
                },
                Err(_) => 125,
            };
            process::exit(status)
        }
    }
}

impl Deployment {
    /// Says what there is, and gives the orders that follow: they are sent as far as there is room
    /// for them, because the spawner's answers must be read meanwhile. Two sides that wait until the
    /// other one reads wait for ever.
    fn order(&mut self, plan: &Plan, images: &Images) -> Result<VecDeque<ToSpawner>, Failure> {
        let stage = plan.stage.to_string_lossy().into_owned();
        let setup = ToSpawner::Setup {
            stage,
            required: plan.required.clone(),
        };
        self.spawner
            .send(
                &setup,
                &[
                    images.lane.as_fd(),
                    images.python.as_fd(),
                    images.native.as_fd(),
                ],
            )
            .map_err(host)?;
        let mut orders = VecDeque::new();
        for (function, (spec, _)) in (0..).zip(&plan.functions) {
            orders.push_back(ToSpawner::Zygote {
                function,
                spec: ZygoteSpec::clone(spec),
            });
        }
        let cores = process::cores().map_err(host)?;
        for lane in 0..plan.lanes {
            // One lane on each core, as far as there are cores; more lanes than cores float.
            let core = cores.get(usize::from(lane)).copied();
            orders.push_back(ToSpawner::Lane { lane, core });
        }
        Ok(orders)
    }

    /// Sends orders until there is no room for the next one.
    fn send_some(&self, orders: &mut VecDeque<ToSpawner>) -> Result<(), Failure> {
        while let Some(order) = orders.front() {
            match self.spawner.try_send(order, &[]) {
                Ok(()) => drop(orders.pop_front()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(host(error)),
            }
        }
        Ok(())
    }

    fn await_all(
        &mut self,
        plan: &Plan,
        mut orders: VecDeque<ToSpawner>,
        listener: &mut dyn Listener,
    ) -> Result<(), Interruption> {
        let mut awaited = Awaited {
            functions: plan.functions.len(),
            loaded: 0,
            lanes: usize::from(plan.lanes),
            deployed: 0,
        };
        while awaited.loaded < awaited.functions || awaited.deployed < awaited.lanes {
            self.send_some(&mut orders)?;
            let patience = (!orders.is_empty()).then_some(ROOM);
            for source in self.ready.wait(patience).map_err(host)? {
                match source {
                    Source::Signals => {
                        if let Some(interruption) = self.signal() {
                            return Err(interruption);
                        }
                    }
                    Source::Pipe(number) => self.pipes.read(number, &mut self.ready, listener),
                    Source::Spawner => self.hear_spawner(plan, &mut awaited, listener)?,
                    Source::Lane(lane) => self.hear_deployed(lane, &mut awaited)?,
                }
            }
        }
        if plan.functions.iter().any(|(_, entry)| entry.spares > 0) {
            for lane in self.lanes.values() {
                lane.link.try_send(&ToLane::Prepare, &[]).map_err(host)?;
            }
        }
        Ok(())
    }

    /// What the spawner found the host to lack, if that is what it said.
    fn why_unfit(&mut self) -> Option<Failure> {
        for _ in 0..TURN {
            match self.spawner.try_recv().ok()? {
                Incoming::Message(got) => {
                    if let FromSpawner::Unfit(failure) = got.message {
                        return Some(failure);
                    }
                }
                Incoming::Nothing | Incoming::Closed | Incoming::Garbage(_) => return None,
            }
        }
        None
    }

    fn hear_spawner(
        &mut self,
        plan: &Plan,
        awaited: &mut Awaited,
        listener: &mut dyn Listener,
    ) -> Result<(), Failure> {
        for _ in 0..TURN {
            match self.spawner.try_recv().map_err(host)? {
                Incoming::Nothing => return Ok(()),
                Incoming::Message(got) => self.note(got, plan, awaited, listener)?,
                Incoming::Closed => return Err(bug(DOING, "the spawner ended")),
                Incoming::Garbage(fault) => return Err(bug(DOING, fault)),
            }
        }
        self.ready.again(Source::Spawner);
        Ok(())
    }

    fn note(
        &mut self,
        got: Received<FromSpawner>,
        plan: &Plan,
        awaited: &mut Awaited,
        listener: &mut dyn Listener,
    ) -> Result<(), Failure> {
        match got.message {
            FromSpawner::Ready { substitutions } => self.substitutions = substitutions,
            FromSpawner::Unfit(failure)
            | FromSpawner::ZygoteFailed { failure, .. }
            | FromSpawner::LaneFailed { failure, .. } => return Err(failure),
            FromSpawner::ZygoteUp { .. } => {
                awaited.loaded = awaited.loaded.saturating_add(1);
                listener.loaded(awaited.loaded, awaited.functions);
            }
            FromSpawner::LaneUp { lane } => {
                let control = got.descriptors.into_iter().next();
                self.deploy(lane, control, plan).map_err(host)?;
            }
            FromSpawner::Notice { function, text } => self.notice(function, &text, listener),
            FromSpawner::Output { who } => self.listen(who, got.descriptors).map_err(host)?,
            FromSpawner::Denied { denial, .. } => self.denials.add(denial),
            FromSpawner::DeniedMore { more, .. } => self.denials.count(more),
            FromSpawner::Ended { who, how } => {
                let name = self.label(who);
                return Err(match who {
                    Who::Lane(_) => bug(DOING, format!("{name} {how} before it was ready")),
                    Who::Zygote(_) | Who::Worker(..) => {
                        let doing = format!("loading function {name:?}");
                        let cause = format!("its process {}", of_program(how));
                        Failure::new(Blame::Function, doing, cause)
                    }
                });
            }
        }
        Ok(())
    }

    /// Reads a process's output from now on.
    pub(super) fn listen(&mut self, who: Who, descriptors: Vec<OwnedFd>) -> io::Result<()> {
        let label = self.label(who);
        self.pipes.add(who, &label, descriptors, &mut self.ready)
    }

    fn deploy(&mut self, lane: LaneId, control: Option<OwnedFd>, plan: &Plan) -> io::Result<()> {
        let control = control.ok_or_else(|| io::Error::other("a lane without a socket"))?;
        let link: Link<ToLane, FromLane> = Link::over(control);
        self.ready.watch(&link, Source::Lane(lane))?;
        let functions: Vec<FunctionEntry> = plan
            .functions
            .iter()
            .map(|(_, entry)| entry.clone())
            .collect();
        let definition = body::sealed("keylane-definition", plan.definition.as_bytes())?;
        link.send(&ToLane::Deploy { lane, functions }, &[definition.as_fd()])?;
        self.lanes.insert(
            lane,
            Lane {
                link,
                deployed: false,
            },
        );
        Ok(())
    }

    fn hear_deployed(&mut self, lane: LaneId, awaited: &mut Awaited) -> Result<(), Failure> {
        let Some(known) = self.lanes.get_mut(&lane) else {
            return Ok(());
        };
        match known.link.try_recv().map_err(host)? {
            Incoming::Nothing => Ok(()),
            Incoming::Message(got) => match got.message {
                FromLane::Deployed if !known.deployed => {
                    known.deployed = true;
                    awaited.deployed = awaited.deployed.saturating_add(1);
                    Ok(())
                }
                FromLane::Refused(failure) => Err(failure),
                other => Err(bug(DOING, format!("lane {lane} said {other:?}"))),
            },
            Incoming::Closed => Err(bug(DOING, format!("lane {lane} ended"))),
            Incoming::Garbage(fault) => Err(bug(DOING, format!("lane {lane}: {fault}"))),
        }
    }
}
