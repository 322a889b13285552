//! The files of a fresh project, compiled in.

use super::Language;

/// Stands for the workflow's name in a template.
pub(super) const NAME: &str = "@NAME@";

/// The interface of native functions: one copy for projects to read and for the compiler to include.
pub(crate) const HEADER: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../shim/include/keylane.h"
));

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

/// A file of a language's folder below `templates/`; the last argument only where it has another name
/// there.
macro_rules! file {
    ($language:literal, $path:literal, $about:literal) => {
        file!($language, $path, $about, $path)
    };
    ($language:literal, $path:literal, $about:literal, $stored:literal) => {
        File {
            path: $path,
            about: $about,
            text: include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/templates/",
                $language,
                "/",
                $stored
            )),
        }
    };
}

const PYTHON: &[File] = &[
    file!(
        "python",
        "keylane.toml",
        "the functions and their limits, explained"
    ),
    file!("python", "workflow.asl.json", "what happens in which order"),
    file!("python", "input.json", "what a run gets without --input"),
    file!(
        "python",
        "functions/words/words.py",
        "splits a text into words"
    ),
    file!("python", "functions/tally/tally.py", "counts them"),
    file!(
        "python",
        "test_project.py",
        "tests of the functions and the workflow"
    ),
    file!("python", "README.md", "three commands to begin with"),
    // Under its own name it would hide files of this checkout from git.
    file!(
        "python",
        ".gitignore",
        "leaves Python's caches out",
        "gitignore"
    ),
];

const C: &[File] = &[
    file!(
        "c",
        "keylane.toml",
        "the functions and their limits, explained"
    ),
    file!("c", "workflow.asl.json", "what happens in which order"),
    file!("c", "input.json", "what a run gets without --input"),
    file!("c", "functions/words/words.c", "splits a text into words"),
    file!("c", "functions/tally/tally.c", "counts them"),
    // A project outside of a checkout has no other copy to read.
    File {
        path: "include/keylane.h",
        about: "how a function is called, to read",
        text: HEADER,
    },
    file!("c", "test.sh", "tests of the workflow"),
    file!("c", "README.md", "three commands to begin with"),
    file!("c", ".gitignore", "leaves out what is built", "gitignore"),
];

/// The files of a project that begins in this language.
pub(super) fn files(language: Language) -> &'static [File] {
    match language {
        Language::Python => PYTHON,
        Language::C => C,
    }
}
