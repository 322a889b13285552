//! The lane's warm workers: at most one for each function, forked when first called and kept.

use crate::monitor::{Spawner, Watch};
use crate::worker::{CallFault, Until, Worker};
use keylane_policy::abi::channel::{Geometry, ResponseKind};
use keylane_policy::abi::message::{FunctionEntry, FunctionId, LaneToSpawner, Ticket};
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

/// How long to wait for the words about a denied call whose error is here already.
const TOLD: Duration = Duration::from_millis(20);

/// One function's place in the pool.
#[derive(Debug)]
struct Place {
    entry: FunctionEntry,
    worker: Option<Worker>,
    forks: u64,
}

/// The workers of a lane.
#[derive(Debug)]
pub(crate) struct Pool {
    spawner: Arc<Spawner>,
    watch: Arc<Watch>,
    places: Vec<Place>,
    next_ticket: Ticket,
}

impl Pool {
    /// An empty pool for these functions.
    pub(crate) fn new(
        spawner: Arc<Spawner>,
        watch: Arc<Watch>,
        functions: Vec<FunctionEntry>,
    ) -> Pool {
        let place = |entry| Place {
            entry,
            worker: None,
            forks: 0,
        };
        let places = functions.into_iter().map(place).collect();
        Pool {
            spawner,
            watch,
            places,
            next_ticket: 0,
        }
    }

    /// The function with this number.
    pub(crate) fn function(&self, function: FunctionId) -> Option<&FunctionEntry> {
        self.places
            .get(usize::from(function))
            .map(|place| &place.entry)
    }

    /// Workers forked for each function since the last time this was asked, by number.
    pub(crate) fn take_forks(&mut self) -> Vec<u64> {
        self.places
            .iter_mut()
            .map(|place| std::mem::take(&mut place.forks))
            .collect()
    }

    /// Calls `function`. A worker that fails in any way is ended and its place is free again: the
    /// next call gets a new one.
    pub(crate) fn call(
        &mut self,
        function: FunctionId,
        request: &[u8],
        until: Until,
    ) -> Result<(ResponseKind, Vec<u8>), CallFault> {
        let index = usize::from(function);
        self.fill(index, function).map_err(CallFault::System)?;
        let unknown = || CallFault::System(io::Error::other("a function that was not deployed"));
        let place = self.places.get_mut(index).ok_or_else(unknown)?;
        let worker = place.worker.as_mut().ok_or_else(unknown)?;
        let answer = worker.call(request, until);
        // A request that was too large was never posted; every other fault leaves a worker that
        // may still answer the old request.
        if matches!(&answer, Err(fault) if !matches!(fault, CallFault::TooLarge(..)))
            && let Some(worker) = place.worker.take()
        {
            self.end(&worker);
        }
        answer
    }

    /// Calls that the worker of `function` was denied while it answered last.
    pub(crate) fn denials(&self, function: FunctionId) -> Vec<String> {
        let place = self.places.get(usize::from(function));
        let worker = place.and_then(|place| place.worker.as_ref());
        worker.map_or_else(Vec::new, |worker| worker.fate.denials(TOLD))
    }

    /// Makes sure that the function has a worker: asks for one if it has none. The request can be
    /// posted at once; the worker finds it when it runs.
    fn fill(&mut self, index: usize, function: FunctionId) -> io::Result<()> {
        let ticket = self.next_ticket;
        let Some(place) = self.places.get_mut(index) else {
            return Ok(());
        };
        if place
            .worker
            .as_ref()
            .is_some_and(|worker| !worker.fate.is_gone())
        {
            return Ok(());
        }
        let dead = place.worker.take();
        let geometry = Geometry::with_capacity(place.entry.payload).map_err(io::Error::other)?;
        let (worker, ends) = Worker::prepare(ticket, geometry)?;
        self.watch.add(ticket, &worker.fate)?;
        let wish = LaneToSpawner::Worker {
            ticket,
            function,
            capacity: geometry.capacity(),
        };
        self.spawner
            .send(&wish, &[ends.channel.as_fd(), ends.alive.as_fd()])?;
        self.next_ticket = ticket.wrapping_add(1);
        place.forks = place.forks.saturating_add(1);
        place.worker = Some(worker);
        if let Some(dead) = dead {
            self.end(&dead);
        }
        Ok(())
    }

    fn end(&self, worker: &Worker) {
        let kill = LaneToSpawner::Kill {
            ticket: worker.ticket,
        };
        // If the spawner is gone, so is the worker: it dies with its zygote.
        let _gone_is_fine = self.spawner.send(&kill, &[]);
        self.watch.remove(worker.ticket);
    }
}
