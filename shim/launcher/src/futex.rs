//! The two futex operations of a channel. Shared ones: the waker lives in another process.

#![expect(unsafe_code, reason = "futex(2) has no wrapper in libc or nix")]

use std::ptr;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

/// Sleeps while `word` holds `expected`, no longer than `limit`. Returns for any reason; the
/// caller looks at the word again.
pub(crate) fn wait(word: &AtomicU32, expected: u32, limit: Duration) {
    let limit = libc::timespec {
        // Limits here are of the order of seconds, within any time_t.
        tv_sec: libc::time_t::try_from(limit.as_secs()).unwrap_or(1),
        tv_nsec: libc::c_long::from(limit.subsec_nanos()),
    };
    // SAFETY: the first pointer is to a live, aligned u32, borrowed for the call; the kernel only
    // reads it. The fourth is to a timespec of this frame. FUTEX_WAIT ignores the rest. The result
    // is of no interest: every outcome leads to another look at the word.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAIT,
            expected,
            &raw const limit,
        );
    }
}

/// Wakes whoever sleeps on `word`.
pub(crate) fn wake(word: &AtomicU32) {
    // SAFETY: the pointer is to a live, aligned u32, borrowed for the call, and FUTEX_WAKE uses
    // only its address. It cannot fail in a way that matters: an absent waiter is no error.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAKE,
            i32::MAX,
            ptr::null::<libc::timespec>(),
        );
    }
}
