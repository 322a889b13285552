//! Address space that is set aside for domains, and memory in it.
//!
//! A [`Region`] is reserved without access and stays this process's for good: what is mapped in it replaces
//! a part of the reservation, and what is unmapped becomes reservation again, so nothing else ever
//! lands there. No Rust reference points into it but to futex words; bytes are copied.
//!
//! [`Region::map`], [`Region::map_image`] and [`Region::protect`] are the only calls of the supervisor that
//! give a page a key, and none of them gives a page access before it has its key, but for sealed code.
//!
//! An attacker controls: the contents of every page that a domain may write, at any time.

#![expect(
    unsafe_code,
    reason = "mmap(2), pkey_mprotect(2), copies through raw pointers"
)]

use crate::futex::{self, Scope};
use crate::{check, last_errno};
use keylane_policy::memory::{Key, PAGE, Pages, Protection};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Reserved address space.
#[derive(Debug)]
pub struct Region {
    pages: Pages,
}

fn outside(at: u64, count: u64) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        format!("{count} bytes at {at:#x}, outside of the region"),
    )
}

fn flags(protection: Protection) -> libc::c_int {
    match protection {
        Protection::None => libc::PROT_NONE,
        Protection::Read => libc::PROT_READ,
        Protection::Write => libc::PROT_READ | libc::PROT_WRITE,
        Protection::Execute => libc::PROT_READ | libc::PROT_EXEC,
    }
}

fn address(at: u64) -> io::Result<usize> {
    usize::try_from(at).map_err(io::Error::other)
}

/// mmap(2) where the kernel likes, or at a fixed place.
fn mmap(
    at: Option<u64>,
    length: u64,
    protection: libc::c_int,
    file: Option<(BorrowedFd<'_>, u64)>,
) -> io::Result<u64> {
    let mut flags = libc::MAP_PRIVATE | libc::MAP_NORESERVE;
    if at.is_some() {
        flags |= libc::MAP_FIXED;
    }
    let (fd, offset) = match file {
        Some((fd, offset)) => (fd.as_raw_fd(), offset),
        None => {
            flags |= libc::MAP_ANONYMOUS;
            (-1, 0)
        }
    };
    let place = std::ptr::without_provenance_mut::<libc::c_void>(address(at.unwrap_or(0))?);
    let offset = i64::try_from(offset).map_err(io::Error::other)?;
    // SAFETY: without MAP_FIXED the kernel takes an unused range, so no memory that exists changes. With it,
    // `at` and `length` lie in a region (each caller checked them by `Region::inside`), which belongs to this
    // module alone and into which no reference is kept across a call of it.
    let answer = unsafe { libc::mmap(place, address(length)?, protection, flags, fd, offset) };
    if answer == libc::MAP_FAILED {
        return Err(last_errno());
    }
    u64::try_from(answer.addr()).map_err(io::Error::other)
}

fn munmap(at: u64, length: u64) -> io::Result<()> {
    if length == 0 {
        return Ok(());
    }
    let place = std::ptr::without_provenance_mut::<libc::c_void>(address(at)?);
    // SAFETY: the callers pass parts of a mapping that `Region::reserve` has just made and given to nobody.
    check(unsafe { libc::munmap(place, address(length)?) }.into()).map(|_zero| ())
}

impl Region {
    /// Reserves `length` bytes at a multiple of `alignment`, a power of two and at least a page.
    pub fn reserve(length: u64, alignment: u64) -> io::Result<Region> {
        let is_sound = alignment.is_power_of_two() && alignment >= PAGE;
        let whole = length.checked_add(alignment).filter(|_| is_sound);
        let whole = whole.ok_or_else(|| outside(0, length))?;
        let taken = mmap(None, whole, libc::PROT_NONE, None)?;
        let start = taken.next_multiple_of(alignment);
        let pages = Pages::new(start, length).ok_or_else(|| outside(start, length))?;
        munmap(taken, start - taken)?;
        munmap(pages.end(), taken + whole - pages.end())?;
        Ok(Region { pages })
    }

    /// All of it.
    pub fn pages(&self) -> Pages {
        self.pages
    }

    fn inside(&self, pages: Pages) -> io::Result<()> {
        if self.pages.contains(pages) {
            Ok(())
        } else {
            Err(outside(pages.start(), pages.length()))
        }
    }

    /// Maps private zeros without access, and gives them the key.
    pub fn map(&self, pages: Pages, key: Key) -> io::Result<()> {
        self.inside(pages)?;
        mmap(Some(pages.start()), pages.length(), libc::PROT_NONE, None)?;
        self.protect(pages, Protection::None, key)
    }

    /// Maps pages of a sealed image, readable and executable, and gives them the key. They carry key 0 for a
    /// moment: a process that refuses new code (`keys::refuse_new_code`) cannot make them executable later, and
    /// nobody can write them.
    pub fn map_image(
        &self,
        pages: Pages,
        image: BorrowedFd<'_>,
        offset: u64,
        key: Key,
    ) -> io::Result<()> {
        self.inside(pages)?;
        let protection = flags(Protection::Execute);
        mmap(
            Some(pages.start()),
            pages.length(),
            protection,
            Some((image, offset)),
        )?;
        self.protect(pages, Protection::Execute, key)
    }

    /// Changes the protection of pages and gives them the key (pkey_mprotect(2)).
    pub fn protect(&self, pages: Pages, protection: Protection, key: Key) -> io::Result<()> {
        self.inside(pages)?;
        // SAFETY: pkey_mprotect changes what may be done with pages that lie in the region (checked above), into
        // which no reference is kept; with PROT_EXEC the kernel takes an explicit key, so none of its own.
        let answer = unsafe {
            libc::syscall(
                libc::SYS_pkey_mprotect,
                address(pages.start())?,
                address(pages.length())?,
                flags(protection),
                libc::c_int::from(key.number()),
            )
        };
        check(answer).map(|_zero| ())
    }

    /// Makes pages reservation again: their contents and their key are gone.
    pub fn unmap(&self, pages: Pages) -> io::Result<()> {
        self.inside(pages)?;
        mmap(Some(pages.start()), pages.length(), libc::PROT_NONE, None).map(|_start| ())
    }

    fn range(&self, at: u64, count: usize) -> io::Result<*mut u8> {
        let count = u64::try_from(count).map_err(io::Error::other)?;
        match at.checked_add(count) {
            Some(end) if at >= self.pages.start() && end <= self.pages.end() => {
                Ok(std::ptr::with_exposed_provenance_mut(address(at)?))
            }
            _ => Err(outside(at, count)),
        }
    }

    /// Copies bytes into the region. The pages must be writable and their key open for this thread, else it
    /// dies: the caller's ledger says so.
    pub fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let to = self.range(at, bytes.len())?;
        // SAFETY: the source is a slice; the target lies in the region (checked by `range`), where no
        // slice points, so they do not overlap. A page without access ends the thread, which is no access.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
        Ok(())
    }

    /// Copies bytes out of the region; see [`Region::write`] for what must be readable.
    pub fn read(&self, at: u64, count: usize) -> io::Result<Vec<u8>> {
        let from = self.range(at, count)?;
        let mut bytes = vec![0; count];
        // SAFETY: as in `write`, with the target a fresh vector of `count` bytes. What a domain writes
        // meanwhile makes a mixture, which whoever parses it parses in this copy.
        unsafe { std::ptr::copy_nonoverlapping(from.cast_const(), bytes.as_mut_ptr(), count) };
        Ok(bytes)
    }

    fn word(&self, at: u64) -> io::Result<&AtomicU32> {
        let pointer = self.range(at, 4)?.cast::<u32>();
        if !at.is_multiple_of(4) {
            return Err(outside(at, 4));
        }
        // SAFETY: from_ptr wants an aligned pointer (checked above) into memory that stays mapped, which the region
        // is for good, and that is accessed atomically: a word is accessed by this module's atomics, and by the
        // domain's machine code, which no rule of Rust's binds.
        Ok(unsafe { AtomicU32::from_ptr(pointer) })
    }

    /// A word, with acquire ordering; see [`Region::write`] for what must be readable.
    pub fn load(&self, at: u64) -> io::Result<u32> {
        Ok(self.word(at)?.load(Ordering::Acquire))
    }

    /// Stores a word, with release ordering.
    pub fn store(&self, at: u64, value: u32) -> io::Result<()> {
        self.word(at)?.store(value, Ordering::Release);
        Ok(())
    }

    /// Waits until a word is woken, is not `expected`, or `patience` is over; the caller looks again.
    pub fn wait(&self, at: u64, expected: u32, patience: Duration) -> io::Result<()> {
        futex::wait(self.word(at)?, expected, patience, Scope::Threads)
    }

    /// Wakes whoever waits on a word.
    pub fn wake(&self, at: u64) -> io::Result<()> {
        futex::wake(self.word(at)?, Scope::Threads)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_aligned_and_nothing_beyond_it_is_touched() {
        let region = Region::reserve(1 << 20, 1 << 20).unwrap();
        let pages = region.pages();
        assert!(pages.start().is_multiple_of(1 << 20) && pages.length() == 1 << 20);
        let beyond = Pages::new(pages.end(), PAGE).unwrap();
        let across = Pages::new(pages.end() - PAGE, 2 * PAGE).unwrap();
        let before = Pages::new(pages.start() - PAGE, PAGE).unwrap();
        let key = Key::try_from(1).unwrap();
        for wrong in [beyond, across, before] {
            assert!(region.map(wrong, key).is_err());
            assert!(region.unmap(wrong).is_err());
            assert!(region.protect(wrong, Protection::Write, key).is_err());
            assert!(region.read(wrong.end() - 1, 2).is_err() || wrong == before);
            assert!(region.write(wrong.start(), &[0; 2 * 4096]).is_err());
        }
        assert!(region.load(pages.end() - 2).is_err());
        assert!(region.load(pages.end()).is_err());
        assert!(region.read(u64::MAX, 2).is_err());
        assert!(Region::reserve(4096, 3).is_err());
    }
}
