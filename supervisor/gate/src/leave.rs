//! Out of a domain for good: every key closed, then the end of the thread.

#![expect(unsafe_code, reason = "a naked function, and where its parts lie")]

use crate::layout::EXIT;
use core::arch::naked_asm;

/// Ends the calling thread with no key open.
///
/// - INPUTS: none. OUTPUTS: none; does not return and does not fall through. CLOBBERS: everything.
/// - STACK: not used; RSP may be anything.
/// - What the kernel writes for an ending thread (a word to clear, robust futexes, rseq) it writes under the
///   thread's PKRU, and so not at all. A domain cannot have asked for any (the filter), this is a second wall.
///
/// An attacker who jumps to any byte of it, with any registers: to the WRPKRU with EAX of its choice, has
/// these keys open for the three instructions that follow, which touch no memory and end the thread. The exit
/// is repeated for ever, so that nothing follows it. Bytes inside of instructions: a test scans for WRPKRU at
/// every offset.
#[unsafe(naked)]
pub(crate) extern "C" fn leave() -> ! {
    naked_asm!(
        "mov eax, -1",              // every key: no access, no write
        "xor ecx, ecx",             // WRPKRU wants ECX = EDX = 0 (SDM vol. 2)
        "xor edx, edx",
        ".globl keylane_gate_site_leave",
        "keylane_gate_site_leave:",
        "wrpkru",                   // PKRU = EAX
        "2:",
        "mov eax, {exit}",          // exit(0): this thread alone
        "xor edi, edi",
        "syscall",
        "jmp 2b",                   // not reached
        ".globl keylane_gate_end_leave",
        "keylane_gate_end_leave:",
        exit = const EXIT,
    )
}

/// Where its WRPKRU is.
pub(crate) fn site() -> usize {
    unsafe extern "C" {
        safe static keylane_gate_site_leave: u8;
    }
    (&raw const keylane_gate_site_leave).addr()
}

/// Where it lies.
pub(crate) fn routine() -> crate::Routine {
    unsafe extern "C" {
        safe static keylane_gate_end_leave: u8;
    }
    let end = (&raw const keylane_gate_end_leave).addr();
    crate::routine("leave", (leave as *const ()).addr(), end)
}
