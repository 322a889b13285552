//! Opens files within a folder and nowhere else.
//!
//! A project is written by a tenant and read by the operator's process, so a link in it could
//! show a function what only the operator may read. The kernel refuses it: openat2(2) with
//! `RESOLVE_BENEATH`, `RESOLVE_NO_SYMLINKS` and `RESOLVE_NO_MAGICLINKS`. Nothing here decides by
//! looking at a path.
//!
//! An attacker controls: the names, kinds and contents of everything below the folder.

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Why something below a folder was not opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It does not exist.
    Missing,
    /// It, or a folder on the way to it, is a symbolic link: which one.
    Link(PathBuf),
    /// The path leaves the folder.
    Outside,
    /// It is something else than what was wanted.
    Kind {
        /// What it is.
        is: &'static str,
        /// What was wanted.
        wanted: &'static str,
    },
    /// It is longer than this many bytes.
    TooLong(u64),
    /// The kernel refused, for this reason.
    Kernel(Errno),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Missing => write!(f, "it does not exist"),
            Refused::Link(link) => write!(f, "{} is a symbolic link", link.display()),
            Refused::Outside => write!(f, "it leaves the project's folder"),
            Refused::Kind { is, wanted } => write!(f, "it is {is}, not {wanted}"),
            Refused::TooLong(limit) => write!(f, "it is longer than the limit of {limit} bytes"),
            Refused::Kernel(errno) => write!(f, "{}", std::io::Error::from(*errno)),
        }
    }
}

impl std::error::Error for Refused {}

impl From<Errno> for Refused {
    fn from(errno: Errno) -> Refused {
        match errno {
            Errno::NOENT | Errno::NOTDIR => Refused::Missing,
            Errno::XDEV => Refused::Outside,
            other => Refused::Kernel(other),
        }
    }
}

impl Refused {
    /// What to do about it, for the person who wrote the project.
    pub fn advice(&self) -> &'static str {
        match self {
            Refused::Missing => "create it, or correct the path",
            Refused::Link(_) => {
                "replace the link by the file itself: a link may lead out of the project, so none is followed"
            }
            Refused::Outside => "copy what is needed into the project",
            Refused::Kind { .. } => "keep only ordinary files and folders in a function's tree",
            Refused::TooLong(_) => "make it shorter",
            Refused::Kernel(Errno::ACCESS | Errno::PERM) => {
                "give yourself the right to read it (chmod u+r)"
            }
            Refused::Kernel(Errno::NOSYS) => {
                "use Linux 6.1 or later, without an outer filter that denies openat2"
            }
            Refused::Kernel(_) => "see the reason that the kernel gives",
        }
    }
}

/// An open folder.
#[derive(Debug)]
pub struct Folder {
    fd: OwnedFd,
}

/// One name in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name.
    pub name: OsString,
    /// What carries it, the link itself if it is a link.
    pub kind: FileType,
}

impl Folder {
    /// Opens a folder that the operator named. Links on the way are the operator's own and are
    /// followed.
    pub fn open(path: &Path) -> Result<Folder, Refused> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(fd) => Ok(Folder { fd }),
            Err(Errno::NOTDIR) => Err(Refused::Kind {
                is: "a file",
                wanted: "a folder",
            }),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Opens a folder below this one.
    pub fn folder(&self, path: &Path) -> Result<Folder, Refused> {
        let stat = self.stat(path)?;
        expect_kind(&stat, FileType::Directory, "a folder")?;
        let fd = self.open_beneath(path, OFlags::RDONLY | OFlags::DIRECTORY)?;
        Ok(Folder { fd })
    }

    /// Opens an ordinary file below this folder, for reading.
    pub fn file(&self, path: &Path) -> Result<(File, Stat), Refused> {
        // The kind is asked first, because opening a device or a FIFO can already have an effect,
        // and again on what was opened, because the name may have changed hands in between.
        expect_kind(&self.stat(path)?, FileType::RegularFile, "a file")?;
        let fd = self.open_beneath(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)?;
        let stat = rustix::fs::fstat(&fd)?;
        expect_kind(&stat, FileType::RegularFile, "a file")?;
        Ok((File::from(fd), stat))
    }

    /// All bytes of an ordinary file below this folder, at most `limit`.
    pub fn read(&self, path: &Path, limit: u64) -> Result<Vec<u8>, Refused> {
        let (file, _stat) = self.file(path)?;
        let mut bytes = Vec::new();
        file.take(limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| Refused::Kernel(Errno::from_io_error(&error).unwrap_or(Errno::IO)))?;
        if bytes.len() as u64 > limit {
            return Err(Refused::TooLong(limit));
        }
        Ok(bytes)
    }

    /// What a path below this folder is, a final link included.
    pub fn stat(&self, path: &Path) -> Result<Stat, Refused> {
        let fd = self.open_beneath(path, OFlags::PATH | OFlags::NOFOLLOW)?;
        let stat = rustix::fs::fstat(&fd)?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink {
            return Err(Refused::Link(path.to_owned()));
        }
        Ok(stat)
    }

    /// The names in this folder, sorted so that every run does the same.
    pub fn entries(&self) -> Result<Vec<Entry>, Refused> {
        let mut entries = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.fd)? {
            let entry = entry?;
            let bytes = entry.file_name().to_bytes();
            if bytes == b"." || bytes == b".." {
                continue;
            }
            let name = <OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes).to_owned();
            let stat = rustix::fs::statat(&self.fd, &name, AtFlags::SYMLINK_NOFOLLOW)?;
            entries.push(Entry {
                name,
                kind: FileType::from_raw_mode(stat.st_mode),
            });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    /// The folder's own data.
    pub fn own_stat(&self) -> Result<Stat, Refused> {
        Ok(rustix::fs::fstat(&self.fd)?)
    }

    /// The one place where a path below a folder is opened.
    fn open_beneath(&self, path: &Path, flags: OFlags) -> Result<OwnedFd, Refused> {
        let resolve =
            ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let flags = flags | OFlags::CLOEXEC;
        match rustix::fs::openat2(&self.fd, path, flags, Mode::empty(), resolve) {
            Ok(fd) => Ok(fd),
            Err(Errno::LOOP) => Err(Refused::Link(self.first_link(path))),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Which part of a path is the link that the kernel refused; only words for a message.
    fn first_link(&self, path: &Path) -> PathBuf {
        let mut prefix = PathBuf::new();
        for part in path.components() {
            prefix.push(part);
            let stat = rustix::fs::statat(&self.fd, &prefix, AtFlags::SYMLINK_NOFOLLOW);
            if stat.is_ok_and(|s| FileType::from_raw_mode(s.st_mode) == FileType::Symlink) {
                return prefix;
            }
        }
        path.to_owned()
    }
}

impl AsFd for Folder {
    fn as_fd(&self) -> rustix::fd::BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// What a kind of file is called in a message.
pub fn kind_name(kind: FileType) -> &'static str {
    match kind {
        FileType::RegularFile => "a file",
        FileType::Directory => "a folder",
        FileType::Symlink => "a symbolic link",
        FileType::Fifo => "a FIFO",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        FileType::Unknown => "something of an unknown kind",
    }
}

fn expect_kind(stat: &Stat, kind: FileType, wanted: &'static str) -> Result<(), Refused> {
    let found = FileType::from_raw_mode(stat.st_mode);
    if found == kind {
        Ok(())
    } else {
        Err(Refused::Kind {
            is: kind_name(found),
            wanted,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TempFolder;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_path_that_leaves_the_folder_is_refused_by_the_kernel() {
        let temp = TempFolder::new();
        std::fs::write(temp.path().join("secret"), "x").unwrap();
        std::fs::create_dir(temp.path().join("project")).unwrap();
        let folder = Folder::open(&temp.path().join("project")).unwrap();
        let outside = folder.read(Path::new("../secret"), 10).unwrap_err();
        assert_eq!(outside, Refused::Outside);
        let absolute = folder.read(&temp.path().join("secret"), 10).unwrap_err();
        assert_eq!(absolute, Refused::Outside);
    }

    #[test]
    fn a_link_is_refused_and_named_even_in_the_middle_of_a_path() {
        let temp = TempFolder::new();
        std::fs::create_dir(temp.path().join("real")).unwrap();
        std::fs::write(temp.path().join("real/file"), "x").unwrap();
        symlink("real", temp.path().join("alias")).unwrap();
        symlink("real/file", temp.path().join("link")).unwrap();
        let folder = Folder::open(temp.path()).unwrap();
        assert_eq!(folder.read(Path::new("real/file"), 10).unwrap(), b"x");
        let middle = folder.read(Path::new("alias/file"), 10).unwrap_err();
        assert_eq!(middle, Refused::Link("alias".into()));
        let last = folder.read(Path::new("link"), 10).unwrap_err();
        assert_eq!(last, Refused::Link("link".into()));
        let as_folder = folder.folder(Path::new("alias")).unwrap_err();
        assert_eq!(as_folder, Refused::Link("alias".into()));
    }

    #[test]
    fn a_fifo_neither_opens_nor_blocks() {
        let temp = TempFolder::new();
        temp.fifo("pipe");
        let folder = Folder::open(temp.path()).unwrap();
        let refused = folder.read(Path::new("pipe"), 10).unwrap_err();
        assert_eq!(
            refused,
            Refused::Kind {
                is: "a FIFO",
                wanted: "a file"
            }
        );
    }

    #[test]
    fn a_file_is_read_up_to_its_limit_and_not_a_byte_more() {
        let temp = TempFolder::new();
        std::fs::write(temp.path().join("file"), "12345").unwrap();
        let folder = Folder::open(temp.path()).unwrap();
        assert_eq!(folder.read(Path::new("file"), 5).unwrap().len(), 5);
        assert_eq!(
            folder.read(Path::new("file"), 4).unwrap_err(),
            Refused::TooLong(4)
        );
        assert_eq!(
            folder.read(Path::new("none"), 4).unwrap_err(),
            Refused::Missing
        );
    }
}
