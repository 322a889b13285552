//! Writes a plan into a fresh tree. The files may have changed since they were planned, so that
//! kind and size are checked again on what is opened.

use super::plan::{Item, Plan};
use super::{FULL, make_folder};
use crate::beneath::Folder;
use keylane_policy::blame::{Blame, Failure};
use keylane_policy::limit;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// The tree is ours and nobody else can write there, so its paths are used as they are; only the
/// project's side is opened through [`crate::beneath`].
pub(crate) fn copy(project: &Folder, plan: &Plan, tree: &Path) -> Result<(), Failure> {
    let doing = format!("staging the files of function \"{}\"", plan.function);
    let host = |path: &Path, error: io::Error| {
        let full = error.kind() == io::ErrorKind::StorageFull;
        let failure = Failure::new(
            Blame::Host,
            doing.as_str(),
            format!("{}: {error}", path.display()),
        );
        if full { failure.advise(FULL) } else { failure }
    };
    make_folder(tree).map_err(|error| host(tree, error))?;
    let mut left = limit::TREE_BYTES;
    for (path, item) in &plan.items {
        let target = tree.join(path);
        match item {
            Item::Folder => make_folder(&target).map_err(|error| host(&target, error))?,
            Item::File(source) => {
                let (from, stat) = project.file(source).map_err(|refused| {
                    let cause = format!("{}: {refused}", source.display());
                    Failure::new(Blame::Workflow, doing.as_str(), cause).advise(refused.advice())
                })?;
                let executable = stat.st_mode & 0o100 != 0;
                let copied =
                    file(from, &target, executable, left).map_err(|error| host(source, error))?;
                left = left.checked_sub(copied).ok_or_else(|| {
                    let cause = format!("{} grew while it was copied", source.display());
                    Failure::new(Blame::Workflow, doing.as_str(), cause)
                })?;
            }
        }
    }
    Ok(())
}

/// Copies a file; the answer is its length, at most one byte more than `limit`.
fn file(from: File, target: &Path, executable: bool, limit: u64) -> io::Result<u64> {
    let mut to = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(target)?;
    let copied = io::copy(&mut from.take(limit.saturating_add(1)), &mut to)?;
    // Nobody's to write, its owner's neither: where functions run as the operator's user, Landlock
    // alone would keep them from emptying it.
    let mode = if executable { 0o555 } else { 0o444 };
    to.set_permissions(PermissionsExt::from_mode(mode))?;
    Ok(copied)
}
