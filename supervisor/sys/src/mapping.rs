//! A shared mapping of a channel, and the futex words in it.
//!
//! The other side writes these bytes whenever it likes, so no Rust reference to them ever exists:
//! words are read and written as atomics, bodies are copied in and out through raw pointers.
//! Every offset is checked against the mapping's own length before it is used.

#![expect(unsafe_code, reason = "mmap(2) and copies through raw pointers")]

use crate::futex::{self, Scope};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// A readable and writable shared mapping of a whole memfd.
#[derive(Debug)]
pub struct Mapping {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: the mapping is plain memory that no reference points to; every access goes through an
// atomic or a raw copy, which may happen on any thread.
unsafe impl Send for Mapping {}
// SAFETY: as above; concurrent accesses are atomics, or copies whose result is untrusted anyway.
unsafe impl Sync for Mapping {}

fn out_of_range(at: usize, count: usize) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        format!("{count} bytes at {at} of a mapping"),
    )
}

impl Mapping {
    /// Maps `length` bytes of `fd`, whose size is sealed and at least `length`: the caller made
    /// it with [`crate::body::fixed_size`].
    pub fn shared(fd: impl AsFd, length: u64) -> io::Result<Mapping> {
        let length = usize::try_from(length).map_err(io::Error::other)?;
        // SAFETY: with a null address and no MAP_FIXED the kernel picks an unused range, so no
        // existing memory changes.
        let answer = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                fd.as_fd().as_raw_fd(),
                0,
            )
        };
        if answer == libc::MAP_FAILED {
            return Err(crate::last_errno());
        }
        let start = NonNull::new(answer.cast::<u8>()).ok_or_else(crate::last_errno)?;
        Ok(Mapping { start, length })
    }

    /// A pointer to `count` bytes at `at`, aligned to `align`, all inside the mapping.
    fn range(&self, at: usize, count: usize, align: usize) -> io::Result<NonNull<u8>> {
        match at.checked_add(count) {
            Some(end) if end <= self.length && at.is_multiple_of(align) => {
                // SAFETY: `add` wants the result inside the same allocation: at <= length, which
                // was just checked; the mapping is smaller than isize::MAX because mmap made it.
                Ok(unsafe { self.start.add(at) })
            }
            _ => Err(out_of_range(at, count)),
        }
    }

    fn word(&self, at: usize) -> io::Result<&AtomicU32> {
        let pointer = self.range(at, 4, 4)?;
        // SAFETY: from_ptr wants an aligned pointer (checked by `range`; the mapping starts on a
        // page) to memory that lives as long as the reference (it borrows self, and Drop unmaps)
        // and is accessed atomically by everybody in this process (only `word` gives it out).
        Ok(unsafe { AtomicU32::from_ptr(pointer.as_ptr().cast()) })
    }

    /// The u32 at `at`, with acquire ordering.
    pub fn load(&self, at: usize) -> io::Result<u32> {
        Ok(self.word(at)?.load(Ordering::Acquire))
    }

    /// Stores a u32 at `at`, with release ordering.
    pub fn store(&self, at: usize, value: u32) -> io::Result<()> {
        self.word(at)?.store(value, Ordering::Release);
        Ok(())
    }

    fn long(&self, at: usize) -> io::Result<&AtomicU64> {
        let pointer = self.range(at, 8, 8)?;
        // SAFETY: as in `word`, with eight bytes and their alignment checked by `range`.
        Ok(unsafe { AtomicU64::from_ptr(pointer.as_ptr().cast()) })
    }

    /// The u64 at `at`.
    pub fn load_long(&self, at: usize) -> io::Result<u64> {
        Ok(self.long(at)?.load(Ordering::Acquire))
    }

    /// Stores a u64 at `at`.
    pub fn store_long(&self, at: usize, value: u64) -> io::Result<()> {
        self.long(at)?.store(value, Ordering::Release);
        Ok(())
    }

    /// Copies `bytes` into the mapping at `at`.
    pub fn copy_in(&self, at: usize, bytes: &[u8]) -> io::Result<()> {
        let pointer = self.range(at, bytes.len(), 1)?;
        // SAFETY: the source is a slice; the target is `bytes.len()` bytes inside the mapping
        // (checked by `range`); they do not overlap, because no slice ever points into a mapping.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), pointer.as_ptr(), bytes.len()) };
        Ok(())
    }

    /// Copies `count` bytes at `at` into private memory. They may be a mixture of what the other
    /// side wrote at different times; whoever parses them parses this copy.
    pub fn copy_out(&self, at: usize, count: usize) -> io::Result<Vec<u8>> {
        let pointer = self.range(at, count, 1)?;
        let mut bytes = Vec::with_capacity(count);
        // SAFETY: the source is `count` bytes inside the mapping (checked by `range`), whose size
        // is sealed, so the read cannot fault; the target has room for `count` bytes (reserved
        // above) and is not in a mapping.
        unsafe { std::ptr::copy_nonoverlapping(pointer.as_ptr(), bytes.as_mut_ptr(), count) };
        // SAFETY: the copy above initialised `count` bytes, and the capacity is at least that.
        unsafe { bytes.set_len(count) };
        Ok(bytes)
    }

    /// Waits until the futex word at `at` is woken, or is not `expected`, or `patience` is over:
    /// in every case the caller looks again (futex(2), FUTEX_WAIT, shared form).
    pub fn wait(&self, at: usize, expected: u32, patience: Duration) -> io::Result<()> {
        futex::wait(self.word(at)?, expected, patience, Scope::Processes)
    }

    /// Wakes whoever waits on the futex word at `at`.
    pub fn wake(&self, at: usize) -> io::Result<()> {
        futex::wake(self.word(at)?, Scope::Processes)
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the range was mapped by `shared`, is unmapped once, and every reference into it
        // borrows self, so none is left.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping() -> Mapping {
        Mapping::shared(crate::body::fixed_size("test", 8192).unwrap(), 8192).unwrap()
    }

    #[test]
    fn bytes_and_words_read_back() {
        let m = mapping();
        m.copy_in(8190, b"xy").unwrap();
        assert_eq!(m.copy_out(8190, 2).unwrap(), b"xy");
        m.store(64, 7).unwrap();
        assert_eq!(m.load(64).unwrap(), 7);
        m.store_long(72, u64::MAX).unwrap();
        assert_eq!(m.load_long(72).unwrap(), u64::MAX);
    }

    #[test]
    fn nothing_outside_the_mapping_is_touched() {
        let m = mapping();
        assert!(m.copy_in(8191, b"xy").is_err());
        assert!(m.copy_out(0, 8193).is_err());
        assert!(m.copy_out(usize::MAX, 2).is_err());
        assert!(m.load(8190).is_err());
        assert!(m.load(2).is_err());
        assert!(m.load_long(68).is_err());
    }

    #[test]
    fn a_wait_ends_by_wake_by_a_changed_word_and_by_time() {
        let m = mapping();
        m.wait(64, 1, Duration::from_secs(60)).unwrap();
        m.wait(64, 0, Duration::from_millis(5)).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while m.load(68).unwrap() == 0 {
                    m.wait(64, 0, Duration::from_millis(1)).unwrap();
                }
            });
            m.store(68, 1).unwrap();
            m.wake(64).unwrap();
        });
    }
}
