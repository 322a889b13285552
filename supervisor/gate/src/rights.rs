//! The calling thread's PKRU, read; and whether a signal leaves it alone.

#![expect(unsafe_code, reason = "RDPKRU, and a signal's entry for a moment")]

use crate::END;
use crate::fault::restore;
use core::arch::naked_asm;
use keylane_sys::thread::set_signal_entry;
use std::arch::x86_64::__cpuid_count;
use std::io;

/// OSPKE, bit 4 of ECX of CPUID leaf 7: the kernel has keys on, and RDPKRU is no illegal instruction
/// (SDM vol. 2, CPUID).
const OSPKE: u32 = 1 << 4;

/// This thread's PKRU; none where there are no keys.
pub fn rights() -> Option<u32> {
    if __cpuid_count(7, 0).ecx & OSPKE == 0 {
        return None;
    }
    let rights: u32;
    // SAFETY: RDPKRU wants ECX = 0 and OSPKE (checked above), writes EAX and EDX, and touches nothing else.
    unsafe { core::arch::asm!("rdpkru", in("ecx") 0, out("eax") rights, out("edx") _) };
    Some(rights)
}

/// The shortest handler: it returns to `restore`.
#[unsafe(naked)]
extern "C" fn nothing() {
    naked_asm!("ret")
}

/// Whether this thread's PKRU is the same after a signal was handled. Some kernels 6.12 resume on processors of
/// AMD with every key open (arch/x86/include/asm/fpu/xstate.h, update_pkru_in_sigframe, came with the repair). It
/// shows only while PKRU is not 0 already, so before keys are taken. The signal is [`END`]; its action is
/// left changed.
pub fn outlives_a_signal() -> io::Result<bool> {
    let (entry, back) = (nothing as *const (), restore as *const ());
    // SAFETY: `nothing` returns at once to `restore`, which does rt_sigreturn; both touch nothing else.
    unsafe { set_signal_entry(END, entry.addr(), back.addr()) }?;
    let before = rights().filter(|rights| *rights != 0);
    let before = before.ok_or_else(|| io::Error::other("PKRU denies nothing to begin with"))?;
    keylane_sys::thread::signal_self(END)?;
    Ok(rights() == Some(before))
}
