//! Removes what a build worker left, however deep it is nested and whatever modes its folders have.
//!
//! The standard library's removal keeps a descriptor open for each level, so that a worker which nests
//! deeply enough makes it fail. Here what lies in a folder's folders is moved up before it is looked at:
//! no path is ever longer than two names below the top, and one folder is open at a time.
//!
//! An attacker controls: everything below the folder; the worker has ended, so nothing changes any more.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Removes a folder and all that it holds; links are removed and not followed.
pub(super) fn remove(top: &Path) -> io::Result<()> {
    open(top)?;
    // Names that nothing in the folder has but by accident; then the next one is taken.
    let mut next = 0u64;
    loop {
        let mut empty = true;
        for entry in fs::read_dir(top)? {
            let entry = entry?;
            empty = false;
            if !entry.file_type()?.is_dir() {
                fs::remove_file(entry.path())?;
                continue;
            }
            let folder = entry.path();
            open(&folder)?;
            for inner in fs::read_dir(&folder)? {
                let inner = inner?;
                if !inner.file_type()?.is_dir() {
                    fs::remove_file(inner.path())?;
                    continue;
                }
                // Its owner must be able to write to a folder that is to get another parent.
                open(&inner.path())?;
                let mut up = top.join(format!("{next}.removed"));
                while up.symlink_metadata().is_ok() {
                    next = next.wrapping_add(1);
                    up = top.join(format!("{next}.removed"));
                }
                fs::rename(inner.path(), up)?;
            }
            fs::remove_dir(&folder)?;
        }
        if empty {
            return fs::remove_dir(top);
        }
    }
}

/// Gives a folder, which is no link, back to its owner.
fn open(folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, PermissionsExt::from_mode(0o700))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TempFolder;
    use rustix::fs::{Mode, OFlags};

    #[test]
    fn a_tree_that_is_nested_deeper_than_descriptors_and_paths_go_is_removed() {
        let temp = TempFolder::new();
        let top = temp.path().join("deep");
        fs::create_dir(&top).unwrap();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut at = rustix::fs::open(&top, flags, Mode::empty()).unwrap();
        for _ in 0..5000 {
            rustix::fs::mkdirat(&at, "d", Mode::RWXU).unwrap();
            at = rustix::fs::openat(&at, "d", flags, Mode::empty()).unwrap();
        }
        // A path that names the innermost folder would be too long.
        rustix::fs::symlinkat("/etc", &at, "link").unwrap();
        remove(&top).unwrap();
        assert!(!top.exists());
    }

    #[test]
    fn closed_folders_links_and_names_like_its_own_are_removed_and_nothing_else() {
        let temp = TempFolder::new();
        temp.write("kept/file", "x");
        temp.write("top/a/b/c/file", "x");
        temp.write("top/0.removed/file", "x");
        temp.write("top/1.removed", "x");
        let top = temp.path().join("top");
        std::os::unix::fs::symlink(temp.path().join("kept"), top.join("a/link")).unwrap();
        for closed in ["a/b/c", "a/b", "a"] {
            fs::set_permissions(top.join(closed), PermissionsExt::from_mode(0o000)).unwrap();
        }
        remove(&top).unwrap();
        assert!(!top.exists());
        assert!(temp.path().join("kept/file").exists());
    }
}
