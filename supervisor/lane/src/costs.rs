//! What this lane has measured: the time of a branch, per fan-out, and the cost of a hand-over.

use keylane_policy::spread::{ASSUMED_HANDOVER_NS, Figures};
use std::collections::BTreeMap;

/// Moving averages that outlive an execution, so that a warm deployment decides at once.
#[derive(Debug, Default)]
pub(crate) struct Costs {
    branches: BTreeMap<String, u64>,
    handover: Option<u64>,
}

/// A moving average that follows a change within a handful of measurements and is not thrown off
/// by one of them.
fn blend(old: Option<u64>, new: u64) -> u64 {
    match old {
        None => new,
        Some(old) => (old / 4).saturating_mul(3).saturating_add(new / 4),
    }
}

impl Costs {
    /// Notes that a branch of the fan-out at `pointer` took `ns`.
    pub(crate) fn branch(&mut self, pointer: &str, ns: u64) {
        let old = self.branches.get(pointer).copied();
        self.branches.insert(pointer.to_owned(), blend(old, ns));
    }

    /// Notes that a hand-over cost `ns`.
    pub(crate) fn handover(&mut self, ns: u64) {
        self.handover = Some(blend(self.handover, ns));
    }

    /// Whether a hand-over has been measured.
    pub(crate) fn knows_handover(&self) -> bool {
        self.handover.is_some()
    }

    /// The figures for the fan-out at `pointer`.
    pub(crate) fn figures(&self, pointer: &str, remaining: u64, lanes: u64) -> Figures {
        Figures {
            remaining,
            branch_ns: self.branches.get(pointer).copied(),
            lanes,
            handover_ns: self.handover.unwrap_or(ASSUMED_HANDOVER_NS),
        }
    }
}
