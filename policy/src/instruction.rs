//! The instructions that no page of a lane may hold outside of the gate, as bytes.
//!
//! Memory protection keys do not stop instruction fetch: whatever bytes are executable, a guest can
//! jump to, at any offset. So an instruction that writes PKRU, or the base of a segment that the
//! supervisor relies on, is looked for at every offset, whatever a disassembler makes of the bytes
//! around it, in 32-bit mode as well (the encodings are the same). Prefixes do not protect: REX, segment and
//! address-size prefixes are ignored by WRPKRU, and what 66, F2, F3 and F0 do differs between
//! processors. The last three bytes decide, except where F3 is part of the encoding.
//!
//! Not here: `syscall`, `sysenter`, `int 0x80`, far calls and returns. They stand in ordinary code by
//! the thousand; system call filters stop what they lead to.
//!
//! Sources: Intel SDM vol. 2 (instruction set reference) and vol. 1 ch. 13 (XSAVE); AMD APM vol. 3
//! and 4.

/// The first byte of each pattern: the two-byte opcode map.
pub const ESCAPE: u8 = 0x0f;

/// Bytes that decide: the escape, the opcode, and the third byte (a ModRM byte or part of the opcode).
pub const OPCODE_BYTES: usize = 3;

/// Prefixes that can stand before the opcode: an instruction has at most 15 bytes (SDM vol. 2, 2.3.11).
pub const PREFIX_BYTES: usize = 15 - OPCODE_BYTES;

/// What F3 stands for where it is part of an encoding.
const REPEAT: u8 = 0xf3;

/// An instruction that is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Instruction {
    /// Writes PKRU from EAX.
    Wrpkru,
    /// Loads processor state from memory, PKRU included.
    Xrstor,
    /// As XRSTOR, for the kernel alone.
    Xrstors,
    /// Writes the base of FS.
    Wrfsbase,
    /// Writes the base of GS.
    Wrgsbase,
}

/// What is to be done about a find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing that holds it may be executable.
    Refused,
    /// It faults in user mode, and is told.
    Reported,
}

/// What the third byte must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Third {
    /// This byte.
    Exactly(u8),
    /// A ModRM byte with this opcode extension and an operand in memory (mod is not 3).
    Memory(u8),
    /// A ModRM byte with this opcode extension and a register (mod is 3).
    Register(u8),
}

impl Third {
    /// Whether a byte is one of those.
    pub const fn holds(self, byte: u8) -> bool {
        let (is_register, extension) = (byte >> 6 == 3, byte >> 3 & 7);
        match self {
            Third::Exactly(wanted) => byte == wanted,
            Third::Memory(wanted) => !is_register && extension == wanted,
            Third::Register(wanted) => is_register && extension == wanted,
        }
    }
}

/// One row: an instruction and its bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Which instruction it is.
    pub instruction: Instruction,
    /// Its name in the manuals.
    pub name: &'static str,
    /// The byte after [`ESCAPE`].
    pub second: u8,
    /// The byte after that.
    pub third: Third,
    /// Whether it is this instruction only behind an F3 prefix. Another prefix or several may stand
    /// between (66, 67, F0, F2, segments, REX).
    pub needs_repeat: bool,
    /// What is to be done about it.
    pub standing: Standing,
    /// What an attacker gets from it.
    pub effect: &'static str,
    /// Where that is written.
    pub source: &'static str,
}

/// The table.
pub static PATTERNS: [Pattern; 5] = [
    Pattern {
        instruction: Instruction::Wrpkru,
        name: "WRPKRU",
        second: 0x01,
        third: Third::Exactly(0xef),
        needs_repeat: false,
        standing: Standing::Refused,
        effect: "opens every protection key",
        source: "SDM vol. 2, WRPKRU: NP 0F 01 EF; with F3 it is STUI where that exists",
    },
    Pattern {
        instruction: Instruction::Xrstor,
        name: "XRSTOR",
        second: 0xae,
        third: Third::Memory(5),
        needs_repeat: false,
        standing: Standing::Refused,
        effect: "loads PKRU from memory; with bit 9 of XSTATE_BV clear it opens every key",
        source: "SDM vol. 2, XRSTOR: NP 0F AE /5 (mod 3 is LFENCE, or INCSSP behind F3); vol. 1, 13.8",
    },
    Pattern {
        instruction: Instruction::Xrstors,
        name: "XRSTORS",
        second: 0xc7,
        third: Third::Memory(3),
        needs_repeat: false,
        standing: Standing::Reported,
        effect: "faults outside of the kernel",
        source: "SDM vol. 2, XRSTORS: NP 0F C7 /3, #GP where CPL is not 0",
    },
    Pattern {
        instruction: Instruction::Wrfsbase,
        name: "WRFSBASE",
        second: 0xae,
        third: Third::Register(2),
        needs_repeat: true,
        standing: Standing::Refused,
        effect: "moves thread-local storage without a system call",
        source: "SDM vol. 2, WRFSBASE/WRGSBASE: F3 0F AE /2 (mod 3)",
    },
    Pattern {
        instruction: Instruction::Wrgsbase,
        name: "WRGSBASE",
        second: 0xae,
        third: Third::Register(3),
        needs_repeat: true,
        standing: Standing::Refused,
        effect: "moves the supervisor's block of the thread without a system call",
        source: "SDM vol. 2, WRFSBASE/WRGSBASE: F3 0F AE /3 (mod 3)",
    },
];

/// Whether a byte is a prefix of an instruction in 64-bit mode (SDM vol. 2, 2.1.1 and 2.2.1).
const fn is_prefix(byte: u8) -> bool {
    matches!(
        byte,
        0x26 | 0x2e | 0x36 | 0x3e | 0x64 | 0x65 | 0x66 | 0x67 | 0xf0 | 0xf2 | 0xf3 | 0x40..=0x4f
    )
}

/// The pattern that these three bytes are, if they are one; `before` is what stands in front of them, of which
/// the last [`PREFIX_BYTES`] matter.
pub fn recognise(before: &[u8], opcode: [u8; OPCODE_BYTES]) -> Option<&'static Pattern> {
    let [first, second, third] = opcode;
    if first != ESCAPE {
        return None;
    }
    PATTERNS.iter().find(|pattern| {
        pattern.second == second
            && pattern.third.holds(third)
            && (!pattern.needs_repeat || is_repeated(before))
    })
}

/// Whether F3 is among the prefixes that `before` ends with.
fn is_repeated(before: &[u8]) -> bool {
    before
        .iter()
        .rev()
        .take(PREFIX_BYTES)
        .take_while(|byte| is_prefix(**byte))
        .any(|byte| *byte == REPEAT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(before: &[u8], opcode: [u8; 3]) -> Option<&'static str> {
        recognise(before, opcode).map(|pattern| pattern.name)
    }

    #[test]
    fn of_all_opcodes_exactly_the_written_ones_are_recognised() {
        // Every ModRM byte by name, apart from the arithmetic that the table uses.
        let xrstor = [0x28..=0x2f_u8, 0x68..=0x6f, 0xa8..=0xaf];
        let xrstors = [0x18..=0x1f_u8, 0x58..=0x5f, 0x98..=0x9f];
        for second in 0..=u8::MAX {
            for third in 0..=u8::MAX {
                let within = |ranges: &[std::ops::RangeInclusive<u8>]| {
                    ranges.iter().any(|range| range.contains(&third))
                };
                let plain = match second {
                    0x01 if third == 0xef => Some("WRPKRU"),
                    0xae if within(&xrstor) => Some("XRSTOR"),
                    0xc7 if within(&xrstors) => Some("XRSTORS"),
                    _ => None,
                };
                let repeated = match (second, third) {
                    (0xae, 0xd0..=0xd7) => Some("WRFSBASE"),
                    (0xae, 0xd8..=0xdf) => Some("WRGSBASE"),
                    _ => plain,
                };
                assert_eq!(name(&[], [0x0f, second, third]), plain);
                assert_eq!(name(&[0xf3], [0x0f, second, third]), repeated);
                assert_eq!(name(&[0xf3], [0x0e, second, third]), None);
            }
        }
    }

    #[test]
    fn no_prefix_hides_a_pattern() {
        for prefix in 0..=u8::MAX {
            assert_eq!(name(&[prefix], [0x0f, 0x01, 0xef]), Some("WRPKRU"));
            assert_eq!(name(&[prefix], [0x0f, 0xae, 0x6c]), Some("XRSTOR"));
        }
    }

    #[test]
    fn f3_counts_wherever_it_stands_among_the_prefixes_and_nowhere_else() {
        let opcode = [0x0f, 0xae, 0xd8];
        for before in [
            &[0xf3][..],
            &[0xf3, 0x48],
            &[0xf3, 0x66, 0x2e, 0x41],
            &[0x90, 0x48, 0xf3, 0x67],
            &[
                0xf3, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
            ],
        ] {
            assert_eq!(name(before, opcode), Some("WRGSBASE"), "{before:x?}");
        }
        for before in [
            &[][..],
            &[0x48],
            &[0xf3, 0x90],
            &[
                0xf3, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
            ],
        ] {
            assert_eq!(name(before, opcode), None, "{before:x?}");
        }
    }

    #[test]
    fn no_pattern_holds_a_zero_so_that_zeros_beside_code_complete_none() {
        for pattern in &PATTERNS {
            assert!(
                pattern.second != 0 && !pattern.third.holds(0),
                "{}",
                pattern.name
            );
        }
    }
}
