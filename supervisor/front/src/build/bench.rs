//! Where build workers work: a fresh folder for each in a stage of its own, which the worker's user owns;
//! and how a worker is run there with its progress on the screen.

use super::{Desk, remove};
use crate::beneath::Folder;
use crate::render::escape;
use crate::stage::Stage;
use keylane_builder::{Builder, Done, Work};
use keylane_policy::blame::{Blame, Failure};
use keylane_policy::part::Part;
use rustix::fs::{Gid, Uid};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A place to work. What was made there goes when it is dropped.
#[derive(Debug)]
pub(super) struct Bench {
    builder: Builder,
    stage: Stage,
    folders: u32,
}

/// Whether this host has what the operator `required` of it, as far as build workers have that at all.
pub(super) fn required(required: &[Part]) -> Result<(), Failure> {
    let wanted = |part: &&Part| matches!(part, Part::Namespaces | Part::Mounts);
    let Some(part) = required.iter().find(wanted) else {
        return Ok(());
    };
    keylane_sys::host::try_namespaces()
        .and_then(|()| keylane_sys::host::try_mounts())
        .map_err(|error| {
            let cause = format!(
                "the operator's policy requires `{}`, and this host has no mounts in a user \
                 namespace ({error})",
                part.word()
            );
            Failure::new(Blame::Host, "building", cause)
                .advise("`keylane doctor` says what this host lacks")
        })
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

    /// Runs a worker; `what` stands on the screen meanwhile, and a signal ends it.
    pub(super) fn run(
        &mut self,
        work: &Work<'_>,
        what: &str,
        desk: &mut Desk<'_>,
    ) -> Result<Done, Failure> {
        let done = self.builder.run(work, &mut || {
            desk.screen.progress(what, 0, 0);
            desk.interrupt.look()
        });
        desk.screen.clear();
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

    /// Writes a file for the worker. What the front relies on it never reads back: the folder is the
    /// worker's, which can put another file in its place.
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
        if let Err(error) = remove::remove(&self.folder) {
            let shown = self.folder.display();
            eprintln!("keylane: {shown} could not be removed: {error}");
        }
    }
}
