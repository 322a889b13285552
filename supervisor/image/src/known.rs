//! The few places where a C library holds a forbidden instruction on purpose, and how they are made harmless.
//!
//! Overwriting whatever is found would corrupt code: the bytes may be part of a displacement or of two
//! instructions. So a place is recognised by the instructions around it, by its symbol where the file has
//! symbols, and by how many there are. A file's hash plays no part: an update of the distribution that leaves
//! these instructions as they are is taken. What a file claims by all this only decides whether its code
//! still works: the result is searched again, and holds nothing.
//!
//! Sources: glibc, sysdeps/x86_64/dl-trampoline.h and dl-tlsdesc-dynamic.h,
//! sysdeps/unix/sysv/linux/x86/pkey_set.c; the context as disassembled from glibc 2.36.

use crate::finds::Find;
use keylane_policy::instruction::Instruction;

/// UD2, which ends who gets there with SIGILL, and what fills the rest.
const ILLEGAL: [u8; 2] = [0x0f, 0x0b];
const NOP: u8 = 0x90;

/// RDPKRU, which `pkey_set` executes first.
const RDPKRU: [u8; 3] = [0x0f, 0x01, 0xee];
/// Bytes of code before a WRPKRU in which that must stand.
const PKEY_SET_BYTES: usize = 64;

/// A kind of place.
#[derive(Debug)]
pub(crate) struct Site {
    /// What it is, for messages.
    pub(crate) name: &'static str,
    /// Symbols that it may have. None of a file's symbols may say otherwise.
    symbols: &'static [&'static str],
    /// Whether a symbol must say so.
    needs_symbol: bool,
    /// How many of it a file has, if it has any.
    pub(crate) count: usize,
    instruction: Instruction,
    /// The length of the instruction in these bytes of code, if what stands around it is as it must be.
    length: fn(before: &[u8], from: &[u8]) -> Option<usize>,
}

/// All of them.
pub(crate) static SITES: [Site; 3] = [
    Site {
        name: "pkey_set of the C library",
        symbols: &["pkey_set", "__pkey_set"],
        needs_symbol: true,
        count: 1,
        instruction: Instruction::Wrpkru,
        length: in_pkey_set,
    },
    Site {
        name: "the lazy resolver of ld.so",
        symbols: &["_dl_runtime_resolve_xsave", "_dl_runtime_resolve_xsavec"],
        needs_symbol: false,
        count: 2,
        instruction: Instruction::Xrstor,
        length: in_resolver,
    },
    Site {
        name: "the slow path of TLS descriptors of ld.so",
        symbols: &["_dl_tlsdesc_dynamic_xsave", "_dl_tlsdesc_dynamic_xsavec"],
        needs_symbol: true,
        count: 2,
        instruction: Instruction::Xrstor,
        length: behind_mask,
    },
];

/// `rdpkru ... wrpkru; xor %eax,%eax`.
fn in_pkey_set(before: &[u8], from: &[u8]) -> Option<usize> {
    let near = before.get(before.len().saturating_sub(PKEY_SET_BYTES)..)?;
    let reads = near.windows(RDPKRU.len()).any(|bytes| bytes == RDPKRU);
    let ends = from.get(3..5)? == [0x31, 0xc0];
    (reads && ends).then_some(3)
}

/// `mov $MASK,%eax; xor %edx,%edx; xrstor 0x40(%rsp); mov 0x30(%rsp),%r9`.
fn in_resolver(before: &[u8], from: &[u8]) -> Option<usize> {
    let length = behind_mask(before, from)?;
    (from.get(length..length + 5)? == [0x4c, 0x8b, 0x4c, 0x24, 0x30]).then_some(length)
}

/// `mov $MASK,%eax; xor %edx,%edx; xrstor DISPLACEMENT(%rsp)`, where the mask leaves PKRU alone.
fn behind_mask(before: &[u8], from: &[u8]) -> Option<usize> {
    let [.., 0xb8, a, b, c, d, 0x31, 0xd2] = before else {
        return None;
    };
    let restores_pkru = u32::from_le_bytes([*a, *b, *c, *d]) & 1 << 9 != 0;
    let length = match from {
        [0x0f, 0xae, 0x6c, 0x24, ..] => 5,
        [0x0f, 0xae, 0xac, 0x24, ..] => 8,
        _ => return None,
    };
    (!restores_pkru && from.len() >= length).then_some(length)
}

/// A change of bytes: the same length, another content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Offset in the file.
    pub offset: u64,
    /// What stands there instead.
    pub bytes: Vec<u8>,
    /// Which place it is, by name.
    pub site: &'static str,
}

/// The change that makes a find harmless, if it is a known place; `code` is the file.
pub(crate) fn recognise(find: &Find, code: &[u8]) -> Option<Change> {
    let at = usize::try_from(find.offset).ok()?;
    let (before, from) = code.split_at_checked(at)?;
    let symbol = find.place.symbol.as_ref().map(|(name, _)| name.as_str());
    SITES.iter().find_map(|site| {
        let named = match symbol {
            Some(symbol) => site.symbols.contains(&symbol),
            None => !site.needs_symbol,
        };
        if !named || site.instruction != find.pattern.instruction {
            return None;
        }
        let length = (site.length)(before, from)?;
        let mut bytes = ILLEGAL.to_vec();
        bytes.resize(length, NOP);
        Some(Change {
            offset: find.offset,
            bytes,
            site: site.name,
        })
    })
}
