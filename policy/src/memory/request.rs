//! Calls for memory, as a domain asks: numbers, copied once, made into what they mean or refused.
//!
//! Sources: mmap(2), mprotect(2), mremap(2), madvise(2), brk(2); numbers from the kernel's
//! arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/mman-common.h.

use super::page::{Pages, Protection};

/// Why a request is refused: the number that the caller gets, negated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errno {
    /// EPERM: never a domain's to ask.
    NotPermitted,
    /// EACCES: the protection does not go with what is there.
    Access,
    /// ENOMEM: no room, no such mapping, or the quota.
    NoMemory,
    /// EINVAL: arguments that are not understood, or not served.
    Invalid,
    /// EBADF: not a file that can be mapped.
    BadFile,
    /// EEXIST: something is there already.
    Exists,
}

impl Errno {
    /// Its number (errno(3)).
    pub fn number(self) -> i32 {
        match self {
            Errno::NotPermitted => 1,
            Errno::BadFile => 9,
            Errno::NoMemory => 12,
            Errno::Access => 13,
            Errno::Exists => 17,
            Errno::Invalid => 22,
        }
    }
}

/// A system call's number and arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raw {
    /// The call's number on x86_64.
    pub number: u64,
    /// Its arguments in their order.
    pub arguments: [u64; 6],
}

/// Where a mapping is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Anywhere; a hint is not taken.
    Anywhere,
    /// There, in the place of whatever is there (MAP_FIXED).
    Instead(u64),
    /// There, if nothing is (MAP_FIXED_NOREPLACE).
    Free(u64),
}

/// What a mapping shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backing {
    /// Zeros.
    Anonymous,
    /// A private copy of a file.
    File(File),
}

/// A file to map, by the caller's descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    /// The descriptor's number in the caller's table.
    pub descriptor: i32,
    /// Where in the file.
    pub offset: u64,
}

/// What madvise(2) is asked for, of what is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// MADV_DONTNEED.
    DontNeed,
    /// MADV_FREE.
    Free,
    /// Advice that changes nothing about a page's content: taken and not followed.
    Hint,
}

/// A call for memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// mmap.
    Map {
        /// Where.
        place: Place,
        /// Bytes, not 0.
        length: u64,
        /// What may be done with them.
        protection: Protection,
        /// What they show.
        backing: Backing,
    },
    /// munmap.
    Unmap(Pages),
    /// mprotect; none is a length of 0, which changes nothing.
    Protect(Option<Pages>, Protection),
    /// mremap, which may move.
    Resize {
        /// The pages as they are.
        old: Pages,
        /// Bytes as they shall be, not 0.
        length: u64,
        /// Whether they may move.
        may_move: bool,
    },
    /// madvise; none is a length of 0.
    Advise(Option<Pages>, Advice),
    /// brk.
    Break(u64),
}

const MMAP: u64 = 9;
const MPROTECT: u64 = 10;
const MUNMAP: u64 = 11;
const BRK: u64 = 12;
const MREMAP: u64 = 25;
const MADVISE: u64 = 28;

const MAP_SHARED: u64 = 1;
const MAP_PRIVATE: u64 = 2;
const MAP_TYPE: u64 = 15;
const MAP_FIXED: u64 = 0x10;
const MAP_ANONYMOUS: u64 = 0x20;
const MAP_FIXED_NOREPLACE: u64 = 0x10_0000;
/// MAP_DENYWRITE, MAP_NORESERVE and MAP_STACK: without effect here or in the kernel.
const MAP_IDLE: u64 = 0x800 | 0x4000 | 0x2_0000;

const MREMAP_MAYMOVE: u64 = 1;

/// MADV_NORMAL, RANDOM, SEQUENTIAL, WILLNEED, HUGEPAGE, NOHUGEPAGE, DONTDUMP.
const HINTS: [u64; 7] = [0, 1, 2, 3, 14, 15, 16];
const MADV_DONTNEED: u64 = 4;
const MADV_FREE: u64 = 8;

impl TryFrom<Raw> for Request {
    type Error = Errno;

    fn try_from(raw: Raw) -> Result<Request, Errno> {
        let [first, second, third, fourth, fifth, sixth] = raw.arguments;
        let pages = || Pages::new(first, second).ok_or(Errno::Invalid);
        // A length of 0 asks for nothing, at any page.
        let some_pages = || {
            if second == 0 {
                Ok(None)
            } else {
                pages().map(Some)
            }
        };
        match raw.number {
            MMAP => map([first, second, third, fourth], fifth, sixth),
            MUNMAP => Ok(Request::Unmap(pages()?)),
            MPROTECT => Ok(Request::Protect(some_pages()?, protection(third)?)),
            MREMAP => {
                if fourth & !MREMAP_MAYMOVE != 0 || third == 0 {
                    return Err(Errno::Invalid);
                }
                let may_move = fourth & MREMAP_MAYMOVE != 0;
                // An old length of 0 would make a second mapping of the same pages.
                Ok(Request::Resize {
                    old: pages()?,
                    length: third,
                    may_move,
                })
            }
            MADVISE => {
                let advice = match third {
                    MADV_DONTNEED => Advice::DontNeed,
                    MADV_FREE => Advice::Free,
                    hint if HINTS.contains(&hint) => Advice::Hint,
                    _ => return Err(Errno::Invalid),
                };
                Ok(Request::Advise(some_pages()?, advice))
            }
            BRK => Ok(Request::Break(first)),
            _ => Err(Errno::NotPermitted),
        }
    }
}

/// PROT_ bits: 1 read, 2 write, 4 execute; all others are refused.
fn protection(bits: u64) -> Result<Protection, Errno> {
    match bits {
        0 => Ok(Protection::None),
        1 => Ok(Protection::Read),
        // On x86 what can be written can be read.
        2 | 3 => Ok(Protection::Write),
        // And the kernel makes what can be executed readable, unless it takes a key of its own for it: a key is
        // always given.
        4 | 5 => Ok(Protection::Execute),
        6 | 7 => Err(Errno::Access),
        _ => Err(Errno::Invalid),
    }
}

fn map(arguments: [u64; 4], descriptor: u64, offset: u64) -> Result<Request, Errno> {
    let [address, length, bits, flags] = arguments;
    let known = MAP_TYPE | MAP_FIXED | MAP_FIXED_NOREPLACE | MAP_ANONYMOUS | MAP_IDLE;
    if flags & !known != 0 || length == 0 {
        return Err(Errno::Invalid);
    }
    let protection = protection(bits)?;
    let is_anonymous = flags & MAP_ANONYMOUS != 0;
    match flags & MAP_TYPE {
        MAP_PRIVATE => {}
        // Nobody shares anonymous memory with a domain, which does not fork. A file's pages, however,
        // would be written for everybody, or be changed by others after they were read.
        MAP_SHARED if is_anonymous => {}
        MAP_SHARED => return Err(Errno::Access),
        _ => return Err(Errno::Invalid),
    }
    let place = if flags & MAP_FIXED_NOREPLACE != 0 {
        Place::Free(address)
    } else if flags & MAP_FIXED != 0 {
        Place::Instead(address)
    } else {
        Place::Anywhere
    };
    let backing = if is_anonymous {
        Backing::Anonymous
    } else {
        // The kernel reads the lower 32 bits of a descriptor.
        let descriptor = i32::try_from(descriptor & 0xffff_ffff).map_err(|_| Errno::BadFile)?;
        if !offset.is_multiple_of(super::PAGE) || offset.checked_add(length).is_none() {
            return Err(Errno::Invalid);
        }
        Backing::File(File { descriptor, offset })
    };
    Ok(Request::Map {
        place,
        length,
        protection,
        backing,
    })
}
