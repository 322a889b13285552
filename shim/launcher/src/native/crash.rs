//! Last words of a function that crashes, in its own error output: the signal, the address, and the
//! frames that can be found. The error that the workflow sees does not need them; people do.
//!
//! The handler then brings back what was there before (the Rust library's own word on an overflown
//! stack) and returns, so that the fault happens again and ends the process: a function that handles its own faults replaces all this.

#![expect(
    unsafe_code,
    reason = "installs handlers and walks the stack of a crash"
)]

use std::ffi::{c_int, c_void};
use std::fmt::Write;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::OnceLock;

/// The signals, and what a person calls them.
const CRASHES: [(c_int, &str); 5] = [
    (libc::SIGSEGV, "SIGSEGV"),
    (libc::SIGBUS, "SIGBUS"),
    (libc::SIGILL, "SIGILL"),
    (libc::SIGFPE, "SIGFPE"),
    (libc::SIGABRT, "SIGABRT"),
];

/// Frames that are told.
const FRAMES: usize = 32;

/// [`walk`], [`tell`] and the kernel's way into it.
const OWN_FRAMES: usize = 3;

/// The handler's stack: room for the largest frame of a signal and for the walk.
const STACK_BYTES: usize = 256 * 1024;

/// What was there before, in the order of [`CRASHES`].
static BEFORE: OnceLock<[libc::sigaction; CRASHES.len()]> = OnceLock::new();

/// From now on a crash is told. To be called once, before the function is loaded.
pub(super) fn report() {
    // The first walk loads what it needs; in a crash nothing can be loaded.
    let mut frames = [ptr::null_mut::<c_void>(); 2];
    // SAFETY: an array of that many pointers.
    unsafe { libc::backtrace(frames.as_mut_ptr(), 2) };
    let before = CRASHES.map(|(signal, _)| before(signal));
    if BEFORE.set(before).is_err() {
        return;
    }
    for (signal, _) in CRASHES {
        // SAFETY: all zeroes are a sigaction with an empty mask.
        let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
        let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) = tell;
        action.sa_sigaction = handler as libc::sighandler_t;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        // SAFETY: a handler with the three parameters that SA_SIGINFO stands for. Where it cannot
        // be had, a crash is told by the error alone.
        unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) };
    }
    stand_apart();
}

fn before(signal: c_int) -> libc::sigaction {
    // SAFETY: all zeroes are a sigaction: the default one.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    // SAFETY: asks only, into this frame.
    unsafe { libc::sigaction(signal, ptr::null(), &raw mut action) };
    action
}

/// Gives this thread a stack for the handler, so that an overflown one can be told too.
pub(super) fn stand_apart() {
    // SAFETY: a new mapping at an address of the kernel's choosing; it stays with the process.
    let memory = unsafe {
        libc::mmap(
            ptr::null_mut(),
            STACK_BYTES,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    if memory == libc::MAP_FAILED {
        return;
    }
    let stack = libc::stack_t {
        ss_sp: memory,
        ss_flags: 0,
        ss_size: STACK_BYTES,
    };
    // SAFETY: memory of that size, which nobody else uses.
    unsafe { libc::sigaltstack(&raw const stack, ptr::null_mut()) };
}

/// The handler. It may interrupt anything: it allocates nothing and takes no lock of ours.
extern "C" fn tell(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel's for this signal (SA_SIGINFO), there until the handler returns.
    let info = unsafe { info.read() };
    // By abort(3) or raise(3), and no fault of an instruction.
    let sent = info.si_code <= 0;
    // SAFETY: the kernel fills it in for faults; for others the bytes are there and mean nothing.
    let address = unsafe { info.si_addr() };
    // Where the filter refuses to send a signal, abort(3) ends by an instruction that faults.
    let aborted = signal == libc::SIGSEGV && is_halt(&info, context);
    let means = if aborted { libc::SIGABRT } else { signal };
    let place = CRASHES.iter().position(|(known, _)| *known == means);
    say(place, (!sent && !aborted).then_some(address));
    walk();
    if aborted {
        leave(means);
    }
    let before = BEFORE.get().zip(place);
    let before = before.and_then(|(before, place)| before.get(place));
    if let (Some(before), false) = (before, sent) {
        // SAFETY: what sigaction(2) said was in force before `report`. The fault happens again when
        // this returns.
        unsafe { libc::sigaction(signal, before, ptr::null_mut()) };
    } else {
        // Nothing would happen again by itself.
        // SAFETY: brings back the default, which ends the process.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
        // SAFETY: no condition. Blocked until the handler returns.
        if unsafe { libc::raise(signal) } != 0 {
            leave(signal);
        }
    }
}

/// Ends the process with the status by which shells tell a signal.
fn leave(signal: c_int) -> ! {
    // SAFETY: no condition; nothing of the function runs after it.
    unsafe { libc::_exit(128_i32.saturating_add(signal)) }
}

/// Whether a fault is that of the instruction `hlt`, which no program may use and with which the C
/// library's abort(3) ends when no signal can be sent.
fn is_halt(info: &libc::siginfo_t, context: *mut c_void) -> bool {
    /// `SI_KERNEL` of asm-generic/siginfo.h: a general protection fault, among few others.
    const KERNEL: c_int = 0x80;
    /// The instruction, one byte.
    const HLT: u8 = 0xf4;
    // SAFETY: the kernel's context for this signal (SA_SIGINFO), there until the handler returns.
    let context = unsafe { context.cast::<libc::ucontext_t>().read() };
    let rip = usize::try_from(libc::REG_RIP).unwrap_or(0);
    let at = context.uc_mcontext.gregs.get(rip).copied().unwrap_or(0);
    let at = ptr::with_exposed_provenance_mut::<c_void>(usize::try_from(at).unwrap_or(0));
    // SAFETY: all zeroes are a Dl_info, of which nothing is read.
    let mut object: libc::Dl_info = unsafe { MaybeUninit::zeroed().assume_init() };
    // SAFETY: asks about an address, any address, and writes into this frame.
    let inside = info.si_code == KERNEL && unsafe { libc::dladdr(at, &raw mut object) } != 0;
    // SAFETY: within an object that is loaded, where the processor has just read this byte.
    inside && unsafe { at.cast::<u8>().read() } == HLT
}

/// The line that names the signal and, of a fault, the address.
fn say(place: Option<usize>, address: Option<*mut c_void>) {
    let mut line = Line::default();
    let name = place.and_then(|place| CRASHES.get(place));
    let name = name.map_or("a signal", |(_, name)| name);
    let _fits = match address {
        Some(address) => write!(line, "keylane: the function ends by {name} at {address:p}"),
        None => write!(line, "keylane: the function ends by {name}"),
    };
    let _fits = line.write_str("; its innermost frames:\n");
    line.print();
}

/// Writes the frames to the standard error.
#[inline(never)]
fn walk() {
    let mut frames = [ptr::null_mut::<c_void>(); FRAMES];
    let most = c_int::try_from(FRAMES).unwrap_or(0);
    // SAFETY: an array of that many pointers. What it needed to load, `report` has loaded.
    let count = unsafe { libc::backtrace(frames.as_mut_ptr(), most) };
    let found = frames.get(OWN_FRAMES..usize::try_from(count).unwrap_or(0));
    let theirs = found.unwrap_or_default();
    let count = c_int::try_from(theirs.len()).unwrap_or(0);
    // SAFETY: so many frames were found. It writes to the descriptor and allocates nothing.
    unsafe { libc::backtrace_symbols_fd(theirs.as_ptr(), count, libc::STDERR_FILENO) };
}

/// A line of text without an allocator.
struct Line {
    bytes: [u8; 160],
    used: usize,
}

impl Default for Line {
    fn default() -> Line {
        Line {
            bytes: [0; 160],
            used: 0,
        }
    }
}

impl Line {
    fn print(&self) {
        // SAFETY: `used` bytes of the array are written. There is nobody to tell of a failure.
        unsafe { libc::write(libc::STDERR_FILENO, self.bytes.as_ptr().cast(), self.used) };
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.used.saturating_add(text.len());
        let room = self.bytes.get_mut(self.used..end).ok_or(std::fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.used = end;
        Ok(())
    }
}
