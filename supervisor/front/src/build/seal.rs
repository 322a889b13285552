//! Copies what a build worker left into a tree that can be trusted to be only files: ordinary ones, that
//! nobody writes, within limits. What else there is refuses the whole tree.
//!
//! An attacker controls: everything below the folder; the worker has ended, so nothing changes any more.

use super::digest::Digest;
use crate::beneath::{Folder, kind_name};
use crate::stage::{FULL, make_folder};
use keylane_policy::blame::{Blame, Failure};
use keylane_policy::limit;
use rustix::fs::FileType;
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

const TOO_LARGE: &str = "the tree is larger than a function's may be";

/// A sealed tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Of all paths and contents: the same tree has the same digest.
    pub digest: Digest,
    /// How many files.
    pub files: usize,
    /// How many bytes they have.
    pub bytes: u64,
}

/// Copies what is below `from` to the new folder `to`. `doing` is for messages; what is wrong with the
/// tree is `blame`'s fault.
pub fn copy(from: &Folder, to: &Path, doing: &str, blame: Blame) -> Result<Sealed, Failure> {
    make_folder(to).map_err(|error| host(to, &error, doing))?;
    copy_into(from, to, doing, blame)
}

/// As [`copy`], into a folder that is there, over nothing that is in it.
pub fn copy_into(from: &Folder, to: &Path, doing: &str, blame: Blame) -> Result<Sealed, Failure> {
    copy_at_most(limit::TREE_FILES, from, to, doing, blame)
}

/// As [`copy_into`], where the tree may have `most` files and folders, those that are left out included.
fn copy_at_most(
    most: usize,
    from: &Folder,
    to: &Path,
    doing: &str,
    blame: Blame,
) -> Result<Sealed, Failure> {
    let mut seal = Seal {
        from,
        to,
        doing,
        blame,
        most,
        listing: Vec::new(),
        entries: 0,
        files: 0,
        bytes: 0,
    };
    seal.walk(Path::new(""), 0)?;
    Ok(Sealed {
        digest: Digest::of(&seal.listing),
        files: seal.files,
        bytes: seal.bytes,
    })
}

/// What does not get into a tree: files that Python would execute at its start if their folder were one
/// of its site folders (`*.pth`; it is none for a function).
fn is_left_out(name: &OsStr, depth: usize) -> bool {
    depth == 0 && name.as_bytes().ends_with(b".pth")
}

fn host(path: &Path, error: &io::Error, doing: &str) -> Failure {
    let cause = format!("{}: {error}", path.display());
    let failure = Failure::new(Blame::Host, doing, cause);
    match error.kind() {
        io::ErrorKind::StorageFull => failure.advise(FULL),
        _ => failure,
    }
}

struct Seal<'s> {
    from: &'s Folder,
    to: &'s Path,
    doing: &'s str,
    blame: Blame,
    most: usize,
    listing: Vec<u8>,
    entries: usize,
    files: usize,
    bytes: u64,
}

impl Seal<'_> {
    fn wrong(&self, path: &Path, what: impl std::fmt::Display) -> Failure {
        Failure::new(
            self.blame,
            self.doing,
            format!("{}: {what}", path.display()),
        )
        .advise("a tree holds ordinary files and folders alone; use another version or package")
    }

    fn host(&self, path: &Path, error: &io::Error) -> Failure {
        host(path, error, self.doing)
    }

    fn walk(&mut self, path: &Path, depth: usize) -> Result<(), Failure> {
        if depth > limit::TREE_DEPTH {
            return Err(self.wrong(path, "it is nested too deeply"));
        }
        let opened = if depth == 0 {
            self.from.entries()
        } else {
            self.from.folder(path).and_then(|folder| folder.entries())
        };
        for entry in opened.map_err(|refused| self.wrong(path, refused))? {
            let here: PathBuf = path.join(&entry.name);
            self.entries = self.entries.saturating_add(1);
            if self.entries > self.most {
                return Err(self.wrong(&here, TOO_LARGE));
            }
            if is_left_out(&entry.name, depth) {
                continue;
            }
            match entry.kind {
                FileType::Directory => {
                    let target = self.to.join(&here);
                    make_folder(&target).map_err(|error| self.host(&target, &error))?;
                    self.walk(&here, depth.saturating_add(1))?;
                }
                FileType::RegularFile => self.file(&here)?,
                other => return Err(self.wrong(&here, format!("it is {}", kind_name(other)))),
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path) -> Result<(), Failure> {
        let (file, stat) = self
            .from
            .file(path)
            .map_err(|refused| self.wrong(path, refused))?;
        if stat.st_mode & 0o6000 != 0 {
            return Err(self.wrong(path, "it would change who executes it (set-user-id)"));
        }
        self.files = self.files.saturating_add(1);
        let left = limit::TREE_BYTES.saturating_sub(self.bytes);
        let target = self.to.join(path);
        let copy = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&target)
            .map_err(|error| self.host(&target, &error))?;
        let (digest, copied) = Digest::copy(file.take(left.saturating_add(1)), &copy)
            .map_err(|error| self.host(&target, &error))?;
        self.bytes = self.bytes.saturating_add(copied);
        if self.bytes > limit::TREE_BYTES {
            return Err(self.wrong(path, TOO_LARGE));
        }
        copy.set_permissions(PermissionsExt::from_mode(0o444))
            .map_err(|error| self.host(&target, &error))?;
        self.listing.extend_from_slice(path.as_os_str().as_bytes());
        self.listing.push(0);
        self.listing.extend_from_slice(digest.as_str().as_bytes());
        self.listing.push(b'\n');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TempFolder;
    use std::os::unix::fs::symlink;

    fn seal(temp: &TempFolder, to: &str) -> Result<Sealed, Failure> {
        let from = Folder::open(&temp.path().join("out")).unwrap();
        copy(&from, &temp.path().join(to), "sealing", Blame::Function)
    }

    fn tree() -> TempFolder {
        let temp = TempFolder::new();
        temp.write("out/pack/__init__.py", "x = 1");
        temp.write("out/pack/data.pth", "data");
        temp
    }

    #[test]
    fn the_same_files_give_the_same_digest_and_another_byte_another_one() {
        let temp = tree();
        let first = seal(&temp, "a").unwrap();
        assert_eq!((first.files, first.bytes), (2, 9));
        temp.write("out/evil.pth", "import os; os.system('x')");
        assert_eq!(seal(&temp, "b").unwrap(), first);
        assert!(!temp.path().join("b/evil.pth").exists());
        let mode = |path: &str| {
            let metadata = std::fs::metadata(temp.path().join(path)).unwrap();
            metadata.permissions().mode() & 0o7777
        };
        assert_eq!((mode("b/pack/__init__.py"), mode("b/pack")), (0o444, 0o755));
        temp.write("out/pack/__init__.py", "x = 2");
        assert_ne!(seal(&temp, "c").unwrap().digest, first.digest);
    }

    #[test]
    fn folders_and_what_is_left_out_count_like_files() {
        let temp = tree();
        let from = Folder::open(&temp.path().join("out")).unwrap();
        let copied = |most: usize, to: &str| {
            let to = temp.path().join(to);
            std::fs::create_dir(&to).unwrap();
            copy_at_most(most, &from, &to, "sealing", Blame::Function)
        };
        // A folder and two files.
        assert!(copied(3, "exactly").is_ok());
        for (name, more) in [("folder", "out/empty"), ("left-out", "out/evil.pth")] {
            let more = temp.path().join(more);
            std::fs::create_dir(&more).unwrap();
            let failure = copied(3, name).unwrap_err();
            assert!(failure.cause.contains("larger"), "{failure}");
            std::fs::remove_dir(more).unwrap();
        }
    }

    #[test]
    fn links_pipes_and_set_user_id_files_refuse_the_tree() {
        type Make = fn(&TempFolder);
        let made: [(&str, Make); 4] = [
            ("symbolic link", |temp| {
                symlink("/etc/passwd", temp.path().join("out/pack/link")).unwrap();
            }),
            ("symbolic link", |temp| {
                symlink("/etc", temp.path().join("out/folder")).unwrap();
            }),
            ("FIFO", |temp| temp.fifo("out/pipe")),
            ("set-user-id", |temp| {
                temp.write("out/tool", "x");
                let mode = PermissionsExt::from_mode(0o4755);
                std::fs::set_permissions(temp.path().join("out/tool"), mode).unwrap();
            }),
        ];
        for (word, make) in made {
            let temp = tree();
            make(&temp);
            let failure = seal(&temp, "a").unwrap_err();
            assert!(failure.cause.contains(word), "{failure}");
            assert_eq!(failure.blame, Blame::Function);
        }
    }
}
