//! Which files are scanned: those that are named, and those in folders that are named.

use keylane_policy::blame::{Blame, Failure};
use std::fs;
use std::path::PathBuf;

/// A file to scan.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Listed {
    pub(super) path: PathBuf,
    pub(super) named: bool,
}

/// What was named, and what lies in folders: files by path, and folders that could not be read.
#[derive(Debug, Default)]
pub(super) struct List {
    pub(super) files: Vec<Listed>,
    pub(super) unread: Vec<(PathBuf, String)>,
}

/// Lists the files. Links that were named are followed, those in folders are not; nothing but
/// regular files is listed.
pub(super) fn list(paths: &[PathBuf]) -> Result<List, (PathBuf, Failure)> {
    let mut list = List::default();
    let mut folders = Vec::new();
    for path in paths {
        let refuse = |cause: String| {
            let failure = Failure::new(Blame::Operator, "looking for it", cause);
            (
                path.clone(),
                failure.advise("name a file or a folder that can be read"),
            )
        };
        let kind = fs::metadata(path).map_err(|error| refuse(error.to_string()))?;
        if kind.is_dir() {
            folders.push(path.clone());
        } else if kind.is_file() {
            list.files.push(Listed {
                path: path.clone(),
                named: true,
            });
        } else {
            return Err(refuse("neither a file nor a folder".into()));
        }
    }
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                list.unread.push((folder, error.to_string()));
                continue;
            }
        };
        for entry in entries.flatten() {
            // Of the entry itself, so that a link is a link.
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(kind) if kind.is_file() => {
                    list.files.push(Listed {
                        path: entry.path(),
                        named: false,
                    });
                }
                Ok(_) => {}
                Err(error) => list.unread.push((entry.path(), error.to_string())),
            }
        }
    }
    list.files.sort();
    list.files.dedup_by(|later, first| later.path == first.path);
    Ok(list)
}
