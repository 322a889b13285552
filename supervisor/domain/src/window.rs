//! Where a domain's addresses lie.
//!
//! ```text
//!   region: one window for each key, 4 GiB each, aligned to 4 GiB
//!   window: | guard 1 MiB | slot ............................. | guard 1 MiB |
//!   slot:   | filter, 1 page | what is given ... | heap, never grown yet     |
//! ```
//! Nothing is ever mapped in a guard, so two slots are 2 MiB apart. The upper half of an address is its
//! window's, which is how the filter knows a domain's own words (`keylane_policy::confine`).

use keylane_policy::confine::WINDOW;
use keylane_policy::memory::{PAGE, Pages};

/// Bytes at each end of a window in which nothing is mapped.
const GUARD: u64 = 1 << 20;
/// Bytes at the end of a slot that the ledger sets aside for `brk`.
const HEAP: u64 = 1 << 30;

/// One domain's window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    start: u64,
}

impl Window {
    /// The window of this number in a region that begins at `region`.
    pub(crate) fn of(region: Pages, number: u64) -> Option<Window> {
        let start = region.start().checked_add(number.checked_mul(WINDOW)?)?;
        let whole = Pages::new(start, WINDOW)?;
        region.contains(whole).then_some(Window { start })
    }

    /// Its first address.
    pub(crate) fn start(self) -> u64 {
        self.start
    }

    /// What may be mapped.
    pub(crate) fn slot(self) -> Option<Pages> {
        Pages::new(self.start + GUARD, WINDOW - 2 * GUARD)
    }

    /// The part of the slot for `brk`.
    pub(crate) fn heap(self) -> Option<Pages> {
        let slot = self.slot()?;
        Pages::new(slot.end() - HEAP, HEAP)
    }

    /// The page of the filter.
    pub(crate) fn filter(self) -> Option<Pages> {
        Pages::new(self.slot()?.start(), PAGE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_do_not_touch_and_none_leaves_the_region() {
        let region = Pages::new(WINDOW * 100, WINDOW * 3).unwrap();
        let slots: Vec<Pages> = (0..3)
            .map(|number| Window::of(region, number).unwrap().slot().unwrap())
            .collect();
        for pair in slots.windows(2) {
            assert_eq!(pair[1].start() - pair[0].end(), 2 * GUARD);
        }
        assert!(slots.iter().all(|slot| region.contains(*slot)));
        assert_eq!(Window::of(region, 3), None);
        assert_eq!(Window::of(region, u64::MAX), None);
        let window = Window::of(region, 1).unwrap();
        let slot = window.slot().unwrap();
        assert!(slot.contains(window.heap().unwrap()) && slot.contains(window.filter().unwrap()));
        assert!(
            window
                .heap()
                .unwrap()
                .overlap(window.filter().unwrap())
                .is_none()
        );
    }
}
