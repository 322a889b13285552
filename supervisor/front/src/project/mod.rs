//! A project on disk: `keylane.toml`, the workflow's definition, the functions' files.
//!
//! `name` and `quantity` are the words, `key` says which keys there are, `reader` and `manifest` are
//! the grammar (pure), `schema` tells other programs about it, and this file opens what they name,
//! only through [`crate::beneath`].
//!
//! An attacker controls: every file of the project, its names and kinds. The operator controls
//! which folder it is.

pub mod key;
pub mod manifest;
pub mod name;
pub mod quantity;
pub(crate) mod reader;
pub mod schema;
#[cfg(test)]
mod tests;

use crate::beneath::{Folder, Refused};
use crate::problem::Problem;
use crate::refusal::Refusal;
use crate::source::Source;
use keylane_policy::blame::{Blame, Failure};
use keylane_policy::limit;
use manifest::{Function, Manifest};
use name::{Name, RelativePath};
use std::path::{Path, PathBuf};

/// The name of a project's file.
pub const FILE: &str = "keylane.toml";

/// A project whose own files were read and found in order. What its functions name is looked at
/// when it is staged.
#[derive(Debug)]
pub struct Project {
    /// The workflow's name.
    pub name: Name,
    /// The project's folder as the operator named it, for messages.
    pub shown: String,
    /// The project's folder, absolute.
    pub root: PathBuf,
    /// The same, open.
    pub folder: Folder,
    /// The workflow's definition.
    pub definition: Source,
    /// The functions, by name.
    pub functions: Vec<Function>,
    /// The input that a run takes when it is given none.
    pub default_input: Option<Source>,
    /// The project's file, for the places in messages.
    pub manifest: Source,
}

impl Project {
    /// Opens a project by its folder, or by the `keylane.toml` in it.
    pub fn load(path: &Path) -> Result<Project, Refusal> {
        let shown = path.display().to_string();
        let root = folder_of(path);
        let failure = |cause: String| {
            Failure::new(Blame::Operator, "opening the project", cause)
                .advise("name the folder of a project: one that holds keylane.toml")
        };
        let named = |error: &dyn std::fmt::Display| failure(format!("{}: {error}", root.display()));
        let folder = Folder::open(root).map_err(|refused| named(&refused))?;
        let absolute = root.canonicalize().map_err(|error| named(&error))?;
        let bytes = match folder.read(Path::new(FILE), limit::DEFINITION_BYTES) {
            Err(Refused::Missing) => {
                return Err(failure(format!("there is no {FILE} in {}", root.display())).into());
            }
            other => other.map_err(|refused| refusal(FILE, &refused)),
        };
        bytes
            .and_then(|bytes| decode(FILE, bytes))
            .and_then(|manifest| read(folder, manifest, absolute, shown))
            .map_err(Refusal::of_project)
    }

    /// The functions' names, as the workflow may use them.
    pub fn function_names(&self) -> Vec<String> {
        self.functions
            .iter()
            .map(|function| function.name.to_string())
            .collect()
    }
}

/// The folder that a path means: itself, or the one around a `keylane.toml`.
fn folder_of(path: &Path) -> &Path {
    match (path.file_name(), path.parent()) {
        (Some(name), Some(parent)) if name == FILE => {
            if parent.as_os_str().is_empty() {
                Path::new(".")
            } else {
                parent
            }
        }
        _ => path,
    }
}

fn read(
    folder: Folder,
    manifest: Source,
    root: PathBuf,
    shown: String,
) -> Result<Project, Vec<Problem>> {
    let parsed = Manifest::parse(&manifest)?;
    let definition = text(&folder, &parsed.definition, limit::DEFINITION_BYTES);
    let input = parsed.input.as_ref();
    let input = input
        .map(|path| text(&folder, path, limit::PAYLOAD_BYTES_CEILING))
        .transpose();
    match (definition, input) {
        (Ok(definition), Ok(default_input)) => Ok(Project {
            name: parsed.name,
            shown,
            root,
            folder,
            definition,
            functions: parsed.functions,
            default_input,
            manifest,
        }),
        (definition, input) => {
            let errors = [definition.err(), input.err()];
            Err(errors.into_iter().flatten().flatten().collect())
        }
    }
}

/// A file of the project as text.
fn text(folder: &Folder, path: &RelativePath, limit: u64) -> Result<Source, Vec<Problem>> {
    read_text(folder, path.as_path(), limit)
}

/// A file below a folder of the project as text.
pub(crate) fn read_text(folder: &Folder, path: &Path, limit: u64) -> Result<Source, Vec<Problem>> {
    let name = path.display().to_string();
    match folder.read(path, limit) {
        Ok(bytes) => decode(&name, bytes),
        Err(refused) => Err(refusal(&name, &refused)),
    }
}

fn decode(name: &str, bytes: Vec<u8>) -> Result<Source, Vec<Problem>> {
    Source::from_bytes(name, bytes).map_err(|(place, why)| {
        let mut problem = Problem::file(name, why);
        (problem.line, problem.column) = (Some(place.line), Some(place.column));
        vec![problem.suggest("save the file as UTF-8 without a byte order mark")]
    })
}

fn refusal(name: &str, refused: &Refused) -> Vec<Problem> {
    vec![Problem::file(name, refused.to_string()).suggest(refused.advice())]
}
