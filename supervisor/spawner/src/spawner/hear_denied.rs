//! What instances may not do: a denied call waits for its answer, which is EPERM. Before that its record
//! goes to the front and to the lane whose worker it was, so that both have it when the call's error
//! reaches them.

use super::{Source, Spawner};
use crate::ears::{Ear, TICK};
use crate::session;
use keylane_policy::abi::message::{FromSpawner, FunctionId, SpawnerToLane};
use keylane_policy::denial::{Denial, Notice, Pointed, pointer};
use keylane_policy::limit::DENIED_BYTES;
use keylane_policy::syscall::Scene;
use keylane_sys::denied::{self, Denied, Listener, Told};
use std::os::fd::OwnedFd;
use std::time::Instant;

impl Spawner {
    /// The jail of a function sends its listener. It comes from the process above the zygote, which
    /// runs no byte of a tenant, before there is a zygote.
    pub(super) fn listen(
        &mut self,
        function: FunctionId,
        sender: Option<i32>,
        descriptors: Vec<OwnedFd>,
    ) {
        let Some(zygote) = self.zygotes.get(&function) else {
            return;
        };
        if sender != Some(zygote.leader.pid()) || self.ears.contains_key(&function) {
            return;
        }
        let Some(Ok(listener)) = descriptors.into_iter().next().map(Listener::over) else {
            return;
        };
        if self
            .ready
            .watch(&listener, Source::Denied(function))
            .is_ok()
        {
            let ear = Ear::new(listener, Instant::now());
            self.ears.insert(function, ear);
            self.ready.again(Source::Denied(function));
        }
    }

    /// Hears one denied call: one in a turn, so that no other source waits for a flood.
    pub(super) fn hear_denied(&mut self, function: FunctionId) {
        let now = Instant::now();
        let slowed = self.ears.values().filter(|ear| ear.resume.is_some());
        let pause = TICK.saturating_mul(u32::try_from(slowed.count()).unwrap_or(u32::MAX).max(1));
        let Some(ear) = self.ears.get_mut(&function) else {
            return;
        };
        if ear.resume.is_some_and(|at| at > now) {
            return;
        }
        match ear.listener.next() {
            Ok(Told::Call(call)) => {
                let recorded = ear.wants_record(&call, now);
                if ear.is_over_budget(now) {
                    ear.resume = now.checked_add(pause);
                } else {
                    ear.resume = None;
                    self.ready.again(Source::Denied(function));
                }
                if recorded {
                    self.record(function, &call);
                }
                self.tell_counted(function);
                if let Some(ear) = self.ears.get(&function) {
                    // A listener that does not answer any more has nobody who waits.
                    let _gone_is_fine = ear.listener.refuse(&call);
                }
            }
            Ok(Told::Nothing) => ear.resume = None,
            // Without a listener the kernel refuses what it would have told (ENOSYS).
            Ok(Told::Over) | Err(_) => self.forget_ear(function),
        }
    }

    /// Forgets the listener of a function whose zygote is gone.
    pub(super) fn forget_ear(&mut self, function: FunctionId) {
        self.tell_counted(function);
        self.ears.remove(&function);
        self.ready.forget(Source::Denied(function));
    }

    fn record(&mut self, function: FunctionId, call: &Denied) {
        let (Some(zygote), Some(ear)) = (self.zygotes.get(&function), self.ears.get(&function))
        else {
            return;
        };
        let pointed = match pointer(call.number) {
            None => Pointed::Nowhere,
            Some(pointer) => {
                let (address, length) = pointer.target(&call.arguments, DENIED_BYTES);
                denied::peek(call.thread, address, length)
                    .map_or(Pointed::Unreadable, Pointed::Bytes)
            }
        };
        let process = session::process_of(call.thread);
        // Only now is it known that both answers were about the caller, and not about a process that
        // has got its number since.
        if !ear.listener.waits(call) {
            return;
        }
        let notice = Notice {
            number: call.number,
            arguments: call.arguments,
            pointed,
        };
        let (name, groups) = (&zygote.name, &zygote.spec.groups);
        let scene = Scene {
            landlock_abi: self.landlock_abi,
            provisions: self.extras.provisions(&zygote.spec, zygote.group.is_some()),
        };
        let denial = Denial::of(name, groups, scene, &notice);
        let worker = process.and_then(|process| self.workers.of_process(function, process));
        if let Some((lane, ticket)) = worker {
            let denial = denial.clone();
            self.mention(lane, &SpawnerToLane::Denied { ticket, denial });
        }
        let told = FromSpawner::Denied { function, denial };
        if self.front.try_send(&told, &[]).is_err()
            && let Some(ear) = self.ears.get_mut(&function)
        {
            // The front does not read now: what it cannot be told is counted.
            ear.counted = ear.counted.saturating_add(1);
        }
    }

    /// Tells the front how many calls had no record.
    fn tell_counted(&mut self, function: FunctionId) {
        if let Some(ear) = self.ears.get_mut(&function)
            && ear.counted > 0
        {
            let more = FromSpawner::DeniedMore {
                function,
                more: ear.counted,
            };
            if self.front.try_send(&more, &[]).is_ok() {
                ear.counted = 0;
            }
        }
    }

    /// When the next function that is slowed down is listened to again.
    pub(super) fn next_resume(&self) -> Option<Instant> {
        self.ears.values().filter_map(|ear| ear.resume).min()
    }

    /// Listens to those whose pause is over.
    pub(super) fn resume_ears(&mut self, now: Instant) {
        let due: Vec<FunctionId> = self
            .ears
            .iter()
            .filter(|(_, ear)| ear.resume.is_some_and(|at| at <= now))
            .map(|(function, _)| *function)
            .collect();
        for function in due {
            self.hear_denied(function);
        }
    }
}
