//! What became of a worker, as this lane knows it: told by its liveness socket and by the spawner,
//! never by the channel, every byte of which the worker can write.

use keylane_policy::abi::channel::RESPONSE_SEQUENCE_AT;
use keylane_policy::abi::message::Ended;
use keylane_policy::blame::Failure;
use keylane_policy::limit::DENIALS_OF_CAUSE;
use keylane_sys::mapping::Mapping;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How a worker came to its end.
#[derive(Clone, Debug)]
pub(crate) enum End {
    /// It never started.
    Unstarted(Failure),
    /// It ended like this.
    Ended(Ended),
    /// It lives, and wrote to its liveness socket, which ends the belief in it.
    Meddled,
}

/// A worker's fate, shared by the orchestrator, which calls it, and the monitor, which watches it.
#[derive(Debug)]
pub(crate) struct Fate {
    /// The channel, to wake the orchestrator that waits on it.
    pub(crate) mapping: Arc<Mapping>,
    /// This lane's end of the liveness socket: the kernel closes the other one with the worker.
    pub(crate) alive: OwnedFd,
    /// Twice the calls that it has answered, and one more while it has one to answer.
    steps: AtomicU64,
    /// `steps` as the monitor saw it last.
    seen: AtomicU64,
    gone: AtomicBool,
    end: Mutex<Option<End>>,
    told: Condvar,
    denials: Mutex<Vec<String>>,
    denied: Condvar,
}

impl Fate {
    /// The fate of a worker that has just been asked for.
    pub(crate) fn new(mapping: Arc<Mapping>, alive: OwnedFd) -> Fate {
        Fate {
            mapping,
            alive,
            steps: AtomicU64::new(0),
            seen: AtomicU64::new(u64::MAX),
            gone: AtomicBool::new(false),
            end: Mutex::new(None),
            told: Condvar::new(),
            denials: Mutex::default(),
            denied: Condvar::new(),
        }
    }

    /// Notes that the worker has a call to answer, or has answered it.
    pub(crate) fn step(&self) {
        self.steps.fetch_add(1, Ordering::Relaxed);
    }

    /// The calls that the worker has answered, if it has had none since this was asked last.
    pub(crate) fn idle_since_last_look(&self) -> Option<u64> {
        let steps = self.steps.load(Ordering::Relaxed);
        let before = self.seen.swap(steps, Ordering::Relaxed);
        let idle = steps == before && steps.is_multiple_of(2) && !self.is_gone();
        idle.then_some(steps / 2)
    }

    /// Wakes whoever waits for the worker's answer, to look around.
    pub(crate) fn nudge(&self) {
        let _a_hint_only = self.mapping.wake(RESPONSE_SEQUENCE_AT);
    }

    /// Notes a call of the worker that was denied; the first few are kept.
    pub(crate) fn note_denial(&self, denial: String) {
        let mut denials = self.denials.lock().unwrap_or_else(PoisonError::into_inner);
        if denials.len() < DENIALS_OF_CAUSE {
            denials.push(denial);
        }
        self.denied.notify_all();
    }

    /// Forgets what was denied: a new call begins.
    pub(crate) fn forget_denials(&self) {
        let mut denials = self.denials.lock().unwrap_or_else(PoisonError::into_inner);
        denials.clear();
    }

    /// What was denied since; waits at most `patience` for the first. The spawner told it before the
    /// worker knew, but the monitor may not have read it yet.
    pub(crate) fn denials(&self, patience: Duration) -> Vec<String> {
        let denials = self.denials.lock().unwrap_or_else(PoisonError::into_inner);
        let (denials, _timed_out) = self
            .denied
            .wait_timeout_while(denials, patience, |denials| denials.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        denials.clone()
    }

    /// Whether the worker will not answer any more.
    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// Notes that the worker is gone and wakes whoever waits for its answer. The wake may come
    /// before the wait; that wait is bounded and looks again.
    pub(crate) fn set_gone(&self) {
        self.gone.store(true, Ordering::Release);
        self.nudge();
    }

    /// Notes how the worker ended.
    pub(crate) fn set_end(&self, end: End) {
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
        self.told.notify_all();
        self.set_gone();
    }

    /// How the worker ended, if somebody tells within `patience`.
    pub(crate) fn end(&self, patience: Duration) -> Option<End> {
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        let (end, _timed_out) = self
            .told
            .wait_timeout_while(end, patience, |end| end.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        end.clone()
    }
}
