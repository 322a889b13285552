//! What the assembly reads and writes: one record for each thread of a domain.
//!
//! The records lie in the program's own memory, under key 0: no guest reads or writes one. A record is found
//! by the number of the thread that looks for it.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Acquire, Ordering::Release};

/// Threads of domains that a process has at most.
pub(crate) const THREADS: usize = 64;

/// Values of [`Record::phase`].
pub(crate) const FREE: u32 = 0;
pub(crate) const TAKEN: u32 = 1;
pub(crate) const FAULTED: u32 = 2;
pub(crate) const UNBORN: u32 = 3;

/// One thread's record. The assembly names its fields by their offsets.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Record {
    /// Its number; 0 while it has none. Written by the thread itself, first of all.
    pub(crate) number: AtomicU32,
    /// How far it is.
    pub(crate) phase: AtomicU32,
    /// The pidfd that clone makes (CLONE_PIDFD with CLONE_THREAD, Linux 6.9).
    pub(crate) descriptor: AtomicU32,
    /// Its trusted stack.
    pub(crate) low: AtomicU64,
    pub(crate) high: AtomicU64,
    /// The list of system calls that confines it, and how many they are.
    pub(crate) script: AtomicU64,
    pub(crate) steps: AtomicU64,
    /// With what the domain is entered.
    pub(crate) entry: AtomicU64,
    pub(crate) stack: AtomicU64,
    pub(crate) argument: AtomicU64,
    pub(crate) filter: AtomicU64,
    pub(crate) rights: AtomicU32,
    /// Which vector registers there are: 1 for AVX's, 2 for AVX-512's.
    pub(crate) vectors: AtomicU32,
    /// What the step answered that failed, and how many steps were left with it.
    pub(crate) failure: AtomicU64,
    pub(crate) left: AtomicU64,
    /// What ended it.
    pub(crate) signal: AtomicU32,
    pub(crate) code: AtomicU32,
    pub(crate) key: AtomicU32,
    pub(crate) error: AtomicU32,
    pub(crate) address: AtomicU64,
    pub(crate) call: AtomicU64,
    pub(crate) instruction: AtomicU64,
    pub(crate) pointer: AtomicU64,
}

pub(crate) static RECORDS: [Record; THREADS] = [const { Record::new() }; THREADS];

impl Record {
    const fn new() -> Record {
        Record {
            number: AtomicU32::new(0),
            phase: AtomicU32::new(FREE),
            descriptor: AtomicU32::new(u32::MAX),
            low: AtomicU64::new(0),
            high: AtomicU64::new(0),
            script: AtomicU64::new(0),
            steps: AtomicU64::new(0),
            entry: AtomicU64::new(0),
            stack: AtomicU64::new(0),
            argument: AtomicU64::new(0),
            filter: AtomicU64::new(0),
            rights: AtomicU32::new(u32::MAX),
            vectors: AtomicU32::new(0),
            failure: AtomicU64::new(0),
            left: AtomicU64::new(0),
            signal: AtomicU32::new(0),
            code: AtomicU32::new(0),
            key: AtomicU32::new(0),
            error: AtomicU32::new(0),
            address: AtomicU64::new(0),
            call: AtomicU64::new(0),
            instruction: AtomicU64::new(0),
            pointer: AtomicU64::new(0),
        }
    }

    /// A record that no thread has, which is then the caller's; none if all are taken.
    pub(crate) fn take() -> Option<&'static Record> {
        RECORDS.iter().find(|record| {
            let taken = record.phase.compare_exchange(FREE, TAKEN, Acquire, Acquire);
            taken.is_ok()
        })
    }

    /// Gives it back, once its thread has ended or was never made.
    pub(crate) fn give_back(&self) {
        self.number.store(0, Release);
        self.phase.store(FREE, Release);
    }
}

/// How far a thread of a domain is, as its record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing is recorded: it runs, or it left by itself.
    Silent,
    /// A signal ended it.
    Faulted(Fault),
    /// It could not be confined and has never entered the domain.
    Unborn {
        /// Which step of the list, counted from 0.
        step: u64,
        /// The error number.
        errno: u64,
    },
}

/// What ended a thread of a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The signal.
    pub signal: u32,
    /// `si_code` (sigaction(2)).
    pub code: i32,
    /// The address that was reached for; of an instruction, where that is at fault.
    pub address: u64,
    /// For SIGSYS the number of the system call and, in the upper half, its architecture.
    pub call: u64,
    /// The key of the page, where a key was at fault.
    pub key: u32,
    /// The processor's error code of a page fault: bit 1 says that it was a write, bit 4 a fetch, bit 5 a
    /// key (SDM vol. 3, 4.7).
    pub error: u32,
    /// The instruction.
    pub instruction: u64,
    /// The stack pointer.
    pub pointer: u64,
}

impl Record {
    /// What is recorded. To be asked once the thread has ended.
    pub(crate) fn phase(&self, steps: u64) -> Phase {
        match self.phase.load(Acquire) {
            FAULTED => Phase::Faulted(Fault {
                signal: self.signal.load(Acquire),
                code: self.code.load(Acquire).cast_signed(),
                address: self.address.load(Acquire),
                call: self.call.load(Acquire),
                key: self.key.load(Acquire),
                error: self.error.load(Acquire),
                instruction: self.instruction.load(Acquire),
                pointer: self.pointer.load(Acquire),
            }),
            UNBORN => Phase::Unborn {
                step: steps.saturating_sub(self.left.load(Acquire)),
                errno: self.failure.load(Acquire).wrapping_neg(),
            },
            _ => Phase::Silent,
        }
    }
}
