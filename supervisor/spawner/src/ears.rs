//! What the spawner hears of a function's denied calls, and how much of that it can stand.
//!
//! One listener for each zygote tells of all its workers, too. A denied call waits until it is
//! answered, so whoever makes many waits often: after [`BURST`] calls the next is heard [`TICK`] later,
//! times the number of functions that are being slowed down, so that all of them together cost what one
//! costs (threats.md P7). Which call gets a record is a second budget: the first of each number, and
//! otherwise [`RECORDS`] a second. All others are counted.
//!
//! An attacker controls: everything that is told, and how often.

use keylane_sys::denied::{Denied, Listener};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Calls that are answered at once, after a time without any.
const BURST: u32 = 64;
/// The pause after each call beyond that.
pub(crate) const TICK: Duration = Duration::from_millis(2);
/// Calls a second that give the burst back.
const REFILL_NANOSECONDS: u64 = 1_000_000_000 / 128;
/// Records at once and in a second.
const RECORDS: u32 = 16;
/// Call numbers that are remembered to have had a record: all that x86_64 has, about.
const NUMBERS: usize = 512;

/// A budget that fills again with time.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: u32,
    most: u32,
    each: Duration,
    since: Instant,
}

impl Bucket {
    fn new(most: u32, each: Duration, now: Instant) -> Bucket {
        Bucket {
            left: most,
            most,
            each,
            since: now,
        }
    }

    fn take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.since).as_nanos();
        let each = self.each.as_nanos().max(1);
        let more = u32::try_from(passed / each).unwrap_or(u32::MAX);
        if more > 0 {
            self.left = self.left.saturating_add(more).min(self.most);
            self.since = now;
        }
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

/// A function's listener with its budgets.
#[derive(Debug)]
pub(crate) struct Ear {
    /// The listener.
    pub(crate) listener: Listener,
    calls: Bucket,
    records: Bucket,
    numbers: BTreeSet<u32>,
    /// When it is listened to again, if that is not now.
    pub(crate) resume: Option<Instant>,
    /// Calls without a record that nobody has been told of.
    pub(crate) counted: u64,
}

impl Ear {
    /// An ear with full budgets.
    pub(crate) fn new(listener: Listener, now: Instant) -> Ear {
        let second = Duration::from_secs(1);
        Ear {
            listener,
            calls: Bucket::new(BURST, Duration::from_nanos(REFILL_NANOSECONDS), now),
            records: Bucket::new(RECORDS, second / RECORDS, now),
            numbers: BTreeSet::new(),
            resume: None,
            counted: 0,
        }
    }

    /// Notes that a call was heard; whether the next one has to wait.
    pub(crate) fn is_over_budget(&mut self, now: Instant) -> bool {
        !self.calls.take(now)
    }

    /// Whether this call gets a record; else it is counted.
    pub(crate) fn wants_record(&mut self, denied: &Denied, now: Instant) -> bool {
        let fresh = self.numbers.len() < NUMBERS && self.numbers.insert(denied.number);
        if fresh || self.records.take(now) {
            return true;
        }
        self.counted = self.counted.saturating_add(1);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_fill_and_then_so_much_a_second() {
        let start = Instant::now();
        let mut bucket = Bucket::new(16, Duration::from_millis(10), start);
        let taken = |bucket: &mut Bucket, at| (0..1000).filter(|_| bucket.take(at)).count();
        assert_eq!(taken(&mut bucket, start), 16);
        assert_eq!(taken(&mut bucket, start + Duration::from_millis(9)), 0);
        assert_eq!(taken(&mut bucket, start + Duration::from_millis(35)), 3);
        assert_eq!(taken(&mut bucket, start + Duration::from_secs(3600)), 16);
    }
}
