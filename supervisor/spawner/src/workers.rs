//! Workers as the spawner knows them: whose they are, and a pidfd once the kernel has named them.

use crate::burn::Burn;
use keylane_policy::abi::message::{FunctionId, LaneId, Ticket};
use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// A worker between the lane's wish and its end.
#[derive(Debug)]
pub(crate) struct Worker {
    /// The lane that asked for it.
    pub(crate) lane: LaneId,
    /// The lane's number for it.
    pub(crate) ticket: Ticket,
    /// Its function.
    pub(crate) function: FunctionId,
    /// When the lane asked for it.
    pub(crate) asked: Instant,
    /// Its pidfd, opened by that number.
    pub(crate) pidfd: Option<OwnedFd>,
    /// Its processor time while it was idle.
    pub(crate) burn: Burn,
    /// When its lane said last that it had nothing to do.
    pub(crate) idle: Option<Instant>,
    /// Its process number, from the same message.
    pub(crate) process: Option<i32>,
    /// The lane asked for its end before it was known.
    pub(crate) doomed: bool,
    /// When its pidfd said that it is gone.
    pub(crate) gone_at: Option<Instant>,
}

/// All workers, by the spawner's own number.
#[derive(Debug, Default)]
pub(crate) struct Workers {
    next: u64,
    all: BTreeMap<u64, Worker>,
}

impl Workers {
    /// Notes a wish and numbers it.
    pub(crate) fn expect(&mut self, lane: LaneId, ticket: Ticket, function: FunctionId) -> u64 {
        let serial = self.next;
        self.next = self.next.wrapping_add(1);
        let worker = Worker {
            lane,
            ticket,
            function,
            asked: Instant::now(),
            pidfd: None,
            burn: Burn::default(),
            idle: None,
            process: None,
            doomed: false,
            gone_at: None,
        };
        self.all.insert(serial, worker);
        serial
    }

    /// The worker that `function`'s zygote calls `serial`: a zygote cannot speak of another's.
    pub(crate) fn of_zygote(&mut self, function: FunctionId, serial: u64) -> Option<&mut Worker> {
        self.all
            .get_mut(&serial)
            .filter(|worker| worker.function == function)
    }

    /// The worker that `lane` calls `ticket`: a lane cannot speak of another's.
    pub(crate) fn of_lane(&mut self, lane: LaneId, ticket: Ticket) -> Option<(u64, &mut Worker)> {
        self.all
            .iter_mut()
            .find(|(_, worker)| worker.lane == lane && worker.ticket == ticket)
            .map(|(serial, worker)| (*serial, worker))
    }

    /// The lane and ticket of the worker of `function` that is this process.
    pub(crate) fn of_process(
        &self,
        function: FunctionId,
        process: i32,
    ) -> Option<(LaneId, Ticket)> {
        self.all
            .values()
            .find(|worker| worker.function == function && worker.process == Some(process))
            .map(|worker| (worker.lane, worker.ticket))
    }

    /// How many workers of a function a lane has, and how many of them have not said a word.
    pub(crate) fn count(&self, lane: LaneId, function: FunctionId) -> (usize, usize) {
        self.all
            .values()
            .filter(|worker| worker.lane == lane && worker.function == function)
            .fold((0, 0), |(all, silent), worker| {
                let more = usize::from(worker.pidfd.is_none());
                (all.saturating_add(1), silent.saturating_add(more))
            })
    }

    /// The worker with this number.
    pub(crate) fn get(&self, serial: u64) -> Option<&Worker> {
        self.all.get(&serial)
    }

    /// The worker with this number, to note something about it.
    pub(crate) fn get_mut(&mut self, serial: u64) -> Option<&mut Worker> {
        self.all.get_mut(&serial)
    }

    /// Workers whose end nobody has explained yet, and since when.
    pub(crate) fn gone(&self) -> impl Iterator<Item = (u64, Instant)> {
        self.all
            .iter()
            .filter_map(|(serial, worker)| Some((*serial, worker.gone_at?)))
    }

    /// Whether a worker of `function` may have a call: its lane has not said otherwise for `patience`.
    pub(crate) fn answers(&self, function: FunctionId, patience: Duration) -> bool {
        let of_function = self.all.values().filter(|w| w.function == function);
        of_function
            .filter(|worker| worker.process.is_some())
            .any(|worker| worker.idle.is_none_or(|at| at.elapsed() > patience))
    }

    /// The processes of a function's workers that have said who they are.
    pub(crate) fn pids_of(&self, function: FunctionId) -> BTreeSet<i32> {
        let of_function = self.all.values().filter(|w| w.function == function);
        of_function.filter_map(|worker| worker.process).collect()
    }

    /// Forgets a worker.
    pub(crate) fn remove(&mut self, serial: u64) -> Option<Worker> {
        self.all.remove(&serial)
    }

    /// Forgets all workers of a function, whose zygote is gone.
    pub(crate) fn remove_function(&mut self, function: FunctionId) -> Vec<(u64, Worker)> {
        self.all
            .extract_if(.., |_, worker| worker.function == function)
            .collect()
    }

    /// The numbers of a lane's workers.
    pub(crate) fn serials_of_lane(&self, lane: LaneId) -> Vec<u64> {
        self.all
            .iter()
            .filter(|(_, w)| w.lane == lane)
            .map(|(serial, _)| *serial)
            .collect()
    }
}
