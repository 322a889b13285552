//! What became of a worker, as this lane knows it: told by its liveness socket and by the spawner,
//! never by the channel, every byte of which the worker can write.

use keylane_policy::abi::channel::RESPONSE_SEQUENCE_AT;
use keylane_policy::abi::message::Ended;
use keylane_policy::blame::Failure;
use keylane_sys::mapping::Mapping;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
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
    gone: AtomicBool,
    end: Mutex<Option<End>>,
    told: Condvar,
}

impl Fate {
    /// The fate of a worker that has just been asked for.
    pub(crate) fn new(mapping: Arc<Mapping>, alive: OwnedFd) -> Fate {
        Fate {
            mapping,
            alive,
            gone: AtomicBool::new(false),
            end: Mutex::new(None),
            told: Condvar::new(),
        }
    }

    /// Whether the worker will not answer any more.
    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// Notes that the worker is gone and wakes whoever waits for its answer. The wake may come
    /// before the wait; that wait is bounded and looks again.
    pub(crate) fn set_gone(&self) {
        self.gone.store(true, Ordering::Release);
        let _a_hint_only = self.mapping.wake(RESPONSE_SEQUENCE_AT);
    }

    /// Notes how the worker ended.
    pub(crate) fn set_end(&self, end: End) {
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
        self.told.notify_all();
        self.set_gone();
    }

    /// How the worker ended; waits at most `patience` for somebody to tell.
    pub(crate) fn end(&self, patience: Duration) -> End {
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        let (end, _timed_out) = self
            .told
            .wait_timeout_while(end, patience, |end| end.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        end.clone().unwrap_or(End::Ended(Ended::Unknown))
    }
}
