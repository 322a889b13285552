//! The few places where a C library holds a forbidden instruction on purpose, and how they are made harmless.
//!
//! Overwriting whatever is found would corrupt code: the bytes may be part of a displacement or of two
//! instructions. So a place is recognised by the instructions around it, by its symbol where the file has
//! symbols, and by how many there are. A file's hash plays no part: an update of the distribution that leaves
//! these instructions as they are is taken. What a file claims by all this only decides whether its code
//! still works: the result is searched again, and holds nothing.
//!
//! The contexts are in `keylane_scan::context`.

use crate::finds::Find;
use keylane_policy::instruction::Instruction;
use keylane_scan::context;

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
        length: context::pkey_set,
    },
    Site {
        name: "the lazy resolver of ld.so",
        symbols: &["_dl_runtime_resolve_xsave", "_dl_runtime_resolve_xsavec"],
        needs_symbol: false,
        count: 2,
        instruction: Instruction::Xrstor,
        length: context::lazy_resolver,
    },
    Site {
        name: "the slow path of TLS descriptors of ld.so",
        symbols: &["_dl_tlsdesc_dynamic_xsave", "_dl_tlsdesc_dynamic_xsavec"],
        needs_symbol: true,
        count: 2,
        instruction: Instruction::Xrstor,
        length: context::behind_mask,
    },
];

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
        Some(Change {
            offset: find.offset,
            bytes: context::harmless(length),
            site: site.name,
        })
    })
}
