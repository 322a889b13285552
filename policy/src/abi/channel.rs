//! The channel: the memory that a lane shares with one instance.
//!
//! One memfd, sealed `SHRINK|GROW|SEAL` before it is handed over, mapped by both sides:
//!
//! ```text
//!  offset                          written by   holds
//!  0       MAGIC u32, VERSION u32  lane, once   what this is
//!  8       request capacity u64    lane, once   bytes of the request area
//!  16      response capacity u64   lane, once   bytes of the response area
//!  64      REQUEST_SEQUENCE u32    lane         futex word: raised by one per request
//!  72      REQUEST_LENGTH u64      lane         bytes of the request
//!  80      REQUEST_DEADLINE u64    lane         when the lane gives the request up, 0: not told
//!  128     RESPONSE_SEQUENCE u32   instance     futex word: the request that was answered
//!  132     RESPONSE_KIND u32       instance     a `ResponseKind`
//!  136     RESPONSE_LENGTH u64     instance     bytes of the response
//!  144     HEARTBEAT u32           instance     another value for each heartbeat
//!  4096    request area
//!  4096 + request capacity (page-rounded)       response area
//! ```
//!
//! Each group of fields has a cache line of its own. The instance can write every byte at any
//! time: the lane keeps its own copy of the geometry and of the sequence number, copies the
//! response header once, checks the copy, and copies the body out before anything parses it. A
//! wake of a futex is a hint and never a proof of life.

use std::fmt;

/// The first four bytes: `KLCH`.
pub const MAGIC: u32 = u32::from_le_bytes(*b"KLCH");
/// The version of this layout.
pub const VERSION: u32 = 2;
/// Bytes before the request area: one page, so that both areas are page-aligned.
pub const HEADER_BYTES: u64 = 4096;

/// Offset of the magic number, a little-endian u32.
pub const MAGIC_AT: usize = 0;
/// Offset of the layout version, u32.
pub const VERSION_AT: usize = 4;
/// Offset of the request area's capacity in bytes, u64.
pub const REQUEST_CAPACITY_AT: usize = 8;
/// Offset of the response area's capacity in bytes, u64.
pub const RESPONSE_CAPACITY_AT: usize = 16;
/// Offset of the request's sequence number, a u32 futex word.
pub const REQUEST_SEQUENCE_AT: usize = 64;
/// Offset of the request's length in bytes, u64.
pub const REQUEST_LENGTH_AT: usize = 72;
/// Offset of the request's deadline, u64: nanoseconds of CLOCK_MONOTONIC at which the lane gives the
/// request up, or 0 where it does not say. Only for the function's information: the lane keeps its
/// own copy and acts on that.
pub const REQUEST_DEADLINE_AT: usize = 80;
/// Offset of the response's sequence number, a u32 futex word.
pub const RESPONSE_SEQUENCE_AT: usize = 128;
/// Offset of the response's kind, u32.
pub const RESPONSE_KIND_AT: usize = 132;
/// Offset of the response's length in bytes, u64.
pub const RESPONSE_LENGTH_AT: usize = 136;

/// Offset of the heartbeats, a u32 that the instance changes to tell that it still works on the
/// request. No word that anybody waits for: the lane looks at it while it waits for the response.
pub const HEARTBEAT_AT: usize = 144;

/// What the response area holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ResponseKind {
    /// The handler's result, one JSON value.
    Result = 1,
    /// The handler's error: a JSON object with the strings `errorType` and `errorMessage` and the
    /// array of strings `stackTrace`, the form that Lambda's runtime API uses.
    Error = 2,
}

impl TryFrom<u32> for ResponseKind {
    type Error = ChannelError;

    fn try_from(value: u32) -> Result<Self, ChannelError> {
        match value {
            1 => Ok(ResponseKind::Result),
            2 => Ok(ResponseKind::Error),
            other => Err(ChannelError::Kind(other)),
        }
    }
}

/// What is wrong with a channel or with what an instance wrote into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelError {
    /// The response's kind is none of [`ResponseKind`].
    Kind(u32),
    /// The response claims more bytes than the area holds: claimed, held.
    Length(u64, u64),
    /// A capacity of zero, or over the ceiling, or not a multiple of the page size.
    Capacity(u64),
}

impl fmt::Display for ChannelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChannelError::Kind(kind) => write!(f, "unknown response kind {kind} in the channel"),
            ChannelError::Length(claimed, held) => write!(
                f,
                "the response claims {claimed} bytes, the channel's response area has {held}"
            ),
            ChannelError::Capacity(n) => write!(f, "a channel area of {n} bytes is not allowed"),
        }
    }
}

impl std::error::Error for ChannelError {}

/// The sizes of a channel. The lane's own copy is the only one that it believes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    capacity: u64,
}

impl Geometry {
    /// The geometry with `capacity` bytes for each direction, rounded up to whole pages.
    pub fn with_capacity(capacity: u64) -> Result<Self, ChannelError> {
        if capacity == 0 || capacity > crate::limit::PAYLOAD_BYTES_CEILING {
            return Err(ChannelError::Capacity(capacity));
        }
        // capacity <= 2^30, so rounding up cannot overflow.
        Ok(Geometry {
            capacity: capacity.next_multiple_of(HEADER_BYTES),
        })
    }

    /// Bytes of the request area, and of the response area.
    pub fn capacity(self) -> u64 {
        self.capacity
    }

    /// Offset of the request area.
    pub fn request_at(self) -> u64 {
        HEADER_BYTES
    }

    /// Offset of the response area.
    pub fn response_at(self) -> u64 {
        // HEADER_BYTES + 2^30 at most.
        HEADER_BYTES.saturating_add(self.capacity)
    }

    /// Bytes of the whole channel.
    pub fn size(self) -> u64 {
        self.response_at().saturating_add(self.capacity)
    }

    /// Checks a response header of which the caller holds a private copy.
    pub fn check_response(
        self,
        kind: u32,
        length: u64,
    ) -> Result<(ResponseKind, u64), ChannelError> {
        let kind = ResponseKind::try_from(kind)?;
        if length > self.capacity {
            return Err(ChannelError::Length(length, self.capacity));
        }
        Ok((kind, length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_do_not_overlap_and_fill_the_channel() {
        for asked in [
            1,
            4095,
            4096,
            4097,
            1 << 20,
            crate::limit::PAYLOAD_BYTES_CEILING,
        ] {
            let g = Geometry::with_capacity(asked).unwrap();
            assert!(g.capacity() >= asked);
            assert_eq!(g.request_at() + g.capacity(), g.response_at());
            assert_eq!(g.response_at() + g.capacity(), g.size());
            assert_eq!(g.size() % 4096, 0);
        }
    }

    #[test]
    fn a_capacity_of_zero_or_over_the_ceiling_is_refused() {
        for asked in [0, crate::limit::PAYLOAD_BYTES_CEILING + 1, u64::MAX] {
            assert_eq!(
                Geometry::with_capacity(asked),
                Err(ChannelError::Capacity(asked))
            );
        }
    }

    #[test]
    fn a_hostile_response_header_is_refused() {
        let g = Geometry::with_capacity(4096).unwrap();
        assert_eq!(g.check_response(1, 4096), Ok((ResponseKind::Result, 4096)));
        assert_eq!(
            g.check_response(1, 4097),
            Err(ChannelError::Length(4097, 4096))
        );
        assert_eq!(
            g.check_response(2, u64::MAX),
            Err(ChannelError::Length(u64::MAX, 4096))
        );
        for kind in [0, 3, u32::MAX] {
            assert_eq!(g.check_response(kind, 0), Err(ChannelError::Kind(kind)));
        }
    }
}
