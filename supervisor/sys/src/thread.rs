//! What a thread of a domain is made and held by: its trusted stack, the entry of its signals, its pidfd,
//! and the ruleset that opens no file to it.

#![expect(
    unsafe_code,
    reason = "mmap(2), rt_sigaction(2), landlock_create_ruleset(2), adopting a pidfd"
)]

use crate::{check, last_errno, owned};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

/// Bytes of a trusted stack: a signal frame has at most some 12 KiB with every state that processors
/// have today (AMX included; getauxval(3), AT_MINSIGSTKSZ), and the entry itself uses none.
const STACK: usize = 64 * 1024;
const GUARD: usize = 4096;

/// A stack of the supervisor's for one thread of a domain: what the kernel writes signal frames to. It
/// carries key 0 and has a page without access at each end.
#[derive(Debug)]
pub struct Stack {
    whole: usize,
}

impl Stack {
    /// Makes one, with all its pages there.
    pub fn new() -> io::Result<Stack> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let length = STACK + 2 * GUARD;
        // SAFETY: without MAP_FIXED the kernel takes an unused range.
        let whole =
            unsafe { libc::mmap(std::ptr::null_mut(), length, libc::PROT_NONE, flags, -1, 0) };
        if whole == libc::MAP_FAILED {
            return Err(last_errno());
        }
        let stack = Stack {
            whole: whole.addr(),
        };
        let flags = flags | libc::MAP_FIXED | libc::MAP_POPULATE;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let place = std::ptr::without_provenance_mut(stack.low());
        // SAFETY: the range lies inside of the mapping that was just made and given to nobody.
        if unsafe { libc::mmap(place, STACK, protection, flags, -1, 0) } == libc::MAP_FAILED {
            return Err(last_errno());
        }
        Ok(stack)
    }

    /// Its first address.
    pub fn low(&self) -> usize {
        self.whole + GUARD
    }

    /// The address behind its last, a multiple of 16.
    pub fn high(&self) -> usize {
        self.low() + STACK
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let place = std::ptr::without_provenance_mut(self.whole);
        // SAFETY: the mapping is this value's, and whoever runs on it keeps the value.
        unsafe { libc::munmap(place, STACK + 2 * GUARD) };
    }
}

/// Makes `entry` what the kernel enters for a signal of any thread of this process, on the thread's alternate
/// stack, with every signal blocked, to return by `restorer` (rt_sigaction(2)).
///
/// # Safety
/// `entry` is the address of code that may run between any two instructions of any thread that has this signal
/// not blocked, on its alternate stack or, if it has none, on its own; `restorer` that of
/// code that does `rt_sigreturn`.
pub unsafe fn set_signal_entry(signal: i32, entry: usize, restorer: usize) -> io::Result<()> {
    const SA_RESTORER: u64 = 0x0400_0000;
    /// `struct kernel_sigaction` (include/linux/signal_types.h).
    #[repr(C)]
    struct Action {
        handler: usize,
        flags: u64,
        restorer: usize,
        mask: u64,
    }
    let flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    let action = Action {
        handler: entry,
        flags: u64::from(flags.cast_unsigned()) | SA_RESTORER,
        restorer,
        mask: u64::MAX,
    };
    // SAFETY: the kernel reads one `struct kernel_sigaction`, which lives on this stack, and is told the size of
    // its mask; that the entry may be entered at any time is the caller's promise.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_rt_sigaction,
            signal,
            &raw const action,
            std::ptr::null::<Action>(),
            8,
        )
    };
    check(answer).map(|_zero| ())
}

/// Sends the calling thread a signal and returns once it was handled (tgkill(2): an unblocked one is delivered
/// before the call returns).
pub fn signal_self(signal: i32) -> io::Result<()> {
    let (process, thread) = (nix::unistd::getpid(), nix::unistd::gettid());
    // SAFETY: tgkill takes three numbers; what the signal does is whoever's who set its action.
    let answer =
        unsafe { libc::syscall(libc::SYS_tgkill, process.as_raw(), thread.as_raw(), signal) };
    check(answer).map(|_zero| ())
}

/// Does something with every signal blocked, which a thread made meanwhile inherits. An error says that it was not
/// done.
pub fn with_signals_blocked<T>(what: impl FnOnce() -> T) -> io::Result<T> {
    // Not by the C library, which keeps signals 32 and 33 open for itself.
    let set = |mask: u64, before: *mut u64| {
        // SAFETY: the kernel reads eight bytes of this stack, and writes eight to `before` unless it is null.
        check(unsafe {
            libc::syscall(
                libc::SYS_rt_sigprocmask,
                libc::SIG_SETMASK,
                &raw const mask,
                before,
                8,
            )
        })
    };
    let mut before = 0;
    set(u64::MAX, &raw mut before)?;
    let made = what();
    // It fails for a wrong address or size alone (rt_sigprocmask(2)), and the call above had the same; what was
    // made may run already and must not get lost.
    let _same_call = set(before, std::ptr::null_mut());
    Ok(made)
}

/// A Landlock ruleset that handles everything that ABI 6 knows and allows nothing: files, TCP, signals and
/// abstract sockets beyond this process (landlock(7)).
pub fn closed_ruleset() -> io::Result<OwnedFd> {
    /// `struct landlock_ruleset_attr` of ABI 6.
    #[repr(C)]
    struct Attribute {
        files: u64,
        ports: u64,
        scopes: u64,
    }
    let attribute = Attribute {
        files: 0xffff,
        ports: 0x3,
        scopes: 0x3,
    };
    // SAFETY: the kernel reads a struct of the size that it is told, which lives on this stack.
    owned(unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            &raw const attribute,
            size_of::<Attribute>(),
            0,
        )
    })
}

/// A thread of this process by the pidfd that clone made with it (CLONE_PIDFD with CLONE_THREAD, Linux 6.9), so
/// that it cannot be confused with a later one of its number.
#[derive(Debug)]
pub struct Thread(OwnedFd);

impl Thread {
    /// The thread whose pidfd has this number.
    ///
    /// # Safety
    /// The number is that of an open descriptor that nothing else owns.
    pub unsafe fn adopt(descriptor: u32) -> Thread {
        use std::os::fd::FromRawFd;
        // SAFETY: as the caller promises.
        Thread(unsafe { OwnedFd::from_raw_fd(descriptor.cast_signed()) })
    }

    /// Whether it has ended within this time: then nothing of it runs any more, and the kernel writes
    /// nothing for it.
    pub fn ended(&self, patience: Duration) -> io::Result<bool> {
        use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
        let mut wanted = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
        let patience = u16::try_from(patience.as_millis()).unwrap_or(u16::MAX);
        match poll(&mut wanted, PollTimeout::from(patience)) {
            Ok(count) => Ok(count > 0),
            Err(nix::errno::Errno::EINTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Sends it a signal. One that has ended is no error.
    pub fn signal(&self, signal: i32) -> io::Result<()> {
        crate::process::signal(self.0.as_fd(), signal)
    }
}

/// The number of a descriptor, for a call that is prepared now and made by another thread.
pub fn number(fd: &impl AsFd) -> u64 {
    u64::try_from(fd.as_fd().as_raw_fd()).unwrap_or(u64::MAX)
}

/// Whether processor and kernel use these vector registers: AVX's, AVX-512's.
pub fn vector_registers() -> (bool, bool) {
    (
        std::arch::is_x86_feature_detected!("avx"),
        std::arch::is_x86_feature_detected!("avx512f"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_is_aligned_and_can_be_written_from_end_to_end() {
        let stack = Stack::new().unwrap();
        assert_eq!((stack.low() % 16, stack.high() % 16), (0, 0));
        let bytes = std::ptr::with_exposed_provenance_mut::<u8>(stack.low());
        // SAFETY: the mapping has so many writable bytes from `low` on, and nobody else uses it.
        unsafe { bytes.write_bytes(7, stack.high() - stack.low()) };
    }

    #[test]
    fn signals_are_blocked_while_it_is_done_and_not_afterwards() {
        let blocked = || {
            let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
            let line = status.lines().find_map(|line| line.strip_prefix("SigBlk:"));
            u64::from_str_radix(line.unwrap().trim(), 16).unwrap()
        };
        let before = blocked();
        // All but SIGKILL and SIGSTOP, which nobody blocks.
        let all = !(1 << 8 | 1 << 18);
        assert_eq!(with_signals_blocked(blocked).unwrap(), all);
        assert_eq!(blocked(), before);
    }
}
