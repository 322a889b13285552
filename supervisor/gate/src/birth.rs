//! Into a domain: a new thread, confined, then the guest's code with the guest's key.

#![expect(unsafe_code, reason = "a naked function, and where its parts lie")]

use crate::layout::{CLONE, EXIT, FLAGS, GETTID, MXCSR, SECCOMP, SET_FILTER, THREAD};
use crate::leave::leave;
use crate::record::{Record, UNBORN};
use crate::script::Call;
use core::arch::naked_asm;
use std::mem::offset_of;

/// Makes a thread that confines itself and enters a domain.
///
/// - INPUTS: RDI, the address of a filled [`Record`]; every signal is blocked. OUTPUTS, in the calling
///   thread: RAX, the new thread's number or a negative error number. CLOBBERS there: RCX, RDX, RSI, RDI, R8 to
///   R11, as any C function. STACK there: one word, RBX.
/// - The new thread has its parent's PKRU, vector registers, FS and GS, and a stack of the supervisor's. It
///   makes the record's calls, each of which must answer 0, clears what it has of its parent, switches to the
///   guest's stack, writes PKRU, puts the filter into force, and jumps to the guest's entry.
/// - WHAT THE GUEST GETS: RSP the stack, RDI the argument, R12 the entry, which it knows; every other register 0
///   but RAX; the x87 stack empty and its contents 0, MXCSR its default, all vector and mask registers 0, flags
///   their defaults; FS and GS based at 0; PKRU with its own key alone.
///
/// ```text
///   clone ─ child: number, script[0..n], clear, RSP = guest's ─ WRPKRU ─ key 0 closed? ─ seccomp = 0? ─ guest
///                    │ answer not 0                                       │ no             │ no
///                    └─ record, leave                                     └────── exit ────┘
/// ```
///
/// What an attacker gets who jumps to a byte of it, by region:
/// - before the WRPKRU: with the guest's PKRU every access to a record or a script faults; clone and the
///   script's calls are refused by the filter.
/// - to the WRPKRU or right before it, with EAX of its choice: these keys are open for the instructions up to
///   the check, which look at registers alone. Then comes `seccomp`, which every thread that was in a domain is
///   refused (its filter answers EPERM): the thread exits. So the way on to the jump is open to a thread that has
///   no filter yet, which is one that this routine made. That holds also for a value of PKRU that is another
///   domain's and would pass any comparison with constants.
/// - after the system call: jumps, with the attacker's own PKRU, to where R12 says.
///
/// LFENCE after WRPKRU keeps later instructions from starting with the old rights (SDM vol. 2, LFENCE). Nothing
/// here reads a tile register: a process that never asked for AMX has none (arch_prctl(2), ARCH_REQ_XCOMP_PERM).
#[unsafe(naked)]
pub(crate) extern "C" fn birth(record: *const Record) -> i64 {
    naked_asm!(
        "push rbx",
        "mov rbx, rdi",
        "mov eax, {clone}",
        "mov edi, {flags}",
        "mov rsi, [rbx + {high}]",          // the child's RSP: the end of its trusted stack
        "lea rdx, [rbx + {descriptor}]",    // where the kernel puts the thread's pidfd
        "xor r10d, r10d",
        "xor r8d, r8d",
        "syscall",
        "test rax, rax",
        "jz 2f",
        "pop rbx",                          // the parent
        "ret",
        "2:",                               // the child; RBX = record
        "mov eax, {gettid}",
        "syscall",
        "mov [rbx + {number}], eax",        // from here on the fault entry finds it
        "mov r12, [rbx + {script}]",
        "mov r13, [rbx + {steps}]",
        "3:",
        "test r13, r13",
        "jz 4f",
        "mov rax, [r12 + {call}]",
        "mov rdi, [r12 + {arguments}]",
        "mov rsi, [r12 + {arguments} + 8]",
        "mov rdx, [r12 + {arguments} + 16]",
        "mov r10, [r12 + {arguments} + 24]",
        "mov r8, [r12 + {arguments} + 32]",
        "mov r9, [r12 + {arguments} + 40]",
        "syscall",
        "test rax, rax",
        "jnz 8f",
        "add r12, {step}",
        "dec r13",
        "jmp 3b",
        "4:",                               // clear: x87 and MMX
        "fninit",
        "fldz", "fldz", "fldz", "fldz", "fldz", "fldz", "fldz", "fldz",
        "fninit",                           // empty again, instruction and data pointers 0
        "push {mxcsr}",
        "ldmxcsr [rsp]",
        "mov qword ptr [rsp], {rflags}",
        "popfq",                            // DF, AC, TF, NT, ID clear
        "test dword ptr [rbx + {vectors}], 2",
        "jz 5f",
        "kxorw k0, k0, k0", "kxorw k1, k1, k1", "kxorw k2, k2, k2", "kxorw k3, k3, k3",
        "kxorw k4, k4, k4", "kxorw k5, k5, k5", "kxorw k6, k6, k6", "kxorw k7, k7, k7",
        "vpxord zmm16, zmm16, zmm16", "vpxord zmm17, zmm17, zmm17",
        "vpxord zmm18, zmm18, zmm18", "vpxord zmm19, zmm19, zmm19",
        "vpxord zmm20, zmm20, zmm20", "vpxord zmm21, zmm21, zmm21",
        "vpxord zmm22, zmm22, zmm22", "vpxord zmm23, zmm23, zmm23",
        "vpxord zmm24, zmm24, zmm24", "vpxord zmm25, zmm25, zmm25",
        "vpxord zmm26, zmm26, zmm26", "vpxord zmm27, zmm27, zmm27",
        "vpxord zmm28, zmm28, zmm28", "vpxord zmm29, zmm29, zmm29",
        "vpxord zmm30, zmm30, zmm30", "vpxord zmm31, zmm31, zmm31",
        "5:",
        "test dword ptr [rbx + {vectors}], 1",
        "jz 6f",
        "vzeroall",                         // registers 0 to 15 in their whole width
        "6:",
        "pxor xmm0, xmm0", "pxor xmm1, xmm1", "pxor xmm2, xmm2", "pxor xmm3, xmm3",
        "pxor xmm4, xmm4", "pxor xmm5, xmm5", "pxor xmm6, xmm6", "pxor xmm7, xmm7",
        "pxor xmm8, xmm8", "pxor xmm9, xmm9", "pxor xmm10, xmm10", "pxor xmm11, xmm11",
        "pxor xmm12, xmm12", "pxor xmm13, xmm13", "pxor xmm14, xmm14", "pxor xmm15, xmm15",
        "mov r12, [rbx + {entry}]",
        "mov r14, [rbx + {filter}]",
        "mov r15, [rbx + {argument}]",
        "mov eax, [rbx + {rights}]",
        "mov rsp, [rbx + {stack}]",         // the last access under the supervisor's rights
        "xor ebx, ebx",
        "xor ebp, ebp",
        "xor r13d, r13d",
        "xor r8d, r8d",
        "xor r9d, r9d",
        "xor r10d, r10d",
        "xor ecx, ecx",
        "xor edx, edx",
        ".globl keylane_gate_site_birth",
        "keylane_gate_site_birth:",
        "wrpkru",                           // PKRU = EAX
        "lfence",
        "not eax",
        "test al, 3",                       // key 0 must be denied, access and write
        "jnz 7f",
        "mov eax, {seccomp}",               // refused to whoever has a filter
        "mov edi, {set_filter}",
        "xor esi, esi",
        "mov rdx, r14",                     // in the domain's own memory
        "syscall",
        "test rax, rax",
        "jnz 7f",
        "mov rdi, r15",
        "xor ecx, ecx",
        "xor edx, edx",
        "xor r11d, r11d",
        "xor r14d, r14d",
        "xor r15d, r15d",
        "jmp r12",
        "7:",                               // a bare exit: no memory, no way on
        "mov eax, {exit}",
        "xor edi, edi",
        "syscall",
        "jmp 7b",
        "8:",                               // a step failed: say so
        "mov [rbx + {failure}], rax",
        "mov [rbx + {left}], r13",
        "mov dword ptr [rbx + {phase}], {unborn}",
        "jmp {leave}",
        ".globl keylane_gate_end_birth",
        "keylane_gate_end_birth:",
        clone = const CLONE,
        flags = const THREAD,
        gettid = const GETTID,
        seccomp = const SECCOMP,
        set_filter = const SET_FILTER,
        exit = const EXIT,
        mxcsr = const MXCSR,
        rflags = const FLAGS,
        high = const offset_of!(Record, high),
        descriptor = const offset_of!(Record, descriptor),
        number = const offset_of!(Record, number),
        script = const offset_of!(Record, script),
        steps = const offset_of!(Record, steps),
        call = const offset_of!(Call, number),
        arguments = const offset_of!(Call, arguments),
        step = const size_of::<Call>(),
        vectors = const offset_of!(Record, vectors),
        entry = const offset_of!(Record, entry),
        filter = const offset_of!(Record, filter),
        argument = const offset_of!(Record, argument),
        rights = const offset_of!(Record, rights),
        stack = const offset_of!(Record, stack),
        failure = const offset_of!(Record, failure),
        left = const offset_of!(Record, left),
        phase = const offset_of!(Record, phase),
        unborn = const UNBORN,
        leave = sym leave,
    )
}

/// Where its WRPKRU is.
pub(crate) fn site() -> usize {
    unsafe extern "C" {
        safe static keylane_gate_site_birth: u8;
    }
    (&raw const keylane_gate_site_birth).addr()
}

/// Where it lies.
pub(crate) fn routine() -> crate::Routine {
    unsafe extern "C" {
        safe static keylane_gate_end_birth: u8;
    }
    let end = (&raw const keylane_gate_end_birth).addr();
    crate::routine("birth", (birth as *const ()).addr(), end)
}
