//! The envelope of a message: one version byte, then postcard.
//!
//! A message is at most [`limit::MESSAGE_BYTES`](crate::limit::MESSAGE_BYTES) long and travels as
//! one datagram of a `SOCK_SEQPACKET` socket, so there is no framing to get wrong. Postcard's wire
//! format is documented as stable (postcard's `docs/wire-format`).

use crate::limit::MESSAGE_BYTES;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;

/// The version of every message in [`message`](crate::abi::message).
pub const VERSION: u8 = 1;

/// Why bytes are not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireError {
    /// No bytes: the peer closed its end.
    Empty,
    /// Longer than the limit; the field is the length in bytes.
    TooLong(usize),
    /// The first byte is not [`VERSION`]; the field is that byte.
    Version(u8),
    /// The rest is not the postcard form of the expected message.
    Malformed,
    /// The message is whole but bytes follow it; the field is their number.
    Trailing(usize),
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WireError::Empty => write!(f, "the peer closed the connection"),
            WireError::TooLong(n) => {
                write!(
                    f,
                    "a message of {n} bytes, over the limit of {MESSAGE_BYTES}"
                )
            }
            WireError::Version(v) => write!(f, "message version {v}, expected {VERSION}"),
            WireError::Malformed => write!(f, "a malformed message"),
            WireError::Trailing(n) => write!(f, "{n} stray bytes after a message"),
        }
    }
}

impl std::error::Error for WireError {}

/// The bytes of `message`. Fails only when it is over the length limit.
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, WireError> {
    let bytes =
        postcard::to_extend(message, vec![VERSION]).map_err(|_malformed| WireError::Malformed)?;
    if bytes.len() > MESSAGE_BYTES {
        Err(WireError::TooLong(bytes.len()))
    } else {
        Ok(bytes)
    }
}

/// The message in `bytes`, which must hold it and nothing else.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, WireError> {
    if bytes.len() > MESSAGE_BYTES {
        return Err(WireError::TooLong(bytes.len()));
    }
    match bytes.split_first() {
        None => Err(WireError::Empty),
        Some((&VERSION, body)) => match postcard::take_from_bytes(body) {
            Ok((message, [])) => Ok(message),
            Ok((_, rest)) => Err(WireError::Trailing(rest.len())),
            Err(_) => Err(WireError::Malformed),
        },
        Some((&version, _)) => Err(WireError::Version(version)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_survives_the_round_trip() {
        let bytes = encode(&(7u32, "seven")).unwrap();
        assert_eq!(decode::<(u32, String)>(&bytes), Ok((7, "seven".to_owned())));
    }

    #[test]
    fn an_empty_short_long_foreign_or_trailed_message_is_refused() {
        assert_eq!(decode::<u32>(&[]), Err(WireError::Empty));
        assert_eq!(
            decode::<(u32, String)>(&[VERSION, 7, 9, b'x']),
            Err(WireError::Malformed)
        );
        assert_eq!(
            decode::<u32>(&[VERSION + 1, 7]),
            Err(WireError::Version(VERSION + 1))
        );
        assert_eq!(decode::<u32>(&[VERSION, 7, 0]), Err(WireError::Trailing(1)));
        let long = vec![VERSION; MESSAGE_BYTES + 1];
        assert_eq!(
            decode::<u32>(&long),
            Err(WireError::TooLong(MESSAGE_BYTES + 1))
        );
        assert_eq!(
            encode(&vec![1u8; MESSAGE_BYTES]),
            Err(WireError::TooLong(MESSAGE_BYTES + 4))
        );
    }
}
