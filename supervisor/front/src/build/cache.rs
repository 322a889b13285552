//! What was fetched and built, by content, for all projects of one user.
//!
//! ```text
//!  $XDG_CACHE_HOME/keylane/       0700 (else $HOME/.cache/keylane)
//!      users                      shared lock: somebody builds; exclusive: `draft` is cleared
//!      draft/<random>             what is not whole yet; nobody looks there
//!      wheels/<sha256>            a wheel's bytes
//!      trees/<key>/tree/          a tree; the key is the hash of all that it was made from
//!      trees/<key>/about          its digest, files and bytes
//!      locks/<key>                who makes that tree
//! ```
//! An entry is made in `draft` and renamed to its place, so that a killed build leaves nothing that
//! looks whole. Only this process writes here, never a build worker: what a tenant's build makes is found
//! by nothing but the hash of what it was made from. A wheel is hashed again before it is installed, and a
//! tree whenever it is staged: what was changed here is forgotten and not used.

use super::digest::Digest;
use super::seal::Sealed;
use crate::stage::{FULL, random_name};
use keylane_policy::blame::{Blame, Failure};
use rustix::fd::OwnedFd;
use rustix::fs::{FlockOperation, Mode, OFlags};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

const DOING: &str = "using the cache of packages";
/// How often it is looked whether another build is done.
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// The cache, in use by this process.
#[derive(Debug)]
pub struct Cache {
    root: PathBuf,
    _users: OwnedFd,
}

/// A tree in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// Where it is.
    pub path: PathBuf,
    /// What is in it.
    pub sealed: Sealed,
}

impl Cache {
    /// Opens the operator's cache, makes it if need be, and clears what killed builds left.
    pub fn open() -> Result<Cache, Failure> {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let base = variable("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or(variable("HOME").map(|home| PathBuf::from(home).join(".cache")));
        let Some(base) = base.filter(|base| base.is_absolute()) else {
            let cause = "neither XDG_CACHE_HOME nor HOME names an absolute folder";
            return Err(Failure::new(Blame::Operator, DOING, cause)
                .advise("set XDG_CACHE_HOME to a folder of yours"));
        };
        let root = base.join("keylane");
        Cache::open_at(&root).map_err(|error| failed(&root, &error))
    }

    fn open_at(root: &Path) -> io::Result<Cache> {
        private_folder(root)?;
        let metadata = std::fs::symlink_metadata(root)?;
        let own = metadata.uid() == rustix::process::geteuid().as_raw();
        if !metadata.is_dir() || !own || metadata.mode() & 0o022 != 0 {
            return Err(io::Error::other(
                "it is not a folder that its owner, who is you, alone can change",
            ));
        }
        for name in ["draft", "wheels", "trees", "locks"] {
            private_folder(&root.join(name))?;
        }
        let users = lock_file(&root.join("users"))?;
        // Nobody else builds: what is in `draft` was left by a killed one.
        if rustix::fs::flock(&users, FlockOperation::NonBlockingLockExclusive).is_ok() {
            for entry in std::fs::read_dir(root.join("draft"))?.flatten() {
                remove(&entry.path());
            }
        }
        rustix::fs::flock(&users, FlockOperation::LockShared)?;
        Ok(Cache {
            root: root.to_owned(),
            _users: users,
        })
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The wheel with this hash, if it is there.
    pub fn wheel(&self, sha256: &Digest) -> Option<File> {
        File::open(self.root.join("wheels").join(sha256.as_str())).ok()
    }

    /// Keeps a wheel, and says its hash.
    pub fn keep_wheel(&self, from: impl Read) -> Result<Digest, Failure> {
        let draft = self.draft().map_err(|error| failed(&self.root, &error))?;
        let kept = || -> io::Result<Digest> {
            let file = File::options().write(true).create_new(true).open(&draft)?;
            let (digest, _bytes) = Digest::copy(from, &file)?;
            file.sync_all()?;
            std::fs::rename(&draft, self.root.join("wheels").join(digest.as_str()))?;
            Ok(digest)
        };
        let kept = kept();
        if kept.is_err() {
            remove(&draft);
        }
        kept.map_err(|error| failed(&self.root, &error))
    }

    /// Forgets a wheel whose bytes are not what its name says.
    pub fn forget_wheel(&self, sha256: &Digest) {
        let _ = std::fs::remove_file(self.root.join("wheels").join(sha256.as_str()));
    }

    /// The tree that was made from what has this hash, if it is there.
    pub fn tree(&self, key: &Digest) -> Option<Tree> {
        let folder = self.root.join("trees").join(key.as_str());
        let about = std::fs::read_to_string(folder.join("about")).ok()?;
        let mut words = about.split_whitespace();
        let sealed = Sealed {
            digest: Digest::try_from(words.next()?).ok()?,
            files: words.next()?.parse().ok()?,
            bytes: words.next()?.parse().ok()?,
        };
        Some(Tree {
            path: folder.join("tree"),
            sealed,
        })
    }

    /// Waits until nobody else makes this tree; as long as the answer is held nobody does. `look` is
    /// called while it waits; its error ends that.
    pub fn lock(
        &self,
        key: &Digest,
        look: impl Fn() -> Result<(), Failure>,
    ) -> Result<OwnedFd, Failure> {
        let path = self.root.join("locks").join(key.as_str());
        let lock = lock_file(&path).map_err(|error| failed(&path, &error))?;
        loop {
            match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(lock),
                Err(rustix::io::Errno::WOULDBLOCK) => look()?,
                Err(error) => return Err(failed(&path, &error.into())),
            }
            std::thread::sleep(LOCK_PAUSE);
        }
    }

    /// Forgets a tree whose bytes are not what was kept of them.
    pub fn forget_tree(&self, tree: &Tree) {
        // By one rename: nobody finds a half of it.
        if let (Some(folder), Ok(draft)) = (tree.path.parent(), self.draft())
            && std::fs::rename(folder, &draft).is_ok()
        {
            remove(&draft);
        }
    }

    /// Makes the tree for `key`: `fill` makes the folder that it is given. The caller holds its lock.
    pub fn keep_tree(
        &self,
        key: &Digest,
        fill: impl FnOnce(&Path) -> Result<Sealed, Failure>,
    ) -> Result<Tree, Failure> {
        let draft = self.draft().map_err(|error| failed(&self.root, &error))?;
        let filled = private_folder(&draft)
            .map_err(|error| failed(&draft, &error))
            .and_then(|()| fill(&draft.join("tree")))
            .and_then(|sealed| self.put(key, &draft, &sealed));
        if filled.is_err() {
            remove(&draft);
        }
        filled
    }

    fn put(&self, key: &Digest, draft: &Path, sealed: &Sealed) -> Result<Tree, Failure> {
        let place = self.root.join("trees").join(key.as_str());
        let put = || -> io::Result<()> {
            let Sealed {
                digest,
                files,
                bytes,
            } = sealed;
            std::fs::write(draft.join("about"), format!("{digest} {files} {bytes}\n"))?;
            // Also after a loss of power what has its name is whole.
            rustix::fs::syncfs(File::open(draft)?)?;
            std::fs::rename(draft, &place)
        };
        put().map_err(|error| failed(&place, &error))?;
        Ok(Tree {
            path: place.join("tree"),
            sealed: sealed.clone(),
        })
    }

    /// A path in `draft` that nothing has.
    fn draft(&self) -> io::Result<PathBuf> {
        Ok(self.root.join("draft").join(random_name()?))
    }
}

fn private_folder(path: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

fn lock_file(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    Ok(rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)?)
}

/// Best effort: what stays is cleared by a later build.
fn remove(path: &Path) {
    if std::fs::remove_file(path).is_err() {
        let _ = std::fs::remove_dir_all(path);
    }
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    let failure = Failure::new(Blame::Host, DOING, format!("{}: {error}", path.display()));
    match error.kind() {
        io::ErrorKind::StorageFull => failure.advise(FULL),
        _ => failure.advise("set XDG_CACHE_HOME to a folder of yours that you may write"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TempFolder;
    use std::os::unix::fs::PermissionsExt;

    fn cache(temp: &TempFolder) -> Cache {
        Cache::open_at(&temp.path().join("keylane")).unwrap()
    }

    fn sealed() -> Sealed {
        Sealed {
            digest: Digest::of(b"tree"),
            files: 1,
            bytes: 4,
        }
    }

    #[test]
    fn a_wheel_is_found_by_its_hash_alone() {
        let temp = TempFolder::new();
        let cache = cache(&temp);
        let digest = cache.keep_wheel(&b"wheel"[..]).unwrap();
        assert_eq!(digest, Digest::of(b"wheel"));
        assert!(cache.wheel(&digest).is_some());
        assert!(cache.wheel(&Digest::of(b"other")).is_none());
        cache.forget_wheel(&digest);
        assert!(cache.wheel(&digest).is_none());
    }

    #[test]
    fn a_wheel_that_cannot_be_read_to_its_end_leaves_nothing() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("broken"))
            }
        }
        let temp = TempFolder::new();
        let cache = cache(&temp);
        assert!(cache.keep_wheel(Broken).is_err());
        for folder in ["keylane/draft", "keylane/wheels"] {
            let left = std::fs::read_dir(temp.path().join(folder)).unwrap();
            assert_eq!(left.count(), 0, "{folder}");
        }
    }

    #[test]
    fn who_waits_for_another_build_can_be_told_to_stop() {
        let temp = TempFolder::new();
        let (first, second) = (cache(&temp), cache(&temp));
        let key = Digest::of(b"key");
        let _held = first.lock(&key, || Ok(())).unwrap();
        let stopped = second.lock(&key, || Err(Failure::new(Blame::Operator, "x", "a signal")));
        assert_eq!(stopped.unwrap_err().cause, "a signal");
    }

    #[test]
    fn a_tree_that_could_not_be_made_whole_is_never_seen() {
        let temp = TempFolder::new();
        let cache = cache(&temp);
        let key = Digest::of(b"key");
        let failed = cache.keep_tree(&key, |path| {
            std::fs::create_dir(path).unwrap();
            std::fs::write(path.join("half"), "x").unwrap();
            Err(Failure::new(Blame::Host, "filling", "broken"))
        });
        assert!(failed.is_err());
        assert_eq!(cache.tree(&key), None);
        let made = cache.keep_tree(&key, |path| {
            std::fs::create_dir(path).unwrap();
            Ok(sealed())
        });
        let made = made.unwrap();
        assert_eq!(cache.tree(&key).as_ref(), Some(&made));
        cache.forget_tree(&made);
        assert_eq!(cache.tree(&key), None);
        let left = std::fs::read_dir(temp.path().join("keylane/draft")).unwrap();
        assert_eq!(left.count(), 0);
    }

    #[test]
    fn what_a_killed_build_left_goes_once_nobody_builds() {
        let temp = TempFolder::new();
        let first = cache(&temp);
        temp.write("keylane/draft/left/tree/half", "x");
        let second = cache(&temp);
        assert!(temp.path().join("keylane/draft/left").exists());
        drop((first, second));
        let _third = cache(&temp);
        assert!(!temp.path().join("keylane/draft/left").exists());
    }

    #[test]
    fn a_folder_that_others_can_change_is_no_cache() {
        let temp = TempFolder::new();
        let root = temp.path().join("keylane");
        std::fs::create_dir(&root).unwrap();
        std::fs::set_permissions(&root, PermissionsExt::from_mode(0o777)).unwrap();
        assert!(Cache::open_at(&root).is_err());
        let link = temp.path().join("link");
        std::os::unix::fs::symlink(&root, &link).unwrap();
        assert!(Cache::open_at(&link).is_err());
    }
}
