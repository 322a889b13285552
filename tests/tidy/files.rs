//! The files of the checkout, and how long they may be.

use std::fs;
use std::path::Path;

/// Folders that hold nothing of ours: history, build products, byte code, what a machine keeps
/// beside a checkout.
const FOREIGN: [&str; 4] = [".git", "target", "__pycache__", "shared"];

/// Lines beyond which a source file needs a reason.
const LONG: usize = 600;

/// Long files and why each is one file.
const LONG_FOR_A_REASON: [(&str, &str); 0] = [];

/// A text file: its path from the checkout's root, and its text.
pub(crate) type File = (String, String);

/// All text files, by path.
pub(crate) fn all() -> Vec<File> {
    let mut found = Vec::new();
    walk(&keylane_tests::checkout(), "", &mut found);
    found.sort();
    assert!(
        found.len() > 100,
        "this is no checkout: {} files",
        found.len()
    );
    found
}

/// All files whose name ends so.
pub(crate) fn ending(end: &str) -> Vec<File> {
    all()
        .into_iter()
        .filter(|(path, _)| path.ends_with(end))
        .collect()
}

/// Whether the checkout has this file or folder.
pub(crate) fn exists(path: &str) -> bool {
    keylane_tests::checkout().join(path).exists()
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<File>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let kind = entry.file_type().unwrap();
        if kind.is_dir() && !FOREIGN.contains(&&*name) {
            walk(&entry.path(), &format!("{path}/"), found);
        } else if kind.is_file()
            && let Ok(text) = fs::read_to_string(entry.path())
        {
            found.push((path, text));
        }
    }
}

#[test]
fn a_long_source_file_has_a_reason_and_a_reason_has_a_long_file() {
    let is_source = |path: &str, text: &str| {
        path.ends_with(".rs") || path.ends_with(".py") || text.starts_with("#!/")
    };
    let long: Vec<String> = all()
        .into_iter()
        .filter(|(path, text)| is_source(path, text) && text.lines().count() > LONG)
        .map(|(path, _)| path)
        .collect();
    for path in &long {
        assert!(
            LONG_FOR_A_REASON.iter().any(|(known, _)| known == path),
            "{path} has more than {LONG} lines: cut it, or name the reason in tests/tidy/files.rs"
        );
    }
    for (path, _) in LONG_FOR_A_REASON {
        assert!(
            long.iter().any(|found| found == path),
            "{path} is not long any more: forget it"
        );
    }
}
