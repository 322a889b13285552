//! SIGCHLD in the zygote: blocked, but for the moments in which the zygote waits for messages.
//!
//! A child that ends between the look at the children and the wait is thus not missed: its signal
//! is pending and ends the wait at once. System calls: rt_sigaction, rt_sigprocmask.

#![expect(unsafe_code, reason = "sigaction(2) is unsafe in nix")]

use nix::errno::Errno;
use nix::sys::signal::{
    SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, pthread_sigmask, sigaction,
};

/// The state from before, for workers; and the mask to wait with.
pub(crate) struct ChildSignals {
    before: SigAction,
    mask_before: SigSet,
    waiting: SigSet,
}

/// Exists so that the signal interrupts the wait, which an ignored signal would not.
extern "C" fn note(_signal: libc::c_int) {}

impl ChildSignals {
    /// Blocks SIGCHLD and gives it a handler.
    pub(crate) fn watch() -> Result<Self, Errno> {
        let mut mask_before = SigSet::empty();
        let mut child = SigSet::empty();
        child.add(Signal::SIGCHLD);
        pthread_sigmask(SigmaskHow::SIG_BLOCK, Some(&child), Some(&mut mask_before))?;
        let mut waiting = mask_before;
        waiting.remove(Signal::SIGCHLD);
        let action = SigAction::new(SigHandler::Handler(note), SaFlags::empty(), SigSet::empty());
        // SAFETY: the handler does nothing, so it can interrupt anything; it replaces at most one
        // that the function's module installed, which `restore` brings back in the workers.
        let before = unsafe { sigaction(Signal::SIGCHLD, &action) }?;
        Ok(ChildSignals {
            before,
            mask_before,
            waiting,
        })
    }

    /// The mask for the wait: SIGCHLD gets through.
    pub(crate) fn waiting(&self) -> SigSet {
        self.waiting
    }

    /// Undoes `watch`, in a worker.
    pub(crate) fn restore(&self) -> Result<(), Errno> {
        // SAFETY: the action is the one that was installed when `watch` was called.
        unsafe { sigaction(Signal::SIGCHLD, &self.before) }?;
        pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&self.mask_before), None)
    }
}
