//! Where build workers work: a fresh folder for each in a stage of its own, which the worker's user owns;
//! and how a worker is run there with its progress on the screen.

use crate::beneath::Folder;
use crate::render::escape;
use crate::render::screen::Screen;
use crate::stage::Stage;
use keylane_builder::{Builder, Done, Work};
use keylane_policy::blame::{Blame, Failure};
use rustix::fs::{Gid, Uid};
use std::io::Stderr;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A place to work. What was made there goes when it is dropped.
#[derive(Debug)]
pub(super) struct Bench {
    builder: Builder,
    stage: Stage,
    folders: u32,
}

/// The folder of one worker, and who that will be.
#[derive(Debug)]
pub(super) struct Place {
    /// The folder, absolute.
    pub(super) folder: PathBuf,
    user: Option<u32>,
    doing: String,
}

impl Bench {
    /// Sets one up, or says what the host lacks.
    pub(super) fn new(project: &Folder) -> Result<Bench, Failure> {
        Ok(Bench {
            builder: Builder::new()?,
            stage: Stage::create(project, &[])?,
            folders: 0,
        })
    }

    /// A fresh folder for the next worker, with these folders in it, which are the worker's, too.
    pub(super) fn place(&mut self, doing: &str, folders: &[&str]) -> Result<Place, Failure> {
        self.folders = self.folders.saturating_add(1);
        let place = Place {
            folder: self.stage.tree(&format!("build-{}", self.folders)),
            user: self.builder.next_user(),
            doing: doing.to_owned(),
        };
        place.make("")?;
        for folder in folders {
            place.make(folder)?;
        }
        Ok(place)
    }

    /// Where the worker of a place finds its folder.
    pub(super) fn inside(&self, place: &Place) -> PathBuf {
        self.builder.inside(&place.folder)
    }

    /// Runs a worker; `what` stands on the screen meanwhile.
    pub(super) fn run(
        &mut self,
        work: &Work<'_>,
        what: &str,
        screen: &mut Screen<Stderr>,
    ) -> Result<Done, Failure> {
        let done = self.builder.run(work, &mut || {
            screen.progress(what, 0, 0);
            Ok(())
        });
        screen.clear();
        let done = done?;
        match &done.unjailed {
            Some(words) if !done.succeeded => {
                let cause = format!("the worker's jail: {}", escape::line(words));
                Err(Failure::new(Blame::Host, work.doing.clone(), cause)
                    .advise("`keylane doctor` says what this host lacks"))
            }
            _ => Ok(done),
        }
    }
}

impl Place {
    /// Makes a folder that only the worker can use.
    fn make(&self, name: &str) -> Result<(), Failure> {
        let path = self.folder.join(name);
        let made = std::fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .and_then(|()| match self.user {
                Some(user) => {
                    let (uid, gid) = (Uid::from_raw(user), Gid::from_raw(user));
                    Ok(rustix::fs::chown(&path, Some(uid), Some(gid))?)
                }
                None => Ok(()),
            });
        made.map_err(|error| self.failed(&path, &error))
    }

    /// Writes a file that the worker can read and not change.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.folder.join(name);
        let written = std::fs::write(&path, bytes)
            .and_then(|()| std::fs::set_permissions(&path, PermissionsExt::from_mode(0o444)));
        written.map_err(|error| self.failed(&path, &error))
    }

    /// What the worker left in one of its folders.
    pub(super) fn left(&self, name: &str) -> Result<Folder, Failure> {
        let opened = Folder::open(&self.folder).and_then(|folder| folder.folder(Path::new(name)));
        opened.map_err(|refused| {
            let cause = format!("{name}: {refused}");
            Failure::new(Blame::Host, self.doing.as_str(), cause)
        })
    }

    fn failed(&self, path: &Path, error: &std::io::Error) -> Failure {
        let cause = format!("{}: {error}", path.display());
        Failure::new(Blame::Host, self.doing.as_str(), cause)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if std::fs::remove_dir_all(&self.folder).is_err() {
            // A worker may have closed its own folders.
            open_again(&self.folder, 0);
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// Gives folders back to their owner, as deep as a tree may be; links are not followed.
fn open_again(folder: &Path, depth: usize) {
    let is_folder = folder.symlink_metadata().is_ok_and(|data| data.is_dir());
    if !is_folder || depth > 2 * keylane_policy::limit::TREE_DEPTH {
        return;
    }
    let _ = std::fs::set_permissions(folder, PermissionsExt::from_mode(0o700));
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        open_again(&entry.path(), depth.saturating_add(1));
    }
}
