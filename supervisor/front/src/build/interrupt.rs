//! A signal that ends a build: the builder cleans up and tells, instead of dying where it stands.

use keylane_policy::blame::{Blame, Failure};
use keylane_sys::signal::Signals;
use std::cell::Cell;

/// Catches SIGINT, SIGTERM and SIGHUP from its making on. They stay blocked afterwards: one that comes
/// then is found by who catches them next (a deployment), or finds the process at its end.
#[derive(Debug)]
pub(super) struct Interrupt {
    signals: Signals,
    seen: Cell<Option<i32>>,
}

impl Interrupt {
    pub(super) fn catch() -> Result<Interrupt, Failure> {
        let signals = Signals::catch().map_err(|error| {
            let cause = format!("catching signals: {error}");
            Failure::new(Blame::Host, "building", cause)
        })?;
        Ok(Interrupt {
            signals,
            seen: Cell::new(None),
        })
    }

    /// An error from the first signal on.
    pub(super) fn look(&self) -> Result<(), Failure> {
        if self.seen.get().is_none() {
            self.seen.set(self.signals.next());
        }
        match self.seen.get() {
            None => Ok(()),
            Some(number) => {
                let cause = format!("signal {number} ended it");
                Err(Failure::new(Blame::Operator, "building", cause))
            }
        }
    }

    /// The signal that ended the build, if one did.
    pub(super) fn seen(&self) -> Option<i32> {
        self.seen.get()
    }
}
