//! From a domain to the supervisor, by a signal.
//!
//! The kernel (6.12 and later) writes the frame to the thread's alternate stack with every key open, and enters
//! the handler with its initial PKRU, 0x55555554: key 0 is open, every other closed. So the entry needs no WRPKRU
//! to read and write records, and whoever jumps here without a signal has the guest's PKRU and faults at
//! the first record.
//!
//! ```text
//!   alternate stack, as the kernel leaves it         registers
//!   high ──────────────────────────                  RDI  signal
//!        extended state (XSAVE)                      RSI  address of the information
//!        information (siginfo)                       RDX  address of the context
//!        context (ucontext)          <- RSP + 8      RSP  address to return to: `restore`
//!   RSP  address of `restore`
//!   low  ──────────────────────────
//! ```

#![expect(unsafe_code, reason = "naked functions, and where their ends lie")]

use crate::layout::{
    CONTEXT, CONTEXT_ERROR, CONTEXT_RIP, CONTEXT_RSP, GETTID, INFO_ADDRESS, INFO_BYTES, INFO_CALL,
    INFO_CODE, INFO_KEY, RT_SIGACTION, RT_SIGRETURN,
};
use crate::leave::leave;
use crate::record::{FAULTED, RECORDS, Record, THREADS};
use core::arch::naked_asm;
use std::mem::offset_of;

/// SIG_DFL, as `struct kernel_sigaction`.
static DEFAULT: [u64; 4] = [0; 4];

/// The entry of every signal that [`install`](crate::install) names.
///
/// - INPUTS: as in the module's picture. OUTPUTS: none; does not fall through.
/// - For a thread that has a record: the record says what happened, and the thread ends by [`leave`].
/// - For any other thread, which is one of the supervisor's: the signal gets its default action and the
///   instruction runs again, so that a bug of ours ends the process as it would without this entry. So it goes
///   for a thread with a record whose frame does not lie where it must.
/// - CLOBBERS: everything; nobody returns here but by `rt_sigreturn`, which restores all.
/// - STACK: nothing is pushed; RSP stays where the kernel put it.
///
/// An attacker who jumps to any byte of it has its own PKRU: the system calls before the first record are
/// gettid and what the filter refuses, the first look at a record faults, and what is after it ends in [`leave`]
/// or returns to where the attacker's own stack says.
#[unsafe(naked)]
pub(crate) extern "C" fn fault() {
    naked_asm!(
        "mov r12d, edi",                        // signal
        "mov r13, rsi",                         // information
        "mov r14, rdx",                         // context
        "mov eax, {gettid}",                    // not by FS or GS, which are the guest's
        "syscall",                              // EAX = this thread; RCX, R11 gone
        "lea rbx, [rip + {records}]",
        "mov ecx, {threads}",
        "2:",
        "cmp dword ptr [rbx + {number}], eax",  // the first access: faults under a guest's PKRU
        "je 3f",
        "add rbx, {record}",
        "dec ecx",
        "jnz 2b",
        "jmp 9f",                               // nobody's
        "3:",
        // The frame must lie in this thread's own stack, and be where RSP says.
        "cmp rsp, [rbx + {low}]",
        "jb 9f",
        "lea rax, [rsp + {context}]",
        "cmp rax, r14",
        "jne 9f",
        "cmp r13, rsp",
        "jb 9f",
        "lea rax, [r13 + {information}]",
        "cmp rax, [rbx + {high}]",
        "ja 9f",
        // What happened.
        "mov [rbx + {signal}], r12d",
        "mov eax, [r13 + {info_code}]",
        "mov [rbx + {code}], eax",
        "mov rax, [r13 + {info_address}]",
        "mov [rbx + {address}], rax",
        "mov rax, [r13 + {info_call}]",
        "mov [rbx + {call}], rax",
        "mov eax, [r13 + {info_key}]",
        "mov [rbx + {key}], eax",
        "mov rax, [r14 + {context_rip}]",
        "mov [rbx + {instruction}], rax",
        "mov rax, [r14 + {context_rsp}]",
        "mov [rbx + {pointer}], rax",
        "mov rax, [r14 + {context_error}]",
        "mov [rbx + {error}], eax",
        "mov dword ptr [rbx + {phase}], {faulted}", // last: whoever sees it sees the rest
        "jmp {leave}",
        "9:",
        "mov eax, {rt_sigaction}",              // a guest's filter refuses it
        "mov edi, r12d",
        "lea rsi, [rip + {default}]",
        "xor edx, edx",
        "mov r10d, 8",
        "syscall",
        "ret",                                  // to `restore`, which the kernel put there
        ".globl keylane_gate_end_fault",
        "keylane_gate_end_fault:",
        gettid = const GETTID,
        records = sym RECORDS,
        threads = const THREADS,
        record = const size_of::<Record>(),
        number = const offset_of!(Record, number),
        low = const offset_of!(Record, low),
        high = const offset_of!(Record, high),
        context = const CONTEXT,
        information = const INFO_BYTES,
        signal = const offset_of!(Record, signal),
        info_code = const INFO_CODE,
        code = const offset_of!(Record, code),
        info_address = const INFO_ADDRESS,
        address = const offset_of!(Record, address),
        info_call = const INFO_CALL,
        call = const offset_of!(Record, call),
        info_key = const INFO_KEY,
        key = const offset_of!(Record, key),
        context_rip = const CONTEXT_RIP,
        instruction = const offset_of!(Record, instruction),
        context_rsp = const CONTEXT_RSP,
        pointer = const offset_of!(Record, pointer),
        context_error = const CONTEXT_ERROR,
        error = const offset_of!(Record, error),
        phase = const offset_of!(Record, phase),
        faulted = const FAULTED,
        leave = sym leave,
        rt_sigaction = const RT_SIGACTION,
        default = sym DEFAULT,
    )
}

/// Where a handler returns to (SA_RESTORER): `rt_sigreturn`, which a guest's filter answers with the end of
/// the domain. INPUT: RSP as the kernel left it, less the address of this routine.
#[unsafe(naked)]
pub(crate) extern "C" fn restore() {
    naked_asm!(
        "mov eax, {rt_sigreturn}",
        "syscall",
        "ud2",                                  // not reached
        ".globl keylane_gate_end_restore",
        "keylane_gate_end_restore:",
        rt_sigreturn = const RT_SIGRETURN,
    )
}

/// Where it lies.
pub(crate) fn routine() -> crate::Routine {
    unsafe extern "C" {
        safe static keylane_gate_end_fault: u8;
    }
    let end = (&raw const keylane_gate_end_fault).addr();
    crate::routine("fault", (fault as *const ()).addr(), end)
}

/// Where `restore` lies.
pub(crate) fn routine_restore() -> crate::Routine {
    unsafe extern "C" {
        safe static keylane_gate_end_restore: u8;
    }
    let end = (&raw const keylane_gate_end_restore).addr();
    crate::routine("restore", (restore as *const ()).addr(), end)
}
