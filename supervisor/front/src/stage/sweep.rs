//! Removes stages whose Keylane is gone: killed together with its spawner, it could not do so.
//!
//! A stage in use holds a lock (flock(2)) that the kernel drops with its owner. Only folders of
//! this user, by our name, with a free lock go; whatever is in doubt stays.

use super::{LOCK, PREFIX};
use rustix::fs::{FlockOperation, Mode, OFlags};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

/// How old a stage without a lock must be; a younger one is just being made.
const UNLOCKED_AGE: Duration = Duration::from_secs(600);

/// Best effort: what cannot be removed now is somebody else's or the next sweep's.
pub(super) fn sweep(parent: &Path) {
    let Ok(entries) = std::fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        if is_stage_name(&entry.file_name().to_string_lossy()) {
            remove_if_left(&entry.path());
        }
    }
}

fn is_stage_name(name: &str) -> bool {
    name.strip_prefix(PREFIX).is_some_and(|random| {
        random.len() == 32
            && random
                .bytes()
                .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// Removes a folder if it is a stage of this user that nobody uses.
fn remove_if_left(path: &Path) {
    let Ok(metadata) = path.symlink_metadata() else {
        return;
    };
    if !metadata.is_dir() || metadata.uid() != rustix::process::geteuid().as_raw() {
        return;
    }
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    // The lock is kept until the folder is gone: whoever is just making the stage cannot take it
    // in between, and notices afterwards that its lock has no name any more.
    let (_lock, left) = match rustix::fs::open(path.join(LOCK), flags, Mode::empty()) {
        Ok(lock) => {
            let free = rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok();
            (Some(lock), free)
        }
        Err(rustix::io::Errno::NOENT) => {
            let age = metadata
                .modified()
                .ok()
                .and_then(|time| time.elapsed().ok());
            (None, age.is_some_and(|age| age > UNLOCKED_AGE))
        }
        Err(_) => (None, false),
    };
    if left {
        let _ = std::fs::remove_dir_all(path);
    }
}
