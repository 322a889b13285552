//! Rounds: looking after functions' processes, whatever anybody says.
//!
//! What a worker leaves behind is ended when the worker has ended; once a second everything else
//! that has lost its parent is ended as well, which also finds what was on its way out before.

use super::Spawner;
use crate::sweep::Swept;
use keylane_policy::abi::message::FunctionId;
use std::time::{Duration, Instant};

/// The pause before a function whose processes did not all end in one turn is swept again.
const AGAIN: Duration = Duration::from_millis(10);
/// Time between two rounds.
const ROUND: Duration = Duration::from_secs(1);

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
        for zygote in self.zygotes.values_mut() {
            if zygote.sweep_at <= now {
                let pause = match zygote.sweep() {
                    Swept::Clean | Swept::Ended => ROUND,
                    Swept::Unfinished => AGAIN,
                };
                zygote.sweep_at = now.checked_add(pause).unwrap_or(now);
            }
        }
    }
}
