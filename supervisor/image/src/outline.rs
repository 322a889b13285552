//! What an ELF file says about its mapping: the program headers, which the kernel and ld.so go by.
//!
//! Sections play no part in it; they only name things ([`crate::names`]). Sources: elf(5), the
//! kernel's fs/binfmt_elf.c, glibc's elf/dl-load.c.

use crate::source::{Source, piece};
use object::elf::{FileHeader32, FileHeader64};
use object::pod::{Pod, slice_from_bytes};
use object::read::elf::{Dyn, FileHeader, ProgramHeader};
use object::{Endianness, elf};
use std::fmt;
use std::ops::Range;

/// The unit of mappings.
pub const PAGE: u64 = 4096;

/// Load segments of one file. Linkers write four to six; the kernel's image has the most, about a dozen.
const SEGMENTS: usize = 128;

/// Bytes of a dynamic section that are read; large programs have some 50 entries of 16 bytes.
const DYNAMIC_BYTES: u64 = 64 * 1024;

/// Why a file that says it is ELF cannot be read as such.
#[derive(Debug)]
pub enum ElfError {
    /// Reading failed.
    Unreadable(std::io::Error),
    /// A class or byte order that does not exist.
    Unknown {
        /// What is not known.
        what: &'static str,
        /// What the file says.
        value: u8,
    },
    /// A part of the headers lies beyond the end of the file.
    Cut {
        /// Which part.
        what: &'static str,
        /// Where it should begin.
        offset: u64,
    },
    /// Program headers of a size that the kernel does not take.
    EntrySize(u16),
    /// More program headers than anything real has.
    Segments(usize),
    /// A segment that ends beyond the largest number.
    Overflow {
        /// Which of the program headers.
        index: usize,
    },
}

impl fmt::Display for ElfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ElfError::Unreadable(error) => write!(f, "reading failed: {error}"),
            ElfError::Unknown { what, value } => write!(f, "an ELF file of unknown {what} {value}"),
            ElfError::Cut { what, offset } => {
                write!(
                    f,
                    "{what} at offset {offset:#x} lie beyond the end of the file"
                )
            }
            ElfError::EntrySize(size) => write!(f, "program headers of {size} bytes each"),
            ElfError::Segments(count) => {
                write!(f, "{count} program headers, over the limit of {SEGMENTS}")
            }
            ElfError::Overflow { index } => {
                write!(f, "program header {index} ends beyond the address space")
            }
        }
    }
}

impl std::error::Error for ElfError {}

impl From<std::io::Error> for ElfError {
    fn from(error: std::io::Error) -> ElfError {
        ElfError::Unreadable(error)
    }
}

/// A load segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its first address, before the file is moved to where it is mapped.
    pub address: u64,
    /// Bytes in memory.
    pub memory: u64,
    /// Its first byte in the file.
    pub offset: u64,
    /// Bytes from the file.
    pub file: u64,
    /// Whether its pages become writable.
    pub writable: bool,
    /// Whether its pages become executable.
    pub executable: bool,
}

impl Segment {
    /// The bytes of the file that its mapping shows: in whole pages, so also what stands before and
    /// after it in its first and last page. May end beyond the file.
    pub fn file_pages(&self) -> Range<u64> {
        pages(self.offset, self.file)
    }

    /// The addresses at which they appear.
    pub fn address_pages(&self) -> Range<u64> {
        pages(self.address, self.file)
    }

    /// Whether offset and address have the same place in a page, without which nobody maps it.
    pub fn is_aligned(&self) -> bool {
        self.offset % PAGE == self.address % PAGE
    }

    /// The address of a byte of the file in its pages.
    pub fn address_of(&self, offset: u64) -> u64 {
        self.address.wrapping_add(offset.wrapping_sub(self.offset))
    }

    /// The offset in the file of an address in its pages.
    pub fn offset_of(&self, address: u64) -> u64 {
        self.offset.wrapping_add(address.wrapping_sub(self.address))
    }
}

/// Whole pages; neither sum overflows, because [`Outline::read`] refuses segments near the end.
fn pages(start: u64, size: u64) -> Range<u64> {
    if size == 0 {
        return start..start;
    }
    let end = start.saturating_add(size);
    start / PAGE * PAGE..end.div_ceil(PAGE).saturating_mul(PAGE)
}

/// What a file says about stacks (PT_GNU_STACK). Without the header ld.so makes them executable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stack {
    /// They need not be executable.
    Plain,
    /// They must be executable.
    Executable,
    /// It says nothing.
    Unsaid,
}

/// What of a file is mapped, and how.
#[derive(Clone, Debug)]
pub struct Outline {
    /// Load segments in the order of the file.
    pub segments: Vec<Segment>,
    /// The machine that it is for (e_machine).
    pub machine: u16,
    /// What it says about stacks.
    pub stack: Stack,
    /// Whether it asks for its code to be changed when it is loaded (DT_TEXTREL, DF_TEXTREL).
    pub text_relocations: bool,
    /// Bytes of the file.
    pub length: u64,
    pub(crate) shape: Shape,
    pub(crate) sections: Sections,
}

/// Class and byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) wide: bool,
    pub(crate) endian: Endianness,
}

/// Where the section headers are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sections {
    pub(crate) offset: u64,
    pub(crate) count: u16,
    pub(crate) names: u16,
}

impl Outline {
    /// Reads the headers of a file; none if it is no ELF file.
    pub fn read(source: &impl Source) -> Result<Option<Outline>, ElfError> {
        let length = source.length()?;
        let mut ident = [0; 16];
        if length < 16 {
            return Ok(None);
        }
        source.read_at(0, &mut ident)?;
        let [0x7f, b'E', b'L', b'F', class, order, ..] = ident else {
            return Ok(None);
        };
        let endian = match order {
            1 => Endianness::Little,
            2 => Endianness::Big,
            value => {
                return Err(ElfError::Unknown {
                    what: "byte order",
                    value,
                });
            }
        };
        let outline = match class {
            1 => read::<FileHeader32<Endianness>>(source, endian, length)?,
            2 => read::<FileHeader64<Endianness>>(source, endian, length)?,
            value => {
                return Err(ElfError::Unknown {
                    what: "class",
                    value,
                });
            }
        };
        Ok(Some(outline))
    }

    /// Whether it is for this machine: 64 bits, little-endian, EM_X86_64.
    pub fn is_x86_64(&self) -> bool {
        self.shape.wide
            && self.shape.endian == Endianness::Little
            && self.machine == elf::EM_X86_64.0
    }

    /// The segments whose pages become executable.
    pub fn executable(&self) -> impl Iterator<Item = &Segment> {
        self.segments
            .iter()
            .filter(|segment| segment.executable && segment.file > 0)
    }
}

/// A table of the file: `count` entries from `offset` on.
pub(crate) fn table<T: Pod>(bytes: &[u8], count: usize) -> &[T] {
    slice_from_bytes(bytes, count).map_or(&[], |(entries, _)| entries)
}

/// The size of a table's entry.
pub(crate) fn entry<T>() -> u64 {
    // Entries have some tens of bytes.
    u64::try_from(size_of::<T>()).unwrap_or(u64::MAX)
}

fn read<Elf: FileHeader<Endian = Endianness>>(
    source: &impl Source,
    endian: Endianness,
    length: u64,
) -> Result<Outline, ElfError> {
    let cut = |what, offset| move |_| ElfError::Cut { what, offset };
    let size = entry::<Elf>();
    let bytes = piece(source, 0, size, size).map_err(cut("the header's fields", 0))?;
    let [header] = table::<Elf>(&bytes, 1) else {
        return Err(ElfError::Cut {
            what: "the header's fields",
            offset: 0,
        });
    };
    let count = usize::from(header.e_phnum(endian));
    if count > SEGMENTS {
        return Err(ElfError::Segments(count));
    }
    let size = entry::<Elf::ProgramHeader>();
    if count > 0 && u64::from(header.e_phentsize(endian)) != size {
        return Err(ElfError::EntrySize(header.e_phentsize(endian)));
    }
    let offset: u64 = header.e_phoff(endian).into();
    let bytes = size * u64::from(header.e_phnum(endian));
    let bytes = piece(source, offset, bytes, bytes).map_err(cut("the program headers", offset))?;
    let mut outline = Outline {
        segments: Vec::new(),
        machine: header.e_machine(endian).0,
        stack: Stack::Unsaid,
        text_relocations: false,
        length,
        shape: Shape {
            wide: header.is_type_64(),
            endian,
        },
        sections: Sections {
            offset: header.e_shoff(endian).into(),
            count: header.e_shnum(endian),
            names: header.e_shstrndx(endian).0,
        },
    };
    for (index, header) in table::<Elf::ProgramHeader>(&bytes, count)
        .iter()
        .enumerate()
    {
        let flags = header.p_flags(endian).0;
        match header.p_type(endian) {
            elf::PT_LOAD => {
                let segment = Segment {
                    address: header.p_vaddr(endian).into(),
                    memory: header.p_memsz(endian).into(),
                    offset: header.p_offset(endian).into(),
                    file: header.p_filesz(endian).into(),
                    writable: flags & elf::PF_W.0 != 0,
                    executable: flags & elf::PF_X.0 != 0,
                };
                // A page is left, so that rounding up stays in range.
                let fits = |start: u64, size: u64| {
                    start
                        .checked_add(size)
                        .is_some_and(|end| end <= u64::MAX - PAGE)
                };
                if !fits(segment.address, segment.memory.max(segment.file))
                    || !fits(segment.offset, segment.file)
                {
                    return Err(ElfError::Overflow { index });
                }
                outline.segments.push(segment);
            }
            elf::PT_GNU_STACK if flags & elf::PF_X.0 != 0 => outline.stack = Stack::Executable,
            elf::PT_GNU_STACK => outline.stack = Stack::Plain,
            elf::PT_DYNAMIC => {
                let (offset, size) = header.file_range(endian);
                // A dynamic section that is not there asks for nothing; debug files have none.
                let bytes = piece(source, offset, size, DYNAMIC_BYTES).unwrap_or_default();
                outline.text_relocations |= asks_for_text_relocations::<Elf>(&bytes, endian);
            }
            _ => {}
        }
    }
    Ok(outline)
}

fn asks_for_text_relocations<Elf: FileHeader<Endian = Endianness>>(
    bytes: &[u8],
    endian: Endianness,
) -> bool {
    let count = bytes.len() / size_of::<Elf::Dyn>();
    table::<Elf::Dyn>(bytes, count)
        .iter()
        .map(|entry| (entry.d_tag(endian), entry.d_val(endian).into()))
        .take_while(|(tag, _): &(_, u64)| *tag != elf::DT_NULL)
        .any(|(tag, value)| {
            tag == elf::DT_TEXTREL || tag == elf::DT_FLAGS && value & TEXT_RELOCATIONS != 0
        })
}

/// DF_TEXTREL of DT_FLAGS.
const TEXT_RELOCATIONS: u64 = 4;
