//! What lanes say: they want a worker, or the end of one. A lane may have been taken over: it speaks
//! of its own workers alone, and of a bounded number.

use super::{Source, Spawner, TURN, bug};
use keylane_policy::abi::message::{
    FromSpawner, FunctionId, LaneId, LaneToSpawner, SpawnerToLane, ToZygote, Who,
};
use keylane_policy::blame::{Blame, Failure};
use keylane_sys::link::Incoming;
use keylane_sys::{jail, process};
use std::io;
use std::os::fd::{AsFd, OwnedFd};

/// Workers that one lane may wait for in vain before a zygote is not asked any more. The lane has one
/// at a time: each of these is one that it has given up.
const SILENT: usize = 8;

/// Workers of one function that one lane may have, most of them about to end. Each holds a
/// descriptor here.
const WORKERS: usize = 32;

impl Spawner {
    pub(super) fn hear_lane(&mut self, lane: LaneId) {
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
                    LaneToSpawner::Idle { ticket, calls } => self.idle(lane, ticket, calls),
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

    /// Tells a lane what it can do without: if it does not read, it is not told.
    pub(super) fn mention(&self, lane: LaneId, message: &SpawnerToLane) {
        if let Some(known) = self.lanes.get(&lane) {
            let _may_be_lost = known.link.try_send(message, &[]);
        }
    }

    pub(super) fn tell_lane(&mut self, lane: LaneId, message: &SpawnerToLane) {
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
        let doing = match self.names.get(&function) {
            Some(name) => format!("starting a worker of function {name:?}"),
            None => {
                format!("starting a worker of function number {function}, which is not deployed")
            }
        };
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
        let Some(zygote) = self.zygotes.get_mut(&function) else {
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
        zygote.orders = zygote.orders.wrapping_add(1);
        let sent = zygote.link.try_send(&order, &passed);
        sent.map_err(|error| {
            let cause = format!("its zygote does not answer: {error}");
            Failure::new(Blame::Function, &doing, cause)
        })?;
        let who = Who::Worker(lane, function);
        self.tell_front(&FromSpawner::Output { who }, &[out.as_fd(), err.as_fd()]);
        Ok(())
    }

    pub(super) fn kill_worker(&mut self, lane: LaneId, ticket: u32) {
        if let Some((_, worker)) = self.workers.of_lane(lane, ticket) {
            match &worker.pidfd {
                Some(pidfd) => {
                    let _gone_is_fine = process::signal(pidfd.as_fd(), 9);
                }
                None => worker.doomed = true,
            }
        }
    }
}
