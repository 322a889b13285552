//! What goes into a function's tree, decided before anything is written.

use crate::beneath::{Folder, Refused, kind_name};
use crate::problem::Problem;
use crate::project::Project;
use crate::project::manifest::Function;
use crate::project::name::Name;
use crate::project::quantity;
use crate::source::Source;
use keylane_policy::limit;
use rustix::fs::FileType;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Folders that are never part of a function: caches and a repository's history.
const SKIPPED: [&str; 2] = ["__pycache__", ".git"];

/// Problems of one function that are told at once.
const PROBLEMS: usize = 20;

/// Where an item of a tree comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A folder; its contents are items of their own.
    Folder,
    /// A file of the project.
    File(PathBuf),
}

impl Item {
    /// Where a file lies in the project; nothing for a folder.
    pub(crate) fn source<'i>(&'i self, _path: &'i Path) -> Option<&'i Path> {
        match self {
            Item::File(source) => Some(source),
            Item::Folder => None,
        }
    }

    /// Where a file lies in a copy of the tree, in which its path is this one; nothing for a folder.
    pub(crate) fn copied<'i>(&'i self, path: &'i Path) -> Option<&'i Path> {
        self.source(path).map(|_file| path)
    }
}

/// The tree of one function: each path in it, and where it comes from. Folders come before what
/// they hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The function.
    pub function: Name,
    /// The items by their path in the tree.
    pub items: BTreeMap<PathBuf, Item>,
}

impl Plan {
    /// Walks what a function names, or says what of it cannot be staged.
    pub fn make(project: &Project, function: &Function) -> Result<Plan, Vec<Problem>> {
        let mut walk = Walk {
            project: &project.folder,
            manifest: &project.manifest,
            function,
            items: BTreeMap::new(),
            bytes: 0,
            files: 0,
            problems: Vec::new(),
        };
        walk.contents(function.path.as_path(), Path::new(""), 0);
        for include in &function.include {
            walk.include(include.as_path());
        }
        if walk.problems.is_empty() {
            Ok(Plan {
                function: function.name.clone(),
                items: walk.items,
            })
        } else {
            Err(walk.problems)
        }
    }

    /// The tree's files whose names end so, by their paths in it.
    pub fn sources(&self, ending: &str) -> impl Iterator<Item = &Path> {
        let is_one = move |path: &&PathBuf| path.extension().is_some_and(|found| found == ending);
        let files = self.items.iter();
        files
            .filter(|(_, item)| matches!(item, Item::File(_)))
            .map(|(path, _)| path)
            .filter(is_one)
            .map(PathBuf::as_path)
    }

    /// Where the file at this path of the tree comes from.
    pub fn source(&self, path: &str) -> Option<&Path> {
        match self.items.get(Path::new(path)) {
            Some(Item::File(source)) => Some(source),
            Some(Item::Folder) | None => None,
        }
    }
}

struct Walk<'p> {
    project: &'p Folder,
    manifest: &'p Source,
    function: &'p Function,
    items: BTreeMap<PathBuf, Item>,
    bytes: u64,
    files: usize,
    problems: Vec<Problem>,
}

impl Walk<'_> {
    /// Puts what a folder of the project holds under `target` in the tree.
    fn contents(&mut self, source: &Path, target: &Path, depth: usize) {
        if depth > limit::TREE_DEPTH {
            let advice = format!(
                "keep a function's folders at most {} deep",
                limit::TREE_DEPTH
            );
            return self.wrong(source, "it is nested too deeply", &advice);
        }
        let entries = match self
            .project
            .folder(source)
            .and_then(|folder| folder.entries())
        {
            Ok(entries) => entries,
            Err(refused) => return self.refused(source, &refused),
        };
        for entry in entries {
            if self.is_full() {
                return;
            }
            if SKIPPED.iter().any(|skipped| entry.name == *skipped) {
                continue;
            }
            self.item(
                &source.join(&entry.name),
                &target.join(&entry.name),
                entry.kind,
                depth,
            );
        }
    }

    /// Puts a file or folder of the project into the tree under its own name.
    fn include(&mut self, path: &Path) {
        let parents: Vec<&Path> = path.ancestors().skip(1).collect();
        for parent in parents
            .into_iter()
            .rev()
            .filter(|parent| !parent.as_os_str().is_empty())
        {
            self.insert(parent, Item::Folder, parent);
        }
        match self.project.stat(path) {
            Ok(stat) => self.item(path, path, FileType::from_raw_mode(stat.st_mode), 0),
            Err(refused) => self.refused(path, &refused),
        }
    }

    fn item(&mut self, source: &Path, target: &Path, kind: FileType, depth: usize) {
        match kind {
            FileType::Directory => {
                self.insert(target, Item::Folder, source);
                self.contents(source, target, depth + 1);
            }
            FileType::RegularFile => match self.project.stat(source) {
                Ok(stat) => {
                    self.bytes = self
                        .bytes
                        .saturating_add(u64::try_from(stat.st_size).unwrap_or(0));
                    self.files += 1;
                    self.insert(target, Item::File(source.to_owned()), source);
                    self.check_size();
                }
                Err(refused) => self.refused(source, &refused),
            },
            FileType::Symlink => self.refused(source, &Refused::Link(source.to_owned())),
            other => {
                let refused = Refused::Kind {
                    is: kind_name(other),
                    wanted: "a file or a folder",
                };
                self.refused(source, &refused);
            }
        }
    }

    fn insert(&mut self, target: &Path, item: Item, source: &Path) {
        match (self.items.get(target), &item) {
            (Some(Item::Folder), Item::Folder) => {}
            (Some(earlier), _) if *earlier == item => {}
            (Some(earlier), _) => {
                let from = match earlier {
                    Item::Folder => "a folder".to_owned(),
                    Item::File(path) => path.display().to_string(),
                };
                let wrong = format!(
                    "it becomes {} in the function's tree, where {from} is already",
                    target.display()
                );
                self.wrong(source, &wrong, "rename one of the two");
            }
            (None, _) => {
                self.items.insert(target.to_owned(), item);
            }
        }
    }

    fn check_size(&mut self) {
        let path = self.function.path.as_path().to_owned();
        if self.bytes > limit::TREE_BYTES {
            let wrong = format!(
                "the files are over {} together",
                quantity::show(limit::TREE_BYTES)
            );
            self.wrong(&path, &wrong, "stage less, or pass large data as input");
        } else if self.files > limit::TREE_FILES {
            let wrong = format!("there are more than {} files", limit::TREE_FILES);
            self.wrong(&path, &wrong, "stage fewer files");
        }
    }

    /// Whether nothing more needs to be looked at.
    fn is_full(&self) -> bool {
        self.problems.len() >= PROBLEMS
            || self.bytes > limit::TREE_BYTES
            || self.files > limit::TREE_FILES
    }

    fn refused(&mut self, path: &Path, refused: &Refused) {
        self.wrong(path, &refused.to_string(), refused.advice());
    }

    fn wrong(&mut self, path: &Path, what: &str, advice: &str) {
        let message = format!(
            "function {}: {}: {what}",
            self.function.name,
            path.display()
        );
        let problem = Problem::at(self.manifest, self.function.declared, message).suggest(advice);
        // An include that lies inside of `path` is walked twice; one complaint is enough.
        if self.problems.len() < PROBLEMS && !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }
}
