//! What the monitor hands to the orchestrator, in order of arrival.

use keylane_policy::abi::message::{LaneId, LoanId, ToLane};
use std::collections::{BTreeSet, VecDeque};
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
    /// Loans, by number and lender, whose results nobody wants.
    recalled: Mutex<BTreeSet<(LoanId, LaneId)>>,
    /// The execution that is to end.
    cancelled: Mutex<Option<u64>>,
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

    /// Notes that nobody wants the results of a loan any more.
    pub(crate) fn recall(&self, loan: LoanId, from: LaneId) {
        self.recalls().insert((loan, from));
    }

    /// Whether nobody wants the results of a loan any more.
    pub(crate) fn is_recalled(&self, loan: LoanId, from: LaneId) -> bool {
        self.recalls().contains(&(loan, from))
    }

    /// Forgets a loan that is repaid, and those of the lender before it: it counts its loans, and they are
    /// served in order. One that is recalled after it was repaid is remembered until the next.
    pub(crate) fn forget_recall(&self, loan: LoanId, from: LaneId) {
        self.recalls()
            .retain(|(other, lender)| *lender != from || *other > loan);
    }

    fn recalls(&self) -> MutexGuard<'_, BTreeSet<(LoanId, LaneId)>> {
        self.recalled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that an execution is to end.
    pub(crate) fn cancel(&self, execution: u64) {
        *self.cancelled() = Some(execution);
    }

    /// Whether this execution is to end.
    pub(crate) fn is_cancelled(&self, execution: u64) -> bool {
        *self.cancelled() == Some(execution)
    }

    fn cancelled(&self) -> MutexGuard<'_, Option<u64>> {
        self.cancelled
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
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
