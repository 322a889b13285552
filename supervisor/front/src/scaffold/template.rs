//! The files of a fresh project, compiled in.

use super::Language;

/// Stands for the workflow's name in a template.
pub(super) const NAME: &str = "@NAME@";

/// One file of a fresh project.
#[derive(Debug)]
pub(super) struct File {
    /// Its path below the project's folder.
    pub(super) path: &'static str,
    /// What it is for, in a few words.
    pub(super) about: &'static str,
    /// What it holds.
    pub(super) text: &'static str,
}

/// A file below `templates/python/`; the last argument only where it has another name there.
macro_rules! python {
    ($path:literal, $about:literal) => {
        python!($path, $about, $path)
    };
    ($path:literal, $about:literal, $stored:literal) => {
        File {
            path: $path,
            about: $about,
            text: include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/templates/python/",
                $stored
            )),
        }
    };
}

const PYTHON: &[File] = &[
    python!("keylane.toml", "the functions and their limits, explained"),
    python!("workflow.asl.json", "what happens in which order"),
    python!("input.json", "what a run gets without --input"),
    python!("functions/words/words.py", "splits a text into words"),
    python!("functions/tally/tally.py", "counts them"),
    python!("test_project.py", "tests of the functions and the workflow"),
    python!("README.md", "three commands to begin with"),
    // Under its own name it would hide files of this checkout from git.
    python!(".gitignore", "leaves Python's caches out", "gitignore"),
];

/// The files of a project that begins in this language.
pub(super) fn files(language: Language) -> &'static [File] {
    match language {
        Language::Python => PYTHON,
    }
}
