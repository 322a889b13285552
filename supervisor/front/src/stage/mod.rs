//! A function's files, copied into a tree of its own that nothing else shares.
//!
//! ```text
//!  TMPDIR/keylane-<random>/          0711 for root, else 0700; ours alone can list it
//!      lock                          flock'd while the stage is in use
//!      <random>/                     a name that another user cannot guess
//!          lastpx/                   function `lastpx`: its `path`, and its `include`s
//!          volume/
//! ```
//! `plan` decides what goes where and refuses links, devices and floods; `copy` writes it;
//! `sweep` removes what a killed Keylane left.
//!
//! An attacker controls: everything below the project's folder, also while it is being copied.
//! Other users of the host share the temporary folder.

mod copy;
pub(crate) use copy::copy as write;
pub mod plan;
mod sweep;
#[cfg(test)]
mod tests;

use crate::beneath::Folder;
use crate::build::seal::{self, Sealed};
use keylane_policy::blame::{Blame, Failure};
use plan::Plan;
use rustix::fd::OwnedFd;
use rustix::fs::{FlockOperation, Mode, OFlags};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// What the name of every stage begins with.
const PREFIX: &str = "keylane-";

/// What a failure here was doing.
const DOING: &str = "staging the functions' files";

/// The name of the lock in a stage.
const LOCK: &str = "lock";

/// Where a function's packages are in its tree; the launcher looks there after everything else.
pub const PACKAGES: &str = "site-packages";

/// How often a stage is made anew that another Keylane's sweep took for a left one. Each time the
/// sweep must hit a moment of microseconds.
const ATTEMPTS: u32 = 64;

/// The staged trees of one deployment, removed when this is dropped.
#[derive(Debug)]
pub struct Stage {
    root: PathBuf,
    trees: PathBuf,
    lock: OwnedFd,
}

impl Stage {
    /// Copies the files of all functions into a fresh stage below the temporary folder
    /// (`TMPDIR`, else /tmp), after removing stages that a killed Keylane left there.
    pub fn create(project: &Folder, plans: &[Plan]) -> Result<Stage, Failure> {
        Stage::create_in(&std::env::temp_dir(), project, plans)
    }

    /// A fresh stage that holds nothing, for files that are nobody's function.
    pub fn bare() -> Result<Stage, Failure> {
        Stage::bare_in(&std::env::temp_dir())
    }

    fn bare_in(parent: &Path) -> Result<Stage, Failure> {
        let parent = parent
            .canonicalize()
            .map_err(|error| no_folder(parent, &error))?;
        check_parent(&parent)?;
        sweep::sweep(&parent);
        Stage::empty(&parent).map_err(|error| no_folder(&parent, &error))
    }

    fn create_in(parent: &Path, project: &Folder, plans: &[Plan]) -> Result<Stage, Failure> {
        let stage = Stage::bare_in(parent)?;
        for plan in plans {
            copy::copy(project, plan, &stage.tree(plan.function.as_str()))?;
        }
        Ok(stage)
    }

    /// Copies a sealed tree into a function's tree, as its folder `name`, and says what was copied.
    pub fn add(&self, function: &str, name: &str, tree: &Path) -> Result<Sealed, Failure> {
        let doing = format!("staging the packages of function {function:?}");
        let from = Folder::open(tree).map_err(|refused| {
            let cause = format!("{}: {refused}", tree.display());
            Failure::new(Blame::Host, doing.as_str(), cause).advise("run `keylane build` again")
        })?;
        seal::copy(&from, &self.tree(function).join(name), &doing, Blame::Host)
    }

    /// Copies what a sealed tree holds into a function's tree beside its files, over none of them, and
    /// says what was copied.
    pub fn add_beside(&self, function: &str, tree: &Path) -> Result<Sealed, Failure> {
        let doing = format!("staging what was built of function {function:?}");
        let from = Folder::open(tree).map_err(|refused| {
            let cause = format!("{}: {refused}", tree.display());
            Failure::new(Blame::Host, doing.as_str(), cause).advise("run `keylane build` again")
        })?;
        seal::copy_into(&from, &self.tree(function), &doing, Blame::Host)
    }

    /// The folder that holds everything, which whoever outlives this process removes.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The tree of a function.
    pub fn tree(&self, function: &str) -> PathBuf {
        self.trees.join(function)
    }

    /// The open lock; as long as it is open nobody sweeps the stage away.
    pub fn lock(&self) -> &OwnedFd {
        &self.lock
    }

    fn empty(parent: &Path) -> io::Result<Stage> {
        let (root, lock) = locked_folder(parent)?;
        // Root's functions run as another user, who must pass through here without listing it.
        let mode = if rustix::process::geteuid().is_root() {
            0o711
        } else {
            0o700
        };
        let trees = root.join(random_name()?);
        let stage = Stage { root, trees, lock };
        std::fs::set_permissions(&stage.root, PermissionsExt::from_mode(mode))?;
        std::fs::create_dir(&stage.trees)?;
        std::fs::set_permissions(&stage.trees, PermissionsExt::from_mode(mode))?;
        Ok(stage)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Whoever else removes it (the spawner, when this process was killed) may be quicker.
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

/// A fresh folder and its lock. Another Keylane's sweep may find the folder before it is locked and
/// remove it; then another one is made.
fn locked_folder(parent: &Path) -> io::Result<(PathBuf, OwnedFd)> {
    for _ in 0..ATTEMPTS {
        let root = parent.join(format!("{PREFIX}{}", random_name()?));
        std::fs::DirBuilder::new().mode(0o700).create(&root)?;
        match take_lock(&root) {
            Ok(Some(lock)) => return Ok((root, lock)),
            Ok(None) => {
                // What the sweep has not removed yet.
                let _ = std::fs::remove_dir_all(&root);
            }
            Err(error) => {
                let _ = std::fs::remove_dir_all(&root);
                return Err(error);
            }
        }
    }
    Err(io::Error::other(format!(
        "{ATTEMPTS} times another Keylane removed the new stage"
    )))
}

/// Makes and locks the lock of a fresh stage; `None` where a sweep was there first: it found the
/// lock free before this process took it, or holds it.
fn take_lock(root: &Path) -> io::Result<Option<OwnedFd>> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let lock = rustix::fs::open(root.join(LOCK), flags, Mode::RUSR | Mode::WUSR)?;
    match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let removed = rustix::fs::fstat(&lock)?.st_nlink == 0;
    Ok((!removed).then_some(lock))
}

/// 128 random bits in hexadecimal.
pub(crate) fn random_name() -> io::Result<String> {
    let mut bytes = [0u8; 16];
    let filled = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())?;
    if filled != bytes.len() {
        return Err(io::Error::other("the kernel gave too few random bytes"));
    }
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The temporary folder, and every folder on the way to it, must not let another user rename what is
/// in it, which is how one would put code of one's own into a function's place; and root's
/// functions, which run as another user, must be able to pass through all of them.
fn check_parent(parent: &Path) -> Result<(), Failure> {
    let advice = "set TMPDIR to a folder like /tmp (root's, mode 1777), or unset it";
    let wrong = |cause| Err(Failure::new(Blame::Operator, DOING, cause).advise(advice));
    let (me, my_group) = (rustix::process::geteuid(), rustix::process::getegid());
    for folder in parent.ancestors() {
        let metadata = std::fs::metadata(folder).map_err(|error| no_folder(folder, &error))?;
        let (mode, shown) = (metadata.mode(), folder.display());
        if mode & 0o002 != 0 && mode & 0o1000 == 0 {
            return wrong(format!(
                "{shown} can be changed by everybody and has no sticky bit"
            ));
        }
        // A user's own group is the user's alone where groups are private, which is the default of
        // Debian's adduser; root's is root's.
        let trusted = metadata.gid() == 0 || metadata.gid() == my_group.as_raw();
        if mode & 0o020 != 0 && mode & 0o1000 == 0 && !trusted {
            return wrong(format!(
                "{shown} can be changed by group {} and has no sticky bit",
                metadata.gid()
            ));
        }
        if metadata.uid() != 0 && metadata.uid() != me.as_raw() {
            return wrong(format!("{shown} belongs to another user"));
        }
        if me.is_root() && mode & 0o001 == 0 {
            return wrong(format!(
                "{shown} is closed to the users that functions run as"
            ));
        }
    }
    Ok(())
}

/// Whether the temporary folder can hold a stage; what `doctor` asks.
pub fn check_temporary() -> Result<PathBuf, Failure> {
    let parent = std::env::temp_dir();
    let parent = parent
        .canonicalize()
        .map_err(|error| no_folder(&parent, &error))?;
    check_parent(&parent)?;
    Ok(parent)
}

fn no_folder(parent: &Path, error: &io::Error) -> Failure {
    let failure = Failure::new(Blame::Host, DOING, format!("{}: {error}", parent.display()));
    match error.kind() {
        io::ErrorKind::StorageFull => failure.advise(FULL),
        _ => failure.advise("set TMPDIR to a folder that exists and that you may write"),
    }
}

/// A folder that everybody may read, whatever the umask.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    std::fs::create_dir(path)?;
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755))
}

/// What to do when the disk is full.
pub(crate) const FULL: &str =
    "free some space there, or set TMPDIR to a folder on a larger file system";
