//! Bodies of messages and executable images: memfds that nobody can change any more.
//!
//! A sender fills a memfd and seals it `WRITE|GROW|SHRINK|SEAL` (memfd_create(2), fcntl(2)); a
//! receiver checks those seals, and the length, before it reads, so that it can neither be made to
//! read bytes that still change nor be killed by a truncation.

use memfd::{FileSeal, Memfd, MemfdOptions};
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;

/// The seals of a body: nothing about it can change.
const IMMUTABLE: SealFlag = SealFlag::F_SEAL_WRITE
    .union(SealFlag::F_SEAL_GROW)
    .union(SealFlag::F_SEAL_SHRINK)
    .union(SealFlag::F_SEAL_SEAL);

/// The seals of a channel: its contents change, its size never does.
const FIXED_SIZE: [FileSeal; 3] = [FileSeal::SealGrow, FileSeal::SealShrink, FileSeal::SealSeal];

/// Tries at sealing a body whose pages somebody refers to for a moment.
const SEALINGS: u32 = 12;

fn fault(message: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.to_string())
}

/// A sealed memfd that holds `bytes`; `name` shows in /proc/PID/fd of its holders.
pub fn sealed(name: &str, bytes: &[u8]) -> io::Result<OwnedFd> {
    let memfd = MemfdOptions::default()
        .allow_sealing(true)
        .create(name)
        .map_err(fault)?;
    memfd.as_file().write_all(bytes)?;
    seal(&memfd)?;
    Ok(memfd.into_file().into())
}

/// Seals what nobody else has. The kernel answers EBUSY while a page has a reference that it did not expect
/// (memfd_wait_for_pins in mm/memfd.c), as reclaim and migration of memory take for a moment; it waits for a
/// sixth of a second itself, and on a host that is short of memory that may be too little.
fn seal(memfd: &Memfd) -> io::Result<()> {
    let seals = [
        FileSeal::SealWrite,
        FileSeal::SealGrow,
        FileSeal::SealShrink,
        FileSeal::SealSeal,
    ];
    for _ in 1..SEALINGS {
        match memfd.add_seals(&seals) {
            Err(memfd::Error::AddSeals(error)) if error.raw_os_error() == Some(libc::EBUSY) => {}
            other => return other.map_err(fault),
        }
    }
    memfd.add_seals(&seals).map_err(fault)
}

/// A memfd of `size` zero bytes whose size is sealed: the backing of a channel.
pub fn fixed_size(name: &str, size: u64) -> io::Result<OwnedFd> {
    let memfd = MemfdOptions::default()
        .allow_sealing(true)
        .create(name)
        .map_err(fault)?;
    memfd.as_file().set_len(size)?;
    memfd.add_seals(&FIXED_SIZE).map_err(fault)?;
    Ok(memfd.into_file().into())
}

/// Checks that `fd` is immutable and at most `limit` bytes long, and says how long it is.
pub fn check_sealed(fd: impl AsFd, limit: u64) -> io::Result<u64> {
    // F_GET_SEALS fails with EINVAL on anything but a memfd or a shared memory file (fcntl(2)).
    let seals = fcntl(fd.as_fd(), FcntlArg::F_GET_SEALS)?;
    if !SealFlag::from_bits_retain(seals).contains(IMMUTABLE) {
        return Err(fault(format!(
            "a body that is not sealed (seals {seals:#x})"
        )));
    }
    let length = File::from(fd.as_fd().try_clone_to_owned()?)
        .metadata()?
        .len();
    if length > limit {
        return Err(fault(format!(
            "a body of {length} bytes, over the limit of {limit}"
        )));
    }
    Ok(length)
}

/// The bytes of a sealed body of at most `limit` bytes.
pub fn read(fd: impl AsFd, limit: u64) -> io::Result<Vec<u8>> {
    let length = check_sealed(fd.as_fd(), limit)?;
    piece(fd, 0, length, limit)
}

/// `length` bytes of such a body from `offset` on, all of which it must have.
pub fn piece(fd: impl AsFd, offset: u64, length: u64, limit: u64) -> io::Result<Vec<u8>> {
    let whole = check_sealed(fd.as_fd(), limit)?;
    if offset.checked_add(length).is_none_or(|end| end > whole) {
        return Err(fault(format!(
            "{length} bytes at {offset} of a body of {whole}"
        )));
    }
    let file = File::from(fd.as_fd().try_clone_to_owned()?);
    let mut bytes = vec![0; usize::try_from(length).map_err(fault)?];
    // By offset: the descriptor's position is shared with its sender.
    file.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_body_reads_back_and_cannot_be_written() {
        let fd = sealed("test", b"hello").unwrap();
        assert_eq!(read(&fd, 5).unwrap(), b"hello");
        assert!(File::from(fd).write_all(b"x").is_err());
    }

    #[test]
    fn a_body_over_the_limit_or_without_seals_is_refused() {
        assert!(read(sealed("test", b"hello").unwrap(), 4).is_err());
        assert!(read(fixed_size("test", 4).unwrap(), 4096).is_err());
        let file = File::open("/proc/self/exe").unwrap();
        assert!(read(&file, u64::MAX).is_err());
        assert!(piece(&file, 0, 1, u64::MAX).is_err());
    }

    #[test]
    fn a_piece_is_what_the_body_has_there_and_nothing_beyond_its_end() {
        let fd = sealed("test", b"hello").unwrap();
        assert_eq!(piece(&fd, 1, 3, 5).unwrap(), b"ell");
        assert!(piece(&fd, 1, 5, 5).is_err());
        assert!(piece(&fd, u64::MAX, 2, 5).is_err());
    }

    #[test]
    fn a_channel_backing_can_be_written_but_not_resized() {
        let file = File::from(fixed_size("test", 4096).unwrap());
        file.write_all_at(b"x", 4095).unwrap();
        assert!(file.set_len(0).is_err());
        assert!(file.set_len(8192).is_err());
    }
}
