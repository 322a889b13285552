//! What the monitor hands to the orchestrator, in order of arrival.

use keylane_policy::abi::message::ToLane;
use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A message of the front.
#[derive(Debug)]
pub(crate) struct Letter {
    /// The message.
    pub(crate) message: ToLane,
    /// The body that came with it.
    pub(crate) body: Option<OwnedFd>,
    /// When the monitor saw it.
    pub(crate) at: Instant,
}

/// The queue between the two threads of a lane.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    letters: Mutex<VecDeque<Letter>>,
    arrived: Condvar,
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Letter>> {
        // A panic of the other thread leaves a whole queue: pushes and pops do not tear.
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a letter and wakes the orchestrator.
    pub(crate) fn put(&self, letter: Letter) {
        self.lock().push_back(letter);
        self.arrived.notify_one();
    }

    /// The oldest letter, if there is one.
    pub(crate) fn try_take(&self) -> Option<Letter> {
        self.lock().pop_front()
    }

    /// The oldest letter, waiting for one at most until `deadline`.
    pub(crate) fn take(&self, deadline: Option<Instant>) -> Option<Letter> {
        let mut letters = self.lock();
        loop {
            if let Some(letter) = letters.pop_front() {
                return Some(letter);
            }
            let patience = match deadline {
                Some(at) => at.checked_duration_since(Instant::now())?,
                None => Duration::from_secs(3600),
            };
            letters = self
                .arrived
                .wait_timeout(letters, patience)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}
