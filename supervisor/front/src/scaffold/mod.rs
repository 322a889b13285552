//! `keylane init`: a project that validates, runs and passes its own test at once.
//!
//! The files are those below `templates/`, with the project's name put in. Nothing that exists is
//! ever written over: all names are looked at first, and each file is made with O_EXCL, so that one
//! which appears meanwhile is an error, too.
//!
//! An attacker controls nothing here; the operator names the folder, and links on the way to it are
//! the operator's own.

mod template;
#[cfg(test)]
mod tests;

use crate::project::name::Name;
use clap::ValueEnum;
use keylane_policy::blame::{Blame, Failure};
use keylane_policy::limit;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
pub(crate) use template::HEADER;

const DOING: &str = "making a project";

/// The languages in which a project can begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// Functions in Python.
    #[default]
    Python,
    /// Functions in C, which `keylane build` compiles.
    C,
}

/// A project that was made.
#[derive(Debug, PartialEq, Eq)]
pub struct Made {
    /// The workflow's name.
    pub name: Name,
    /// Each file, as a path below the folder, and what it is for.
    pub files: Vec<(&'static str, &'static str)>,
}

/// Makes a project in `folder`, which is made as well if it is not there.
pub fn make(folder: &Path, language: Language) -> Result<Made, Failure> {
    let name = workflow_name(folder)?;
    let files = template::files(language);
    let taken: Vec<&str> = files
        .iter()
        .map(|file| file.path)
        .filter(|path| folder.join(path).symlink_metadata().is_ok())
        .collect();
    if !taken.is_empty() {
        let cause = format!("{} already holds {}", folder.display(), taken.join(", "));
        return Err(Failure::new(Blame::Operator, DOING, cause)
            .advise("name another folder, or move these files away: nothing is written over"));
    }
    let mut written = Written::default();
    for file in files {
        let path = folder.join(file.path);
        let text = file.text.replace(template::NAME, name.as_str());
        if let Err(error) = written.file(&path, &text) {
            written.take_back();
            let cause = format!("{}: {error}", path.display());
            return Err(Failure::new(Blame::Operator, DOING, cause)
                .advise("name a folder that you may write, with room for a few files"));
        }
    }
    let files = files.iter().map(|file| (file.path, file.about)).collect();
    Ok(Made { name, files })
}

/// What was made so far, to be taken back if the rest cannot be made.
#[derive(Debug, Default)]
struct Written {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Written {
    fn file(&mut self, path: &Path, text: &str) -> io::Result<()> {
        if let Some(parent) = path.parent() {
            self.folder(parent)?;
        }
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path)?;
        self.files.push(path.to_owned());
        file.write_all(text.as_bytes())
    }

    /// Makes a folder and those around it, as far as they are not there.
    fn folder(&mut self, path: &Path) -> io::Result<()> {
        if path.as_os_str().is_empty() || path.is_dir() {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            self.folder(parent)?;
        }
        fs::create_dir(path)?;
        self.folders.push(path.to_owned());
        Ok(())
    }

    /// Removes exactly what was made; what cannot be removed stays, and the error is told anyway.
    fn take_back(self) {
        for file in self.files {
            let _ = fs::remove_file(file);
        }
        for folder in self.folders.into_iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// The folder's own name as far as it can be a workflow's.
fn workflow_name(folder: &Path) -> Result<Name, Failure> {
    // `.` and `..` have a name only once they are resolved; a folder that is not there has one as
    // it is written.
    let resolved = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let text = resolved.file_name().unwrap_or_default().to_string_lossy();
    let usable: String = text
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '_' {
                c
            } else {
                '-'
            }
        })
        .take(limit::NAME_BYTES)
        .collect();
    let trimmed = usable.trim_matches('-');
    let name = if trimmed.is_empty() {
        "workflow"
    } else {
        trimmed
    };
    Name::try_from(name).map_err(|bad| Failure::new(Blame::Bug, DOING, bad.wrong))
}
