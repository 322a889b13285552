//! Waiting on a word of memory and waking whoever waits, by futex(2).
//!
//! The kernel compares the word and gives nothing back: no answer here is worth more than the look at the word
//! that follows it.

#![expect(unsafe_code, reason = "futex(2)")]

use crate::check;
use std::io;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

/// Who shares the words.
#[derive(Clone, Copy)]
pub(crate) enum Scope {
    /// Threads of this process.
    Threads,
    /// Processes that map the same memory.
    Processes,
}

impl Scope {
    fn operation(self, operation: libc::c_int) -> libc::c_int {
        match self {
            Scope::Threads => operation | libc::FUTEX_PRIVATE_FLAG,
            Scope::Processes => operation,
        }
    }
}

/// Waits until `word` is woken, is not `expected`, or `patience` is over: in every case the caller looks again.
pub(crate) fn wait(
    word: &AtomicU32,
    expected: u32,
    patience: Duration,
    scope: Scope,
) -> io::Result<()> {
    let timeout = libc::timespec {
        tv_sec: i64::try_from(patience.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(patience.subsec_nanos()),
    };
    let operation = scope.operation(libc::FUTEX_WAIT);
    // SAFETY: FUTEX_WAIT reads an aligned word that stays mapped during the call (it is borrowed), and a timespec
    // on this stack.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            operation,
            expected,
            &raw const timeout,
        )
    };
    match check(answer) {
        Ok(_) => Ok(()),
        Err(error) => match error.raw_os_error() {
            Some(libc::EAGAIN | libc::EINTR | libc::ETIMEDOUT) => Ok(()),
            _ => Err(error),
        },
    }
}

/// Wakes whoever waits on `word`.
pub(crate) fn wake(word: &AtomicU32, scope: Scope) -> io::Result<()> {
    let operation = scope.operation(libc::FUTEX_WAKE);
    // SAFETY: FUTEX_WAKE takes the address of a borrowed word as a name.
    let answer = unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, i32::MAX) };
    check(answer).map(|_woken| ())
}
