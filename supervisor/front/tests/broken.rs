//! What `keylane validate` prints about definitions that are broken in the ways people break them.
//!
//! `supervisor/workflow/tests/broken/` holds the definitions, and beside each one the output that
//! somebody read and found helpful. `KEYLANE_BLESS=1` writes the outputs anew; then read them.

#![cfg(test)]

use std::path::{Path, PathBuf};
use std::process::Command;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../workflow/tests/broken")
}

fn definitions() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    found.sort();
    found
}

fn validate(definition: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_keylane"))
        .arg("validate")
        .arg(definition.file_name().unwrap())
        .current_dir(folder())
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{definition:?}: {errors}");
    assert_eq!(errors, "", "{definition:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn broken_definitions_are_explained_as_they_were_when_somebody_read_it() {
    let found = definitions();
    assert_eq!(found.len(), 21);
    let mut changed = Vec::new();
    for definition in found {
        let told = validate(&definition);
        let kept = definition.with_extension("txt");
        if std::env::var_os("KEYLANE_BLESS").is_some() {
            std::fs::write(&kept, &told).unwrap();
        }
        let expected = std::fs::read_to_string(&kept).unwrap_or_default();
        if told != expected {
            let name = kept.display();
            changed.push(format!("{name} is\n{expected}\nbut it says\n{told}"));
        }
    }
    assert!(
        changed.is_empty(),
        "{}\nif this reads better, KEYLANE_BLESS=1 keeps it",
        changed.join("\n")
    );
}
