//! The lane's workers: one for each function, forked when first called and kept; or, where each call
//! gets a fresh one, a few that wait for the next calls and have seen none.

use crate::fate::Fate;
use crate::monitor::{Spawner, Watch};
use crate::worker::{CallFault, Until, Worker};
use keylane_policy::abi::channel::{Geometry, ResponseKind};
use keylane_policy::abi::message::{FunctionEntry, FunctionId, LaneToSpawner, Ticket};
use std::collections::VecDeque;
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
    /// Workers that can be called: the warm one, or those that have seen no request.
    ready: VecDeque<Worker>,
    /// The fate of the worker that was called last.
    last: Option<Arc<Fate>>,
    /// A worker that was ended after its call, and is still listened to.
    retired: Option<Ticket>,
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
            ready: VecDeque::new(),
            last: None,
            retired: None,
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

    /// Calls `function` as long as `until` says, or until `unwanted` says that nobody needs the
    /// answer. A worker that fails in any way is ended, and so is one that has answered where each
    /// call gets a fresh one.
    pub(crate) fn call(
        &mut self,
        function: FunctionId,
        request: &[u8],
        until: Until,
        unwanted: &mut dyn FnMut() -> bool,
    ) -> Result<(ResponseKind, Vec<u8>), CallFault> {
        let index = usize::from(function);
        let mut worker = self.take(index).map_err(CallFault::System)?;
        if let Err(fault) = worker.post(request, until.deadline_clock_ns) {
            match fault {
                // It was never posted: the worker has not seen a request.
                CallFault::TooLarge(..) => self.put_back(index, worker),
                _ => self.end(&worker),
            }
            return Err(fault);
        }
        if let Some(place) = self.places.get_mut(index) {
            place.last = Some(Arc::clone(&worker.fate));
        }
        // While the worker is busy, the next ones are forked. What cannot be forked now is asked for again by
        // the call that needs it.
        let _later = self.refill(index);
        let answer = worker.answer(until, unwanted);
        let keep = self
            .places
            .get(index)
            .is_some_and(|place| place.entry.reuse.keeps_workers());
        // Every fault leaves a worker that may still answer the old request.
        if answer.is_ok() && keep {
            self.put_back(index, worker);
        } else {
            self.retire(index, &worker);
        }
        answer
    }

    /// Calls that the worker of `function` was denied while it answered last.
    pub(crate) fn denials(&self, function: FunctionId) -> Vec<String> {
        let place = self.places.get(usize::from(function));
        let last = place.and_then(|place| place.last.as_ref());
        last.map_or_else(Vec::new, |fate| fate.denials(TOLD))
    }

    /// Sees to it that every function has the workers ready that it is to have.
    pub(crate) fn prepare(&mut self) -> io::Result<()> {
        (0..self.places.len()).try_for_each(|index| self.refill(index))
    }

    /// A worker that can be called. If none is ready, one is asked for; the request can be posted at
    /// once, and the worker finds it when it runs.
    fn take(&mut self, index: usize) -> io::Result<Worker> {
        while let Some(worker) = self.places.get_mut(index).and_then(|p| p.ready.pop_front()) {
            if !worker.fate.is_gone() {
                return Ok(worker);
            }
            self.end(&worker);
        }
        self.order(index)
    }

    fn put_back(&mut self, index: usize, worker: Worker) {
        if let Some(place) = self.places.get_mut(index) {
            place.ready.push_front(worker);
        }
    }

    /// Asks for the workers that are to be ready and are not.
    fn refill(&mut self, index: usize) -> io::Result<()> {
        let Some(place) = self.places.get_mut(index) else {
            return Ok(());
        };
        let known = std::mem::take(&mut place.ready).into_iter();
        let (dead, ready): (VecDeque<_>, VecDeque<_>) =
            known.partition(|worker| worker.fate.is_gone());
        place.ready = ready;
        let missing = usize::from(place.entry.spares).saturating_sub(place.ready.len());
        dead.iter().for_each(|worker| self.end(worker));
        for _ in 0..missing {
            let worker = self.order(index)?;
            if let Some(place) = self.places.get_mut(index) {
                place.ready.push_back(worker);
            }
        }
        Ok(())
    }

    /// Asks for a worker.
    fn order(&mut self, index: usize) -> io::Result<Worker> {
        let unknown = || io::Error::other("a function that was not deployed");
        let ticket = self.next_ticket;
        let function = FunctionId::try_from(index).map_err(io::Error::other)?;
        let place = self.places.get_mut(index).ok_or_else(unknown)?;
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
        Ok(worker)
    }

    /// Ends a worker after its call; what the spawner says of that call may still be on its way.
    fn retire(&mut self, index: usize, worker: &Worker) {
        self.kill(worker.ticket);
        let place = self.places.get_mut(index);
        if let Some(before) = place.and_then(|place| place.retired.replace(worker.ticket)) {
            self.watch.remove(before);
        }
    }

    fn end(&self, worker: &Worker) {
        self.kill(worker.ticket);
        self.watch.remove(worker.ticket);
    }

    fn kill(&self, ticket: Ticket) {
        // If the spawner is gone, so is the worker: it dies with its zygote.
        let _gone_is_fine = self.spawner.send(&LaneToSpawner::Kill { ticket }, &[]);
    }
}
