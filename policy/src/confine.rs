//! What a thread of a domain may ask of the kernel by itself, as a seccomp filter.
//!
//! A domain shares its process with everything that its key keeps it from, so the filter is no list of what
//! a program needs but of what can do no harm whoever asks: an end of the thread, the time, giving up
//! the processor, and futexes on words of its own window. Everything else is refused with EPERM; what no
//! program asks for by mistake ends the domain with a report (SECCOMP_RET_TRAP): a forged return from
//! a signal, the end of the whole process, calls of another architecture.
//!
//! Pointers of these calls are followed by the kernel under the thread's own PKRU (x86_64: ordinary
//! accesses of `current`), so a pointer to what is not the domain's answers EFAULT. A futex that is only
//! woken is a number and not followed, which is why its address is compared here.
//!
//! An attacker controls: the number, the architecture and all arguments of every call.

/// An instruction of classic BPF: code, jump if true, jump if false, value (`struct sock_filter`).
pub type Instruction = (u16, u8, u8, u32);

/// Bytes of address space of which each domain gets one, aligned to as much: the upper half of an address
/// says whose it is.
pub const WINDOW: u64 = 1 << 32;

/// AUDIT_ARCH_X86_64 (linux/audit.h).
const ARCHITECTURE: u32 = 0xc000_003e;
/// The bit that x32's calls carry; no number of ours has it or lies above.
const X32: u32 = 0x4000_0000;

/// SECCOMP_RET_* (linux/seccomp.h).
const ALLOW: u32 = 0x7fff_0000;
const TRAP: u32 = 0x0003_0000;
const EPERM: u32 = 0x0005_0000 | 1;

/// Offsets in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;
const fn low(argument: u32) -> u32 {
    16 + 8 * argument
}
const fn high(argument: u32) -> u32 {
    low(argument) + 4
}

/// Calls whose every form is harmless: sched_yield, gettid, exit, each with its number.
const HARMLESS: [u32; 3] = [24, 186, 60];
/// Calls that end the domain: rt_sigreturn, exit_group.
const ENDING: [u32; 2] = [15, 231];
const CLOCK_GETTIME: u32 = 228;
/// Clocks from this number on, and negative ones, are other processes' or devices' (clock_gettime(2)).
const CLOCKS: u32 = 12;
const FUTEX: u32 = 202;
/// FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME.
const FUTEX_FLAGS: u32 = 128 | 256;
/// FUTEX_WAIT, WAKE, WAIT_BITSET, WAKE_BITSET: they touch one word.
const FUTEX_KINDS: [u32; 4] = [0, 1, 9, 10];

const fn load(offset: u32) -> Instruction {
    (0x20, 0, 0, offset)
}
const fn and(mask: u32) -> Instruction {
    (0x54, 0, 0, mask)
}
const fn answer(value: u32) -> Instruction {
    (0x06, 0, 0, value)
}
/// The next `skip` instructions are left out unless the loaded value equals `value`.
const fn unless_equal(value: u32, skip: u8) -> Instruction {
    (0x15, 0, skip, value)
}
/// The next `skip` instructions are left out unless the loaded value is at least `value`.
const fn unless_at_least(value: u32, skip: u8) -> Instruction {
    (0x35, 0, skip, value)
}

/// The filter of a domain whose window begins at `window`. None if that is no window's address.
pub fn filter(window: u64) -> Option<Vec<Instruction>> {
    let upper = u32::try_from(window / WINDOW).ok()?;
    if upper == 0 || upper >= 1 << 15 || !window.is_multiple_of(WINDOW) {
        return None;
    }
    let mut program = vec![
        load(ARCH),
        (0x15, 1, 0, ARCHITECTURE),
        answer(TRAP),
        load(NUMBER),
        unless_at_least(X32, 1),
        answer(TRAP),
    ];
    for number in ENDING {
        program.extend([unless_equal(number, 1), answer(TRAP)]);
    }
    for number in HARMLESS {
        program.extend([unless_equal(number, 1), answer(ALLOW)]);
    }
    program.extend([
        unless_equal(CLOCK_GETTIME, 4),
        load(low(0)),
        unless_at_least(CLOCKS, 1),
        answer(EPERM),
        answer(ALLOW),
    ]);
    let mut futex = vec![
        load(high(0)),
        (0x15, 1, 0, upper),
        answer(EPERM),
        load(low(1)),
        and(!FUTEX_FLAGS),
    ];
    for kind in FUTEX_KINDS {
        futex.extend([unless_equal(kind, 1), answer(ALLOW)]);
    }
    futex.push(answer(EPERM));
    program.push(unless_equal(FUTEX, u8::try_from(futex.len()).ok()?));
    program.extend(futex);
    program.push(answer(EPERM));
    Some(program)
}

/// A filter as the kernel reads it: a `struct sock_fprog` that lies at `address`, and its instructions right
/// behind it. None if it has too many.
pub fn image(program: &[Instruction], address: u64) -> Option<Vec<u8>> {
    const HEAD: u64 = 16;
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&u16::try_from(program.len()).ok()?.to_le_bytes());
    bytes.resize(8, 0);
    bytes.extend_from_slice(&address.checked_add(HEAD)?.to_le_bytes());
    for (code, if_true, if_false, value) in program {
        bytes.extend_from_slice(&code.to_le_bytes());
        bytes.extend_from_slice(&[*if_true, *if_false]);
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: u64 = 0x7f12_0000_0000;

    /// What the kernel would make of a call: classic BPF, as far as the filter uses it.
    fn run(arch: u32, number: u32, arguments: [u64; 6]) -> u32 {
        let mut data = Vec::new();
        data.extend_from_slice(&number.to_le_bytes());
        data.extend_from_slice(&arch.to_le_bytes());
        data.extend_from_slice(&[0; 8]);
        for argument in arguments {
            data.extend_from_slice(&argument.to_le_bytes());
        }
        let program = filter(OURS).unwrap();
        let (mut at, mut value) = (0, 0);
        loop {
            let (code, if_true, if_false, k) = program[at];
            at += 1;
            let jump = |holds: bool| usize::from(if holds { if_true } else { if_false });
            match code {
                0x20 => {
                    let from = k as usize;
                    value = u32::from_le_bytes(data[from..from + 4].try_into().unwrap());
                }
                0x54 => value &= k,
                0x15 => at += jump(value == k),
                0x35 => at += jump(value >= k),
                0x06 => return k,
                other => panic!("{other:#x}"),
            }
        }
    }

    fn call(number: u32, arguments: &[u64]) -> u32 {
        let mut all = [0; 6];
        all[..arguments.len()].copy_from_slice(arguments);
        run(ARCHITECTURE, number, all)
    }

    #[test]
    fn of_all_numbers_only_the_harmless_pass_without_a_look_at_arguments() {
        for number in 0..2000 {
            let wanted = match number {
                24 | 60 | 186 => ALLOW,
                15 | 231 => TRAP,
                // Clock 0 is everybody's.
                228 => ALLOW,
                _ => EPERM,
            };
            assert_eq!(call(number, &[]), wanted, "call {number}");
        }
    }

    #[test]
    fn other_architectures_and_x32_end_the_domain() {
        for number in [0, 60, 186, 202] {
            assert_eq!(run(0x4000_0003, number, [OURS; 6]), TRAP);
            assert_eq!(call(number | X32, &[OURS]), TRAP);
            assert_eq!(call(number | 1 << 31, &[OURS]), TRAP);
        }
    }

    #[test]
    fn a_futex_is_a_word_of_the_own_window_and_waits_or_wakes() {
        for address in [OURS, OURS + WINDOW - 4] {
            for kind in 0..64 {
                for flags in [0, 128, 256, 384] {
                    let allowed = [0, 1, 9, 10].contains(&kind);
                    let got = call(FUTEX, &[address, kind | flags]);
                    assert_eq!(got, if allowed { ALLOW } else { EPERM }, "{kind}");
                }
            }
        }
        for address in [0, OURS - 4, OURS + WINDOW, OURS | 1 << 63, u64::MAX] {
            assert_eq!(call(FUTEX, &[address, 1]), EPERM, "{address:#x}");
        }
    }

    #[test]
    fn clocks_of_others_are_refused() {
        assert_eq!(call(CLOCK_GETTIME, &[11]), ALLOW);
        assert_eq!(call(CLOCK_GETTIME, &[12]), EPERM);
        assert_eq!(call(CLOCK_GETTIME, &[u64::MAX]), EPERM);
    }

    #[test]
    fn there_is_no_filter_for_what_is_no_window() {
        for address in [0, 4096, OURS + 4096, 1 << 47, 1 << 63] {
            assert_eq!(filter(address), None, "{address:#x}");
        }
    }

    #[test]
    fn the_kernels_form_is_a_length_a_pointer_and_eight_bytes_for_each_instruction() {
        let program = filter(OURS).unwrap();
        let bytes = image(&program, OURS + 4096).unwrap();
        assert_eq!(usize::from(bytes[0]), program.len());
        assert_eq!(bytes[8..16], (OURS + 4096 + 16).to_le_bytes());
        assert_eq!(bytes.len(), 16 + 8 * program.len());
        assert_eq!(bytes[16..24], [0x20, 0, 0, 0, 4, 0, 0, 0]);
    }
}
