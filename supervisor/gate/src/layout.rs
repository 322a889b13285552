//! Numbers of the kernel that the assembly uses, each with where it is written.

/// System calls (arch/x86/entry/syscalls/syscall_64.tbl).
pub(crate) const RT_SIGACTION: u32 = 13;
pub(crate) const RT_SIGRETURN: u32 = 15;
pub(crate) const CLONE: u32 = 56;
pub(crate) const EXIT: u32 = 60;
pub(crate) const GETTID: u32 = 186;
pub(crate) const SECCOMP: u32 = 317;

/// CLONE_VM|FS|FILES|SIGHAND|PIDFD|THREAD|SYSVSEM (linux/sched.h): no TLS, no word that is cleared at its end.
pub(crate) const THREAD: u32 = 0x0005_1F00;

/// SECCOMP_SET_MODE_FILTER (linux/seccomp.h).
pub(crate) const SET_FILTER: u32 = 1;

/// `struct rt_sigframe` (arch/x86/include/asm/sigframe.h): the address to return to, the context, the
/// information. What RSP points to when a handler is entered.
pub(crate) const CONTEXT: usize = 8;

/// `struct siginfo` (include/uapi/asm-generic/siginfo.h), x86_64.
pub(crate) const INFO_CODE: usize = 8;
/// `si_addr`; for SIGSYS `si_call_addr`.
pub(crate) const INFO_ADDRESS: usize = 16;
/// For SIGSYS: `si_syscall` and `si_arch`, 32 bits each.
pub(crate) const INFO_CALL: usize = 24;
/// `si_pkey`, 32 bits.
pub(crate) const INFO_KEY: usize = 32;
/// Bytes of it that are read.
pub(crate) const INFO_BYTES: usize = 40;

/// `struct ucontext` (arch/x86/include/uapi/asm/sigcontext.h): flags, link and stack, then the registers in
/// the order of `struct sigcontext_64`.
const REGISTERS: usize = 40;
pub(crate) const CONTEXT_RSP: usize = REGISTERS + 8 * 15;
pub(crate) const CONTEXT_RIP: usize = REGISTERS + 8 * 16;
pub(crate) const CONTEXT_ERROR: usize = REGISTERS + 8 * 19;

/// The default value of MXCSR: all exceptions masked, nothing flagged (SDM vol. 1, 11.6.4).
pub(crate) const MXCSR: u32 = 0x1f80;
/// RFLAGS with bit 1, which is always set, and interrupts on, which user mode cannot change: DF, AC, TF, NT
/// and ID are clear.
pub(crate) const FLAGS: u32 = 0x202;
