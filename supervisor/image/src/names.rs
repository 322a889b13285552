//! Names for addresses: sections and symbols.
//!
//! They decide nothing and are believed in nothing: a file may call its bytes as it likes. What is missing or
//! broken is left out.

use crate::outline::{Outline, entry, table};
use crate::source::{Source, piece};
use object::elf::{FileHeader32, FileHeader64};
use object::read::elf::{FileHeader, SectionHeader, Sym};
use object::{Endianness, elf};

/// Bytes of each table that is read: the symbols of the largest programs fit.
const TABLE_BYTES: u64 = 256 * 1024 * 1024;
/// Bytes of a name that are kept.
const NAME_BYTES: usize = 256;

/// A place by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The section that holds it.
    pub section: Option<String>,
    /// The function or label before it and the distance from there.
    pub symbol: Option<(String, u64)>,
}

/// The names of some addresses, in their order.
pub(crate) fn places(source: &impl Source, outline: &Outline, addresses: &[u64]) -> Vec<Place> {
    if addresses.is_empty() {
        return Vec::new();
    }
    if outline.shape.wide {
        named::<FileHeader64<Endianness>>(source, outline, addresses)
    } else {
        named::<FileHeader32<Endianness>>(source, outline, addresses)
    }
}

/// A section header's fields.
struct Section {
    kind: elf::SectionType,
    name: u32,
    address: u64,
    size: u64,
    offset: u64,
    link: u32,
    allocated: bool,
}

/// A symbol that names code.
struct Symbol {
    address: u64,
    size: u64,
    name: u32,
}

fn named<Elf: FileHeader<Endian = Endianness>>(
    source: &impl Source,
    outline: &Outline,
    addresses: &[u64],
) -> Vec<Place> {
    let sections = sections::<Elf>(source, outline);
    let strings = |index: usize| {
        let section = sections.get(index);
        section
            .and_then(|section| piece(source, section.offset, section.size, TABLE_BYTES).ok())
            .unwrap_or_default()
    };
    let section_names = strings(usize::from(outline.sections.names));
    // The full table where it was not stripped, else that of the dynamic linker.
    let tables = [elf::SHT_SYMTAB, elf::SHT_DYNSYM];
    let table = tables
        .iter()
        .find_map(|kind| sections.iter().find(|section| section.kind == *kind));
    let symbols = table.map_or_else(Vec::new, |table| symbols::<Elf>(source, outline, table));
    let link = table.and_then(|table| usize::try_from(table.link).ok());
    let symbol_names = link.map_or_else(Vec::new, strings);
    let place = |address: u64| Place {
        section: sections
            .iter()
            .find(|one| one.allocated && within(address, one.address, one.size))
            .and_then(|section| string(&section_names, section.name)),
        symbol: nearest(&symbols, address).and_then(|symbol| {
            let name = string(&symbol_names, symbol.name)?;
            Some((name, address - symbol.address))
        }),
    };
    addresses.iter().map(|address| place(*address)).collect()
}

fn within(address: u64, start: u64, size: u64) -> bool {
    address
        .checked_sub(start)
        .is_some_and(|distance| distance < size)
}

fn sections<Elf: FileHeader<Endian = Endianness>>(
    source: &impl Source,
    outline: &Outline,
) -> Vec<Section> {
    let (endian, at) = (outline.shape.endian, outline.sections);
    let size = entry::<Elf::SectionHeader>() * u64::from(at.count);
    let bytes = piece(source, at.offset, size, TABLE_BYTES).unwrap_or_default();
    let headers = table::<Elf::SectionHeader>(&bytes, usize::from(at.count));
    let section = |header: &Elf::SectionHeader| {
        let flags = header.sh_flags(endian).0;
        Section {
            kind: header.sh_type(endian),
            name: header.sh_name(endian),
            address: header.sh_addr(endian).into(),
            size: header.sh_size(endian).into(),
            offset: header.sh_offset(endian).into(),
            link: header.sh_link(endian),
            allocated: flags & ALLOCATED != 0,
        }
    };
    headers.iter().map(section).collect()
}

/// SHF_ALLOC.
const ALLOCATED: u64 = 2;

fn symbols<Elf: FileHeader<Endian = Endianness>>(
    source: &impl Source,
    outline: &Outline,
    section: &Section,
) -> Vec<Symbol> {
    let endian = outline.shape.endian;
    let bytes = piece(source, section.offset, section.size, TABLE_BYTES).unwrap_or_default();
    let count = bytes.len() / size_of::<Elf::Sym>();
    let mut symbols: Vec<Symbol> = table::<Elf::Sym>(&bytes, count)
        .iter()
        .filter(|symbol| {
            let code = matches!(
                symbol.st_type(),
                elf::STT_FUNC | elf::STT_NOTYPE | elf::STT_GNU_IFUNC
            );
            code && symbol.st_shndx(endian).0 != 0 && symbol.st_name(endian) != 0
        })
        .map(|symbol| Symbol {
            address: symbol.st_value(endian).into(),
            size: symbol.st_size(endian).into(),
            name: symbol.st_name(endian),
        })
        .collect();
    symbols.sort_by_key(|symbol| (symbol.address, symbol.size));
    symbols
}

/// The last symbol at or before an address that has no size or reaches it.
fn nearest(symbols: &[Symbol], address: u64) -> Option<&Symbol> {
    let before = symbols.partition_point(|symbol| symbol.address <= address);
    let symbol = symbols.get(before.checked_sub(1)?)?;
    (symbol.size == 0 || within(address, symbol.address, symbol.size)).then_some(symbol)
}

fn string(strings: &[u8], at: u32) -> Option<String> {
    let rest = strings.get(usize::try_from(at).ok()?..)?;
    let name = rest.split(|byte| *byte == 0).next()?;
    let name = name.get(..NAME_BYTES.min(name.len()))?;
    (!name.is_empty()).then(|| String::from_utf8_lossy(name).into_owned())
}
