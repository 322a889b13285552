//! Where a file's bytes come from: a file, or memory.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes that can be read by offset.
pub trait Source {
    /// How many there are.
    fn length(&self) -> io::Result<u64>;

    /// Fills `into` from `offset` on, or fails.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()>;
}

impl Source for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        self.read_exact_at(into, offset)
    }
}

impl Source for &[u8] {
    fn length(&self) -> io::Result<u64> {
        u64::try_from(self.len()).map_err(io::Error::other)
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let from = start
            .checked_add(into.len())
            .and_then(|end| self.get(start..end))
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        into.copy_from_slice(from);
        Ok(())
    }
}

/// At most `limit` bytes from `offset` on; nothing is allocated for what is not there.
pub(crate) fn piece(
    source: &impl Source,
    offset: u64,
    size: u64,
    limit: u64,
) -> io::Result<Vec<u8>> {
    let end = offset.checked_add(size).ok_or(io::ErrorKind::InvalidData)?;
    if size > limit || end > source.length()? {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut bytes = vec![0; usize::try_from(size).map_err(io::Error::other)?];
    source.read_at(offset, &mut bytes)?;
    Ok(bytes)
}
