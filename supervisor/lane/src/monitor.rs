//! The monitor: the lane's second thread, which waits for everything that is not a response.
//!
//! It reads the front's and the spawner's messages and watches every worker's liveness socket. It
//! runs no tenant's data through a parser; what it reads comes from the trusted side, except that
//! the end of a liveness socket can be caused (not forged in content) by a worker.

use crate::fate::{End, Fate};
use crate::inbox::{Inbox, Letter};
use keylane_policy::abi::message::{FromLane, LaneToSpawner, SpawnerToLane, Ticket, ToLane};
use keylane_sys::link::{Incoming, Link, Received, holds_message};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token};
use std::collections::BTreeMap;
use std::io;
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Time between two looks for workers that have nothing to do.
const LOOK: Duration = Duration::from_secs(1);

const FRONT: Token = Token(0);
const SPAWNER: Token = Token(1);
/// A worker's token is its ticket plus this.
const FIRST_WORKER: usize = 2;

/// The link to the front.
pub(crate) type Front = Link<FromLane, ToLane>;
/// The link to the spawner.
pub(crate) type Spawner = Link<LaneToSpawner, SpawnerToLane>;

/// Workers that the monitor watches, shared with the orchestrator, which adds and removes them.
#[derive(Debug)]
pub(crate) struct Watch {
    registry: Registry,
    fates: Mutex<BTreeMap<Ticket, Arc<Fate>>>,
}

fn token(ticket: Ticket) -> io::Result<Token> {
    let ticket = usize::try_from(ticket).map_err(io::Error::other)?;
    Ok(Token(ticket.saturating_add(FIRST_WORKER)))
}

impl Watch {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Ticket, Arc<Fate>>> {
        // Inserts and removes do not tear, so the map is whole whatever the other thread did.
        self.fates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes whoever waits for a worker's answer.
    fn nudge(&self) {
        self.lock().values().for_each(|fate| fate.nudge());
    }

    /// The workers that have had nothing to do since this was asked last, with their calls.
    fn idle(&self) -> Vec<(Ticket, u64)> {
        let fates = self.lock();
        let idle = fates
            .iter()
            .filter_map(|(ticket, fate)| Some((*ticket, fate.idle_since_last_look()?)));
        idle.collect()
    }

    fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Watches a worker from now on.
    pub(crate) fn add(&self, ticket: Ticket, fate: &Arc<Fate>) -> io::Result<()> {
        // Into the map first: its end may be seen at once.
        self.lock().insert(ticket, Arc::clone(fate));
        let fd = fate.alive.as_raw_fd();
        self.registry
            .register(&mut SourceFd(&fd), token(ticket)?, Interest::READABLE)
    }

    /// Forgets a worker.
    pub(crate) fn remove(&self, ticket: Ticket) {
        if let Some(fate) = self.lock().remove(&ticket) {
            let _closed_is_fine = self
                .registry
                .deregister(&mut SourceFd(&fate.alive.as_raw_fd()));
        }
    }

    fn fate(&self, ticket: Ticket) -> Option<Arc<Fate>> {
        self.lock().get(&ticket).cloned()
    }
}

/// The monitor's own state.
#[derive(Debug)]
pub(crate) struct Monitor {
    poll: Poll,
    front: Arc<Front>,
    spawner: Arc<Spawner>,
    inbox: Arc<Inbox>,
    watch: Arc<Watch>,
}

impl Monitor {
    /// A monitor of the two links; its watch is for the orchestrator.
    pub(crate) fn new(
        front: Arc<Front>,
        spawner: Arc<Spawner>,
        inbox: Arc<Inbox>,
    ) -> io::Result<Monitor> {
        let poll = Poll::new()?;
        let register = |fd: i32, token| {
            poll.registry()
                .register(&mut SourceFd(&fd), token, Interest::READABLE)
        };
        register(front.as_raw_fd(), FRONT)?;
        register(spawner.as_raw_fd(), SPAWNER)?;
        let registry = poll.registry().try_clone()?;
        let watch = Arc::new(Watch {
            registry,
            fates: Mutex::default(),
        });
        Ok(Monitor {
            poll,
            front,
            spawner,
            inbox,
            watch,
        })
    }

    /// Where the orchestrator adds and removes workers.
    pub(crate) fn watch(&self) -> Arc<Watch> {
        Arc::clone(&self.watch)
    }

    /// Runs until the front or the spawner is gone: then the lane has no reason to be.
    pub(crate) fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(64);
        let mut looked = Instant::now();
        loop {
            if looked.elapsed() >= LOOK {
                looked = Instant::now();
                self.tell_idle();
            }
            // A worker that is added meanwhile is seen a little later than others.
            let patience = if self.watch.is_empty() {
                LOOK * 10
            } else {
                LOOK
            };
            match self.poll.poll(&mut events, Some(patience)) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            for event in &events {
                let on = match event.token() {
                    FRONT => self.hear_front()?,
                    SPAWNER => self.hear_spawner()?,
                    Token(other) => {
                        self.worker_silent(other);
                        true
                    }
                };
                if !on {
                    return Ok(());
                }
            }
        }
    }

    /// Tells the spawner which workers have had nothing to do for a while.
    fn tell_idle(&self) {
        for (ticket, calls) in self.watch.idle() {
            // A spawner that has no room for it now is told a second later.
            let _later = self
                .spawner
                .try_send(&LaneToSpawner::Idle { ticket, calls }, &[]);
        }
    }

    /// Reads all that the front said; `false` once it is gone.
    fn hear_front(&self) -> io::Result<bool> {
        loop {
            match self.front.try_recv()? {
                Incoming::Nothing => return Ok(true),
                Incoming::Message(Received {
                    message: ToLane::Recalled { loan, from },
                    ..
                }) => {
                    self.inbox.recall(loan, from);
                    self.watch.nudge();
                }
                Incoming::Message(got) => {
                    if let ToLane::Cancel { execution } = got.message {
                        // Also a letter: it wakes an orchestrator that waits for one.
                        self.inbox.cancel(execution);
                        self.watch.nudge();
                    }
                    let body = got.descriptors.into_iter().next();
                    self.inbox.put(Letter {
                        message: got.message,
                        body,
                        at: Instant::now(),
                    });
                }
                Incoming::Closed => return Ok(false),
                Incoming::Garbage(fault) => return Err(io::Error::other(fault)),
            }
        }
    }

    /// Reads all that the spawner said; `false` once it is gone.
    fn hear_spawner(&self) -> io::Result<bool> {
        loop {
            let message = match self.spawner.try_recv()? {
                Incoming::Nothing => return Ok(true),
                Incoming::Message(got) => got.message,
                Incoming::Closed => return Ok(false),
                Incoming::Garbage(fault) => return Err(io::Error::other(fault)),
            };
            let (ticket, end) = match message {
                SpawnerToLane::WorkerUp { .. } => continue,
                SpawnerToLane::Denied { ticket, denial } => {
                    if let Some(fate) = self.watch.fate(ticket) {
                        fate.note_denial(denial.to_string());
                    }
                    continue;
                }
                SpawnerToLane::WorkerFailed { ticket, failure } => {
                    (ticket, End::Unstarted(failure))
                }
                SpawnerToLane::WorkerEnded { ticket, how } => (ticket, End::Ended(how)),
            };
            if let Some(fate) = self.watch.fate(ticket) {
                fate.set_end(end);
            }
        }
    }

    /// A liveness socket became readable: its worker closed it, by ending or on purpose. A worker
    /// has nothing to say there, so either way it will not answer any more.
    fn worker_silent(&self, token: usize) {
        let ticket = token
            .checked_sub(FIRST_WORKER)
            .and_then(|n| Ticket::try_from(n).ok());
        if let Some(fate) = ticket.and_then(|ticket| self.watch.fate(ticket)) {
            if holds_message(&fate.alive) {
                fate.set_end(End::Meddled);
            } else {
                fate.set_gone();
            }
        }
    }
}
