//! The worker's side of a channel: mapping it, reading a request, writing a response.
//!
//! The lane writes this memory too, so no Rust reference to its bytes ever exists: words are
//! atomics, bodies are copied by pointer. The lane keeps a request still while it is being
//! answered; a lane that does not harms only itself.

#![expect(
    unsafe_code,
    reason = "maps shared memory and reads and writes it by pointer"
)]

use crate::futex;
use keylane_policy::abi::channel::{self, Geometry, ResponseKind};
use nix::errno::Errno;
use std::fmt;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// A channel that is mapped until the process ends.
pub(crate) struct Channel {
    base: NonNull<u8>,
    geometry: Geometry,
}

/// Bytes in the channel: where they are and how many, never a reference.
#[derive(Clone, Copy)]
pub(crate) struct SharedBytes {
    pub(crate) address: *const u8,
    pub(crate) length: usize,
}

/// Why a channel cannot be used.
#[derive(Debug)]
pub(crate) enum ChannelFault {
    Stat(Errno),
    Map(Errno),
    Small { held: i64, wanted: u64 },
    Header { field: &'static str, found: u64 },
}

impl fmt::Display for ChannelFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChannelFault::Stat(errno) => write!(f, "the channel has no size: {errno}"),
            ChannelFault::Map(errno) => write!(f, "the channel cannot be mapped: {errno}"),
            ChannelFault::Small { held, wanted } => {
                write!(f, "the channel has {held} bytes, {wanted} were announced")
            }
            ChannelFault::Header { field, found } => {
                write!(f, "the channel's {field} is {found:#x}")
            }
        }
    }
}

impl std::error::Error for ChannelFault {}

impl Channel {
    /// Maps the channel in `file`, whose header the lane has written.
    pub(crate) fn map(file: &OwnedFd, geometry: Geometry) -> Result<Self, ChannelFault> {
        let wanted = geometry.size();
        let held = nix::sys::stat::fstat(file)
            .map_err(ChannelFault::Stat)?
            .st_size;
        let small = ChannelFault::Small { held, wanted };
        let Ok(length) = usize::try_from(wanted) else {
            return Err(small);
        };
        if u64::try_from(held).unwrap_or(0) < wanted {
            return Err(small);
        }
        // SAFETY: a new mapping at an address of the kernel's choosing disturbs no other. It stays
        // for good (`Channel` has no `Drop`), and the file has `length` bytes and cannot shrink
        // (the lane seals it), so that every offset below `length` stays backed.
        let address = unsafe {
            libc::mmap(
                ptr::null_mut(),
                length,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                0,
            )
        };
        if address == libc::MAP_FAILED {
            return Err(ChannelFault::Map(Errno::last()));
        }
        let base = NonNull::new(address.cast::<u8>()).ok_or(ChannelFault::Map(Errno::EFAULT))?;
        let channel = Channel { base, geometry };
        channel.check()?;
        Ok(channel)
    }

    fn check(&self) -> Result<(), ChannelFault> {
        let fields = [
            (
                "magic number",
                u64::from(self.word(channel::MAGIC_AT).load(Ordering::Relaxed)),
                u64::from(channel::MAGIC),
            ),
            (
                "version",
                u64::from(self.word(channel::VERSION_AT).load(Ordering::Relaxed)),
                u64::from(channel::VERSION),
            ),
            (
                "request capacity",
                self.long(channel::REQUEST_CAPACITY_AT)
                    .load(Ordering::Relaxed),
                self.geometry.capacity(),
            ),
            (
                "response capacity",
                self.long(channel::RESPONSE_CAPACITY_AT)
                    .load(Ordering::Relaxed),
                self.geometry.capacity(),
            ),
        ];
        for (field, found, wanted) in fields {
            if found != wanted {
                return Err(ChannelFault::Header { field, found });
            }
        }
        Ok(())
    }

    /// The number of the newest request.
    pub(crate) fn requested(&self) -> u32 {
        self.word(channel::REQUEST_SEQUENCE_AT)
            .load(Ordering::Acquire)
    }

    /// The number of the newest response.
    pub(crate) fn answered(&self) -> u32 {
        self.word(channel::RESPONSE_SEQUENCE_AT)
            .load(Ordering::Acquire)
    }

    /// Sleeps while the newest request is `known`, no longer than `limit`, perhaps shorter.
    pub(crate) fn wait(&self, known: u32, limit: Duration) {
        futex::wait(self.word(channel::REQUEST_SEQUENCE_AT), known, limit);
    }

    /// The newest request; `None` if it claims more bytes than the area has.
    pub(crate) fn request(&self) -> Option<SharedBytes> {
        let length = self
            .long(channel::REQUEST_LENGTH_AT)
            .load(Ordering::Relaxed);
        if length > self.geometry.capacity() {
            return None;
        }
        Some(SharedBytes {
            address: self.at(usize::try_from(self.geometry.request_at()).ok()?),
            length: usize::try_from(length).ok()?,
        })
    }

    /// When the lane gives the request up: nanoseconds of CLOCK_MONOTONIC, or 0.
    pub(crate) fn deadline(&self) -> u64 {
        self.long(channel::REQUEST_DEADLINE_AT)
            .load(Ordering::Relaxed)
    }

    /// Writes a response without publishing it. False, and nothing written, if it is too large.
    #[must_use]
    pub(crate) fn write(&self, kind: ResponseKind, body: &[u8]) -> bool {
        let length = u64::try_from(body.len()).unwrap_or(u64::MAX);
        let Ok(area) = usize::try_from(self.geometry.response_at()) else {
            return false;
        };
        if length > self.geometry.capacity() {
            return false;
        }
        // SAFETY: the source is a slice of `body.len()` bytes. The target is the response area:
        // `map` made the mapping reach to its end, and the length was compared with its capacity
        // above. They cannot overlap: no reference to the mapping is ever made.
        unsafe { ptr::copy_nonoverlapping(body.as_ptr(), self.at(area), body.len()) };
        // `ResponseKind` is `repr(u32)`.
        self.word(channel::RESPONSE_KIND_AT)
            .store(kind as u32, Ordering::Relaxed);
        self.long(channel::RESPONSE_LENGTH_AT)
            .store(length, Ordering::Relaxed);
        true
    }

    /// Publishes what was written as the answer to request `sequence`.
    pub(crate) fn publish(&self, sequence: u32) {
        let word = self.word(channel::RESPONSE_SEQUENCE_AT);
        word.store(sequence, Ordering::Release);
        futex::wake(word);
    }

    /// The word of the heartbeats.
    pub(crate) fn heartbeat(&self) -> SharedBytes {
        SharedBytes {
            address: self.at(channel::HEARTBEAT_AT),
            length: size_of::<u32>(),
        }
    }

    /// Bytes that a response may have.
    pub(crate) fn capacity(&self) -> u64 {
        self.geometry.capacity()
    }

    fn at(&self, offset: usize) -> *mut u8 {
        self.base.as_ptr().wrapping_add(offset)
    }

    fn word(&self, offset: usize) -> &AtomicU32 {
        // SAFETY: callers pass offsets of the layout's u32 fields: multiples of four in the first
        // page of a mapping that starts at a page and stays as long as the process. The lane
        // accesses these words atomically as well.
        unsafe { AtomicU32::from_ptr(self.at(offset).cast()) }
    }

    fn long(&self, offset: usize) -> &AtomicU64 {
        // SAFETY: callers pass offsets of the layout's u64 fields: multiples of eight in the first
        // page of a mapping that starts at a page and stays as long as the process. The lane
        // accesses these words atomically as well.
        unsafe { AtomicU64::from_ptr(self.at(offset).cast()) }
    }
}
