//! Ends: of lanes, workers and zygotes, by themselves, by a deadline, and of everything.

use super::{Source, Spawner};
use crate::workers::Worker;
use crate::zygotes::Zygote;
use keylane_policy::abi::message::{Ended, FromSpawner, FunctionId, LaneId, SpawnerToLane, Who};
use keylane_policy::blame::{Blame, Failure};
use keylane_policy::limit;
use keylane_sys::process;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// How often a function's zygote is started again in a deployment. A zygote that ends after it has
/// loaded was killed or ended itself; one that keeps doing so is left alone, and its function fails.
const RESTARTS: u32 = 8;

/// How long a zygote may take to tell how a worker ended.
const TELL: Duration = Duration::from_millis(100);

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
    pub(super) fn lane_ended(&mut self, lane: LaneId) {
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

    /// The worker's pidfd says that it is gone. How it ended only its zygote can tell, and usually
    /// does at once; [`TELL`] later its end is told without.
    pub(super) fn worker_gone(&mut self, serial: u64) {
        if let Some(worker) = self.workers.get_mut(serial) {
            let function = worker.function;
            let first = worker.gone_at.is_none();
            worker.gone_at.get_or_insert_with(Instant::now);
            self.sweep_soon(function);
            if first {
                self.note_end(function);
            }
        }
    }

    /// Notes that a worker of `function` ends: its processor time will come to its zygote, which reaps it.
    fn note_end(&mut self, function: FunctionId) {
        if let Some(zygote) = self.zygotes.get_mut(&function) {
            zygote.orders = zygote.orders.wrapping_add(1);
        }
    }

    pub(super) fn worker_ended(&mut self, serial: u64, how: Ended) {
        if let Some(Worker {
            lane,
            ticket,
            function,
            pidfd,
            ..
        }) = self.workers.remove(serial)
        {
            self.ready.forget(Source::WorkerEnd(serial));
            // It may have been said of one that lives: nobody could end that one any more.
            if let Some(pidfd) = pidfd {
                let _gone_is_fine = process::signal(pidfd.as_fd(), 9);
            }
            self.sweep_soon(function);
            self.note_end(function);
            // A kill is told as what it was for.
            let killed = matches!(how, Ended::Signaled(9) | Ended::Unknown);
            let zygote = self.zygotes.get(&function);
            let how = if killed && zygote.is_some_and(Zygote::ran_out_of_memory) {
                Ended::OutOfMemory
            } else {
                how
            };
            self.tell_lane(lane, &SpawnerToLane::WorkerEnded { ticket, how });
        }
    }

    pub(super) fn fail_zygote(&mut self, function: FunctionId, failure: Failure) {
        if let Some(zygote) = self.zygotes.get_mut(&function) {
            zygote.failed = true;
            zygote.kill();
            self.tell_front(&FromSpawner::ZygoteFailed { function, failure }, &[]);
        }
    }

    pub(super) fn zygote_ended(&mut self, function: FunctionId) {
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
        let Some(mut zygote) = self.zygotes.remove(&function) else {
            return;
        };
        let mut how = reap(&zygote.leader);
        let mut workers = Ended::Unknown;
        if zygote.ran_out_of_memory() {
            (how, workers) = (Ended::OutOfMemory, Ended::OutOfMemory);
        }
        self.left.extend(zygote.group.take());
        self.ready.forget(Source::Zygote(function));
        self.ready.forget(Source::ZygoteEnd(function));
        self.forget_ear(function);
        for (serial, worker) in self.workers.remove_function(function) {
            self.ready.forget(Source::WorkerEnd(serial));
            let ticket = worker.ticket;
            self.tell_lane(
                worker.lane,
                &SpawnerToLane::WorkerEnded {
                    ticket,
                    how: workers,
                },
            );
        }
        if zygote.trial && zygote.loaded && !zygote.failed {
            // Nothing of the trial is left, and its user is the function's.
            self.start_zygote_as(function, &zygote.spec, false, zygote.user);
            return;
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
            self.start_zygote(function, &zygote.spec, false);
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let loads = self.zygotes.values().filter_map(Zygote::load_deadline);
        let told = self
            .workers
            .gone()
            .filter_map(|(_, at)| at.checked_add(TELL));
        let resumed = self.next_resume();
        loads
            .chain(told)
            .chain(resumed)
            .chain(self.next_round())
            .min()
    }

    pub(super) fn check_deadlines(&mut self) {
        let now = Instant::now();
        self.resume_ears(now);
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

    pub(super) fn end_everything(&mut self) {
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
        if let Some(groups) = &self.groups {
            groups.end();
        }
        if let Some(stage) = &self.stage {
            // The front removes it as well when it ends in order; whoever comes second finds none.
            let _maybe_gone = std::fs::remove_dir_all(stage);
        }
    }
}
