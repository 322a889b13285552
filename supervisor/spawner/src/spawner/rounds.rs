//! Rounds: looking after functions' processes, whatever anybody says.
//!
//! What a worker leaves behind is ended when the worker has ended; once a second everything else
//! that has lost its parent is ended as well, which also finds what was on its way out before. What
//! burns processor time with nothing to do is ended, and the operator is told (threats.md D8).

use super::Spawner;
use crate::session;
use keylane_policy::abi::message::{FromSpawner, FunctionId, LaneId, Ticket};
use keylane_policy::limit::LOAD_MILLISECONDS;
use keylane_policy::reuse::Reuse;
use keylane_sys::process;
use std::collections::BTreeSet;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// The pause before a function whose processes did not all end in one turn is swept again.
const AGAIN: Duration = Duration::from_millis(10);
/// Time between two rounds.
const ROUND: Duration = Duration::from_secs(1);
/// A worker of which its lane has said nothing for this long may have a call: lanes tell once a second
/// which have none.
const TOLD: Duration = Duration::from_secs(2);
/// The time that a worker which imports for itself may be busy with that: so many times what the trial
/// of the import took, but at least [`LEAST_IMPORT`] and at most what an import may take at all.
const IMPORTS: u32 = 10;
/// For imports that take next to nothing, on a host that is busy when workers import.
const LEAST_IMPORT: Duration = Duration::from_secs(10);

impl Spawner {
    /// A worker of `function` has ended: what it left behind is ended in this turn.
    pub(super) fn sweep_soon(&mut self, function: FunctionId) {
        if let Some(zygote) = self.zygotes.get_mut(&function) {
            zygote.sweep_at = Instant::now();
        }
    }

    /// When a function is to be looked after next.
    pub(super) fn next_round(&self) -> Option<Instant> {
        self.zygotes.values().map(|zygote| zygote.sweep_at).min()
    }

    /// Looks after the functions that are due.
    pub(super) fn round(&mut self) {
        let now = Instant::now();
        if self.next_round().is_none_or(|at| at > now) {
            return;
        }
        let known = self.known();
        let mut burning = Vec::new();
        for (function, zygote) in &mut self.zygotes {
            if zygote.sweep_at > now {
                continue;
            }
            let pause = if zygote.sweep(&known).unfinished {
                AGAIN
            } else {
                ROUND
            };
            zygote.sweep_at = now.checked_add(pause).unwrap_or(now);
            // A sweep after a worker's end may come at any time, and a measurement needs a while.
            if zygote.measured_at.elapsed() >= ROUND {
                zygote.measured_at = now;
                let answering = self.workers.answers(*function, TOLD);
                if zygote.burns(&self.workers.pids_of(*function), answering) {
                    zygote.kill();
                    burning.push(*function);
                }
            }
        }
        for function in burning {
            self.notice(
                function,
                "its zygote, which has nothing to do but to fork, or what was left behind while there \
                 was no call, used the processor for seconds and was ended; its workers ended with it",
            );
        }
    }

    /// A lane says that a worker of its own has nothing to do. If it is at work all the same, it is
    /// ended: the next call gets another.
    pub(super) fn idle(&mut self, lane: LaneId, ticket: Ticket, calls: u64) {
        let Some((_, worker)) = self.workers.of_lane(lane, ticket) else {
            return;
        };
        worker.idle = Some(Instant::now());
        let (Some(pidfd), Some(pid), Some(zygote)) = (
            &worker.pidfd,
            worker.process,
            self.zygotes.get(&worker.function),
        ) else {
            return;
        };
        let imports = zygote.spec.reuse == Reuse::FreshImport && calls == 0;
        let trial = self.imports.get(&worker.function).copied();
        if imports && worker.asked.elapsed() < import_time(trial) {
            return;
        }
        let ticks = session::ticks(&session::trees(&[pid], &BTreeSet::new()));
        if worker.burn.note(calls, ticks, Instant::now()) {
            let _gone_is_fine = process::signal(pidfd.as_fd(), 9);
            let function = worker.function;
            self.notice(
                function,
                "a worker used the processor for seconds while it had no call, and was ended with \
                 what it kept in memory; mend what the function leaves running when it returns",
            );
        }
    }

    /// Notes how long the trial of a function's import took.
    pub(super) fn note_import(&mut self, function: FunctionId, took: Duration) {
        self.imports.insert(function, took);
    }

    fn notice(&mut self, function: FunctionId, text: &str) {
        let text = text.to_owned();
        self.tell_front(&FromSpawner::Notice { function, text }, &[]);
    }
}

/// How long a worker may be at its import, whose trial took that long.
fn import_time(trial: Option<Duration>) -> Duration {
    let most = Duration::from_millis(LOAD_MILLISECONDS);
    trial.map_or(most, |took| {
        took.saturating_mul(IMPORTS).max(LEAST_IMPORT).min(most)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_may_take_a_multiple_of_its_trial_within_bounds() {
        let seconds = Duration::from_secs;
        assert_eq!(import_time(Some(Duration::ZERO)), LEAST_IMPORT);
        assert_eq!(import_time(Some(seconds(3))), seconds(30));
        assert_eq!(import_time(Some(Duration::MAX)), seconds(180));
        assert_eq!(import_time(None), seconds(180));
    }
}
