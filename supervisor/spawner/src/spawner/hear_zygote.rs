//! What zygotes and workers say over the socket that they share. All of it is the word of a tenant's
//! code: it counts for its own function, and who sent it is the kernel's word.

use super::{Source, Spawner, TURN, bug};
use crate::zygotes;
use keylane_policy::abi::message::{FromSpawner, FromZygote, FunctionId, SpawnerToLane};
use keylane_policy::blame::{Blame, Failure};
use keylane_sys::link::{Incoming, Received};
use keylane_sys::process;
use std::io;
use std::os::fd::AsFd;

impl Spawner {
    pub(super) fn hear_zygote(&mut self, function: FunctionId) {
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
                if zygote.trial {
                    // It has shown what it was for; its end starts the one that forks.
                    zygote.kill();
                    let took = zygote.started.elapsed();
                    self.note_import(function, took);
                    return;
                }
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
            FromZygote::Listener => self.listen(function, got.sender, got.descriptors),
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
        worker.process = Some(pid);
        if let Some(core) = self.lanes.get(&lane).and_then(|lane| lane.core) {
            // A worker that runs elsewhere is slower, not wrong.
            let _slower = process::bind_to_core(pid, core);
        }
        if watched.is_ok() {
            self.tell_lane(lane, &SpawnerToLane::WorkerUp { ticket });
        }
    }
}
