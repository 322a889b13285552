//! fork(2), between CPython's hooks for it.

#![expect(unsafe_code, reason = "fork(2) is unsafe")]

use nix::errno::Errno;
use nix::unistd::{ForkResult, Pid};

/// Which side of a fork this is.
pub(crate) enum Side {
    Parent(Pid),
    Child,
}

/// Forks. The caller has seen to it that this is the only thread.
pub(crate) fn fork() -> Result<Side, Errno> {
    // SAFETY: fork(2) demands that the child of a process with several threads call only
    // async-signal-safe functions. `zygote` forks only after `threads::settled` saw one thread
    // (where the filter hides native threads, a function that starts some risks a deadlock of its
    // own workers, which their lane ends at the call's deadline).
    match unsafe { nix::unistd::fork() }? {
        ForkResult::Parent { child } => Ok(Side::Parent(child)),
        ForkResult::Child => Ok(Side::Child),
    }
}
