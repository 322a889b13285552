//! The safe side of the gate: threads that own what their assembly reads.

#![expect(unsafe_code, reason = "installing the entry, adopting what clone made")]

use crate::END;
use crate::birth::birth;
use crate::fault::{fault, restore};
use crate::record::{Phase, Record};
use crate::script::{SYNCHRONOUS, Script};
use keylane_policy::memory::Key;
use keylane_sys::thread::{self as sys, Stack};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::time::Duration;

/// With what a domain is entered. All addresses are the domain's own.
#[derive(Clone, Copy, Debug)]
pub struct Birth {
    /// The only key that will be open.
    pub key: Key,
    /// The first instruction.
    pub entry: u64,
    /// The stack pointer, a multiple of 16 at a call less 8: nothing is pushed for the guest.
    pub stack: u64,
    /// What RDI holds.
    pub argument: u64,
    /// A `struct sock_fprog` in pages that the domain may not write.
    pub filter: u64,
}

/// A thread of a domain. Dropped while it runs, it keeps what it stands on for good.
#[derive(Debug)]
pub struct Thread {
    record: &'static Record,
    held: Option<Held>,
    thread: sys::Thread,
    steps: u64,
}

/// What the thread reads and writes; freed once it has ended.
#[derive(Debug)]
struct Held {
    _stack: Stack,
    _script: Script,
    _ruleset: Arc<OwnedFd>,
}

/// Makes the gate's entry the handler of every synchronous signal and of [`END`], in the whole process.
pub fn install() -> io::Result<()> {
    for signal in SYNCHRONOUS.into_iter().chain([END]) {
        let (entry, back) = (fault as *const (), restore as *const ());
        // SAFETY: `fault` is written to be entered for any signal on any thread: it uses no stack but what the
        // kernel wrote, no TLS, ends a domain's thread and gives the others the default action; `restore`
        // does rt_sigreturn.
        unsafe { sys::set_signal_entry(signal, entry.addr(), back.addr()) }?;
    }
    Ok(())
}

fn number(address: usize) -> u64 {
    u64::try_from(address).unwrap_or(0)
}

impl Thread {
    /// Makes a thread that confines itself, opens no file but by `ruleset` ([`sys::closed_ruleset`]), and enters
    /// the domain. `EAGAIN` if there are as many as there may be.
    pub fn start(with: Birth, ruleset: &Arc<OwnedFd>) -> io::Result<Thread> {
        let stack = Stack::new()?;
        let script = Script::new(&stack, ruleset, END);
        let steps = number(script.calls.len());
        let (avx, avx512) = sys::vector_registers();
        let record = Record::take().ok_or(io::ErrorKind::WouldBlock)?;
        for (field, value) in [
            (&record.low, number(stack.low())),
            (&record.high, number(stack.high())),
            (&record.script, script.start()),
            (&record.steps, steps),
            (&record.entry, with.entry),
            (&record.stack, with.stack),
            (&record.argument, with.argument),
            (&record.filter, with.filter),
        ] {
            field.store(value, Release);
        }
        record.rights.store(with.key.alone(), Release);
        let vectors = u32::from(avx) | u32::from(avx512) << 1;
        record.vectors.store(vectors, Release);
        let made = sys::with_signals_blocked(|| birth(std::ptr::from_ref(record)));
        let made = made.and_then(|answer| {
            if answer > 0 {
                // SAFETY: clone succeeded with CLONE_PIDFD, so it stored the number of a descriptor that it made for
                // its caller, which nobody else has been told.
                return Ok(unsafe { sys::Thread::adopt(record.descriptor.load(Acquire)) });
            }
            let errno = i32::try_from(answer.saturating_neg()).unwrap_or(i32::MAX);
            Err(io::Error::from_raw_os_error(errno))
        });
        let thread = match made {
            Ok(thread) => thread,
            Err(error) => {
                record.give_back();
                return Err(error);
            }
        };
        Ok(Thread {
            record,
            held: Some(Held {
                _stack: stack,
                _script: script,
                _ruleset: Arc::clone(ruleset),
            }),
            thread,
            steps,
        })
    }

    /// Whether it has ended within this time.
    pub fn ended(&self, patience: Duration) -> io::Result<bool> {
        self.thread.ended(patience)
    }

    /// Asks for its end, wherever it is.
    pub fn end(&self) -> io::Result<()> {
        self.thread.signal(END)
    }

    /// What it ended by, once it has; what it stood on is freed.
    pub fn reap(mut self) -> Result<Phase, Thread> {
        if !matches!(self.ended(Duration::ZERO), Ok(true)) {
            return Err(self);
        }
        let phase = self.record.phase(self.steps);
        self.record.give_back();
        self.held = None;
        Ok(phase)
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        // Whoever is dropped without having been reaped may run: its stack must not become anybody else's, and
        // its record stays taken.
        if let Some(held) = self.held.take() {
            std::mem::forget(held);
        }
    }
}
