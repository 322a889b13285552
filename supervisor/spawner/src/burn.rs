//! Whether something that has nothing to do is at work all the same.
//!
//! A function may leave threads and processes behind that burn processor time between calls, for
//! itself or to starve others. Pure: the numbers come from /proc, and a tenant decides them only by
//! really using that time.

use crate::session::TICK;
use std::time::{Duration, Instant};

/// Hundredths of a processor that an instance may use while it has nothing to do: room for timers and
/// collectors of honest functions, and less than a loop gets on a host that is busy with others.
const SHARE_PERCENT: u32 = 5;
/// Measurements in a row that must exceed the share: one may be late or catch the end of a call.
const IN_A_ROW: u8 = 3;

/// The last measurement of one instance.
#[derive(Clone, Debug, Default)]
pub(crate) struct Burn {
    last: Option<Measured>,
    over: u8,
}

#[derive(Clone, Copy, Debug)]
struct Measured {
    mark: u64,
    ticks: u64,
    at: Instant,
}

impl Burn {
    /// Notes that the instance has used `ticks` of processor time in all and stood at `mark`, a
    /// number that changes whenever it is given work; whether it burns.
    pub(crate) fn note(&mut self, mark: u64, ticks: u64, at: Instant) -> bool {
        let before = self.last.replace(Measured { mark, ticks, at });
        let over = before.is_some_and(|before| {
            let used = u32::try_from(ticks.saturating_sub(before.ticks)).unwrap_or(u32::MAX);
            let passed = at.saturating_duration_since(before.at);
            before.mark == mark && TICK.saturating_mul(used) > allowed(passed)
        });
        self.over = if over { self.over.saturating_add(1) } else { 0 };
        self.over >= IN_A_ROW
    }
}

fn allowed(passed: Duration) -> Duration {
    passed.saturating_mul(SHARE_PERCENT) / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether an instance burns that uses so many ticks in each second, and is given work in those
    /// seconds of which `works` holds.
    fn burns(ticks: u64, works: impl Fn(u64) -> bool) -> bool {
        let (mut burn, start) = (Burn::default(), Instant::now());
        let mut mark = 0;
        (0..10).any(|second| {
            mark += u64::from(works(second));
            burn.note(mark, second * ticks, start + Duration::from_secs(second))
        })
    }

    #[test]
    fn an_instance_burns_that_is_at_work_without_work() {
        assert!(burns(100, |_| false));
        assert!(burns(6, |_| false));
    }

    #[test]
    fn timers_and_collectors_do_not_burn() {
        assert!(!burns(4, |_| false));
        assert!(!burns(0, |_| false));
    }

    #[test]
    fn an_instance_that_is_given_work_does_not_burn() {
        assert!(!burns(100, |second| second % 3 == 0));
    }
}
