//! What a function learns about its call.

#![expect(unsafe_code, reason = "asks for the time")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// What a function learns about its call.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    function_name: &'a str,
    deadline_ns: u64,
    response_limit: u64,
    heartbeat: Option<&'a AtomicU32>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(
        function_name: &'a str,
        deadline_ns: u64,
        response_limit: u64,
        heartbeat: Option<&'a AtomicU32>,
    ) -> Self {
        Context {
            function_name,
            deadline_ns,
            response_limit,
            heartbeat,
        }
    }

    /// Tells that this call still works, for a state with `HeartbeatSeconds`: as often as the
    /// function likes, from any thread, for the price of one addition. It puts off neither
    /// `TimeoutSeconds` nor the function's own timeout.
    pub fn heartbeat(&self) {
        if let Some(word) = self.heartbeat {
            word.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The function's name in the project.
    pub fn function_name(&self) -> &'a str {
        self.function_name
    }

    /// How long until the call is given up; nothing where nobody says.
    pub fn remaining(&self) -> Option<Duration> {
        let left = self.deadline_ns.saturating_sub(monotonic_ns()?);
        (self.deadline_ns != 0).then(|| Duration::from_nanos(left))
    }

    /// Bytes of JSON that the result may have.
    pub fn response_limit(&self) -> u64 {
        self.response_limit
    }
}

/// CLOCK_MONOTONIC in nanoseconds.
fn monotonic_ns() -> Option<u64> {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: writes a timespec of this frame.
    if unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) } != 0 {
        return None;
    }
    let (seconds, rest) = (
        u64::try_from(now.tv_sec).ok()?,
        u64::try_from(now.tv_nsec).ok()?,
    );
    seconds.checked_mul(1_000_000_000)?.checked_add(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_heartbeat_changes_the_word_and_without_one_nothing_happens() {
        let word = AtomicU32::new(u32::MAX);
        Context::new("f", 0, 0, Some(&word)).heartbeat();
        assert_eq!(word.into_inner(), 0);
        Context::new("f", 0, 0, None).heartbeat();
    }

    #[test]
    fn what_remains_shrinks_to_nothing_and_is_unknown_without_a_deadline() {
        let now = monotonic_ns().unwrap();
        let remaining = |deadline| Context::new("f", deadline, 0, None).remaining();
        assert_eq!(remaining(0), None);
        assert_eq!(remaining(1), Some(Duration::ZERO));
        let left = remaining(now + 60_000_000_000).unwrap();
        assert!(
            left <= Duration::from_secs(60) && left > Duration::from_secs(30),
            "{left:?}"
        );
    }
}
