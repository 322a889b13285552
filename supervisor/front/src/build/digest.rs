//! SHA-256 as text, of bytes and of a stream.

use sha2::{Digest as _, Sha256};
use std::fmt;
use std::io::{self, Read, Write};

/// A SHA-256, written as 64 digits in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest(String);

impl Digest {
    /// Of bytes.
    pub fn of(bytes: &[u8]) -> Digest {
        Digest::written(&Sha256::digest(bytes))
    }

    /// Of all that a stream still has.
    pub fn read(from: impl Read) -> io::Result<Digest> {
        Ok(Digest::copy(from, io::sink())?.0)
    }

    /// Of all that a stream still has, which goes to another one; and how many bytes that was.
    pub fn copy(mut from: impl Read, mut to: impl Write) -> io::Result<(Digest, u64)> {
        let mut copied = 0u64;
        let mut hash = Sha256::new();
        let mut bytes = vec![0; 64 * 1024];
        loop {
            match from.read(&mut bytes) {
                Ok(0) => return Ok((Digest::written(&hash.finalize()), copied)),
                Ok(count) => {
                    let piece = bytes.get(..count).unwrap_or_default();
                    hash.update(piece);
                    to.write_all(piece)?;
                    copied = copied.saturating_add(piece.len() as u64);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn written(bytes: &[u8]) -> Digest {
        Digest(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for Digest {
    type Error = &'static str;

    fn try_from(text: &str) -> Result<Digest, &'static str> {
        let digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        if text.len() == 64 && text.bytes().all(digit) {
            Ok(Digest(text.to_owned()))
        } else {
            Err("it is no sha256 of 64 hexadecimal digits in lower case")
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_that_of_the_standard_and_reads_what_it_writes() {
        // FIPS 180-2, B.1.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of(b"abc").as_str(), abc);
        assert_eq!(Digest::read(&b"abc"[..]).unwrap().as_str(), abc);
        let mut to = Vec::new();
        let (digest, copied) = Digest::copy(&b"abc"[..], &mut to).unwrap();
        assert_eq!((digest.as_str(), copied, &to[..]), (abc, 3, &b"abc"[..]));
        assert_eq!(Digest::try_from(abc).unwrap(), Digest::of(b"abc"));
        for wrong in [&abc[1..], &abc.to_uppercase(), "../x"] {
            assert!(Digest::try_from(wrong).is_err(), "{wrong}");
        }
    }
}
