//! `keylane.lock`: the exact wheels of each function. Pure but for [`Lock::read`] and [`Lock::write`].
//!
//! An attacker controls: every byte; it lies in the project. What it can name is wheels by name,
//! version and hash, which the operator's index or the operator's cache must have: a project that knows
//! the hash of another one's wheel gets it from the cache without the index being asked. What it names
//! must be what the requirements ask for, by name and by hash ([`Entry::fits`]).

use super::digest::Digest;
use super::wheel::WheelName;
use crate::beneath::{Folder, Refused};
use crate::problem::Problem;
use crate::project::name::Name;
use crate::project::{manifest, read_text};
use crate::requirements::Requirement;
use crate::source::{Position, Source};
use crate::stage::random_name;
use keylane_policy::limit;
use rustix::fs::{AtFlags, Mode, OFlags};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::Path;

/// The lock's name, beside `keylane.toml`.
pub const FILE: &str = "keylane.lock";
/// What the name begins with of what is written first and then takes the lock's name.
const DRAFT: &str = ".keylane.lock.";
/// The version of the format.
const VERSION: u32 = 1;
/// Packages of one function.
const MOST: usize = 1000;

const HEAD: &str = "\
# The exact packages of each function, written by `keylane build`. Keep it with the project: the same
# lock gives the same trees. Remove it to let `keylane build` choose anew.
";

/// One wheel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package {
    /// Its file.
    pub wheel: WheelName,
    /// The hash of its bytes.
    pub sha256: Digest,
}

/// What one function has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The hash of the requirements that led to it.
    pub requirements: Digest,
    /// Its wheels, sorted.
    pub packages: Vec<Package>,
}

/// The lock of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock(pub BTreeMap<String, Entry>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    #[serde(default)]
    functions: BTreeMap<String, WrittenEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenEntry {
    requirements: String,
    packages: Vec<WrittenPackage>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPackage {
    file: String,
    sha256: String,
}

impl Entry {
    /// These wheels, sorted: one of each package, and not too many.
    pub fn new(requirements: Digest, mut packages: Vec<Package>) -> Result<Entry, &'static str> {
        packages.sort();
        let names: BTreeSet<&str> = packages.iter().map(|one| one.wheel.package()).collect();
        if names.len() < packages.len() || packages.len() > MOST {
            return Err("it has a package twice, or too many");
        }
        Ok(Entry {
            requirements,
            packages,
        })
    }

    /// Whether each requirement has its wheel here, with one of the hashes that it names; if not, which
    /// has not and why. Versions are not compared.
    pub fn fits(&self, requirements: &[Requirement]) -> Result<(), String> {
        for Requirement { name, hashes, .. } in requirements {
            let found = self.packages.iter().find(|one| one.wheel.package() == name);
            let Some(package) = found else {
                return Err(format!("there is no wheel of {name}"));
            };
            let is_its = |hash: &String| hash == package.sha256.as_str();
            if !hashes.is_empty() && !hashes.iter().any(is_its) {
                let file = package.wheel.file();
                return Err(format!("{file} has another hash than the requirements say"));
            }
        }
        Ok(())
    }
}

impl Lock {
    /// The project's lock; an empty one where there is none.
    pub fn read(project: &Folder) -> Result<Lock, Vec<Problem>> {
        if let Err(Refused::Missing) = project.stat(Path::new(FILE)) {
            return Ok(Lock::default());
        }
        Lock::parse(&read_text(
            project,
            Path::new(FILE),
            limit::DEFINITION_BYTES,
        )?)
    }

    /// Reads a lock's text, or says what is wrong with it.
    pub fn parse(source: &Source) -> Result<Lock, Vec<Problem>> {
        let document: Document = toml::from_str(source.text())
            .map_err(|error| vec![manifest::syntax(source, &error)])?;
        let top = Position { line: 1, column: 1 };
        let wrong = |message: String| {
            let advice = "remove the file: `keylane build` writes it anew";
            vec![Problem::at(source, top, message).suggest(advice)]
        };
        if document.version != VERSION {
            let version = document.version;
            return Err(wrong(format!("a lock of version {version}, not {VERSION}")));
        }
        let mut lock = Lock::default();
        for (name, entry) in document.functions {
            let bad = |why: &str| wrong(format!("function {name:?}: {why}"));
            Name::try_from(name.as_str()).map_err(|error| bad(&error.wrong))?;
            let requirements = Digest::try_from(entry.requirements.as_str()).map_err(bad)?;
            let packages = entry.packages.iter().map(|package| {
                let wheel = WheelName::try_from(package.file.as_str());
                let sha256 = Digest::try_from(package.sha256.as_str());
                Ok(Package {
                    wheel: wheel.map_err(|why| bad(&format!("{:?}: {why}", package.file)))?,
                    sha256: sha256.map_err(bad)?,
                })
            });
            let packages = packages.collect::<Result<Vec<_>, Vec<Problem>>>()?;
            let entry = Entry::new(requirements, packages).map_err(bad)?;
            lock.0.insert(name, entry);
        }
        Ok(lock)
    }

    /// The lock as text; the same lock is the same text.
    pub fn text(&self) -> String {
        let mut text = format!("{HEAD}version = {VERSION}\n");
        for (name, entry) in &self.0 {
            text.push_str(&format!(
                "\n[functions.{name}]\nrequirements = \"{}\"\npackages = [\n",
                entry.requirements
            ));
            for Package { wheel, sha256 } in &entry.packages {
                let file = wheel.file();
                text.push_str(&format!(
                    "  {{ file = \"{file}\", sha256 = \"{sha256}\" }},\n"
                ));
            }
            text.push_str("]\n");
        }
        text
    }

    /// Writes it beside `keylane.toml`: whole, or not at all, and never through a link.
    pub fn write(&self, project: &Folder) -> io::Result<()> {
        // Of its own: two builds may write at once.
        let name = format!("{DRAFT}{}", random_name()?);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let mode = Mode::from_raw_mode(0o644);
        let draft = rustix::fs::openat(project, &name, flags | OFlags::CLOEXEC, mode)?;
        let mut draft = std::fs::File::from(draft);
        let written = draft
            .write_all(self.text().as_bytes())
            .and_then(|()| draft.sync_all())
            .and_then(|()| Ok(rustix::fs::renameat(project, &name, project, FILE)?));
        if written.is_err() {
            let _ = rustix::fs::unlinkat(project, &name, AtFlags::empty());
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TempFolder;

    fn lock() -> Lock {
        let package = |file: &str| Package {
            wheel: WheelName::try_from(file).unwrap(),
            sha256: Digest::of(file.as_bytes()),
        };
        let entry = Entry {
            requirements: Digest::of(b"six"),
            packages: vec![
                package("pillow-13.0.0-cp311-cp311-manylinux_2_28_x86_64.whl"),
                package("six-1.17.0-py2.py3-none-any.whl"),
            ],
        };
        Lock([("words".to_owned(), entry)].into())
    }

    #[test]
    fn what_is_written_is_read_again_and_replaces_a_link_without_following_it() {
        let temp = TempFolder::new();
        let folder = Folder::open(temp.path()).unwrap();
        assert_eq!(Lock::read(&folder).unwrap(), Lock::default());
        temp.write("mine", "mine");
        std::os::unix::fs::symlink("mine", temp.path().join(FILE)).unwrap();
        assert!(Lock::read(&folder).is_err());
        lock().write(&folder).unwrap();
        assert_eq!(Lock::read(&folder).unwrap(), lock());
        assert_eq!(std::fs::read(temp.path().join("mine")).unwrap(), b"mine");
        let names = std::fs::read_dir(temp.path()).unwrap();
        assert_eq!(names.count(), 2);
    }

    #[test]
    fn a_lock_fits_that_has_every_package_with_a_hash_that_the_requirements_name() {
        let entry = &lock().0["words"];
        let read = |text: &str| crate::requirements::read(&Source::new("r", text)).unwrap();
        let hash = &entry.packages[1].sha256;
        let other = Digest::of(b"other");
        let hashes = format!("six --hash=sha256:{other} --hash=sha256:{hash}");
        for (text, wrong) in [
            ("SIX\npillow", None),
            (&*hashes, None),
            ("seven", Some("no wheel of seven")),
            (&*format!("six --hash=sha256:{other}"), Some("another hash")),
        ] {
            match (entry.fits(&read(text)), wrong) {
                (Ok(()), None) => {}
                (Err(told), Some(word)) if told.contains(word) => {}
                (told, _) => panic!("{text}: {told:?}"),
            }
        }
        let none = Entry::new(entry.requirements.clone(), Vec::new()).unwrap();
        assert!(none.fits(&read("six")).is_err());
    }

    #[test]
    fn a_lock_that_says_something_else_is_refused() {
        let good = lock().text();
        for (old, new, word) in [
            ("version = 1", "version = 2", "version 2"),
            ("six-1.17.0-py2", "../six-1.17.0-py2", "no name of a wheel"),
            ("[functions.words]", "[functions.\"a/b\"]", "function"),
            ("file =", "url =", "unknown field"),
            ("requirements = \"", "requirements = \"0", "no sha256"),
            ("pillow-13.0.0-cp311-cp311", "six-2-cp311-cp311", "twice"),
            ("pillow-13.0.0-cp311-cp311", "SIX-2-cp311-cp311", "twice"),
        ] {
            let text = good.replacen(old, new, 1);
            assert_ne!(text, good);
            let problems = Lock::parse(&Source::new(FILE, text)).unwrap_err();
            assert!(problems[0].message.contains(word), "{problems:?}");
        }
    }
}
