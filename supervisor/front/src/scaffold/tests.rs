//! What `init` makes, and what it leaves alone.

use super::*;
use crate::check;
use crate::project::FILE;
use crate::project::manifest::Manifest;
use crate::source::Source;
use crate::testing::TempFolder;

#[test]
fn a_fresh_project_is_valid_and_named_after_its_folder() {
    for language in [Language::Python, Language::C] {
        a_fresh_project_is_valid(language);
    }
}

fn a_fresh_project_is_valid(language: Language) {
    let temp = TempFolder::new();
    let folder = temp.path().join("new/my flow");
    let made = make(&folder, language).unwrap();
    assert_eq!(made.name.as_str(), "my-flow");
    let checked = check::project(&folder, &crate::operator::built_in().unwrap()).unwrap();
    assert_eq!(checked.warnings, []);
    assert_eq!(checked.project.name.as_str(), "my-flow");
    assert_eq!(checked.project.functions.len(), 2);
    for (path, _about) in made.files {
        let text = std::fs::read_to_string(folder.join(path)).unwrap();
        assert!(!text.contains(template::NAME), "{path}");
    }
}

#[test]
fn every_line_that_the_comments_teach_is_valid_once_it_is_uncommented() {
    for language in [Language::Python, Language::C] {
        every_taught_line_is_valid(language);
    }
}

fn every_taught_line_is_valid(language: Language) {
    let [toml, ..] = template::files(language) else {
        panic!("no files")
    };
    let mut taught = 0;
    let uncommented: String = toml
        .text
        .replace(template::NAME, "x")
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(code) if code.contains(" = ") => {
                taught += 1;
                format!("{code}\n")
            }
            _ => format!("{line}\n"),
        })
        .collect();
    assert!(taught >= 6, "only {taught} lines were found");
    let manifest = Manifest::parse(&Source::new(FILE, uncommented)).unwrap();
    let [words, tally] = &manifest.functions[..] else {
        panic!("two functions")
    };
    // The table that teaches the limits teaches their defaults.
    assert_eq!(
        (tally.payload, tally.memory, tally.timeout_ms),
        (words.payload, words.memory, words.timeout_ms)
    );
    assert_eq!(
        (tally.processes, tally.descriptors),
        (words.processes, words.descriptors)
    );
}

#[test]
fn nothing_that_exists_is_written_over_and_nothing_else_is_made() {
    let temp = TempFolder::new();
    for taken in ["keylane.toml", "functions/tally/tally.py", "README.md"] {
        let folder = temp.path().join(taken.replace('/', "-"));
        let file = folder.join(taken);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, "mine").unwrap();
        let failure = make(&folder, Language::Python).unwrap_err();
        assert!(failure.cause.contains(taken), "{failure}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
        let others = template::files(Language::Python);
        for other in others.iter().filter(|other| other.path != taken) {
            assert!(!folder.join(other.path).exists(), "{}", other.path);
        }
    }
}

#[test]
fn a_link_that_leads_nowhere_is_not_written_through() {
    let temp = TempFolder::new();
    let target = temp.path().join("target");
    let folder = temp.path().join("project");
    std::fs::create_dir(&folder).unwrap();
    std::os::unix::fs::symlink(&target, folder.join("keylane.toml")).unwrap();
    assert!(make(&folder, Language::Python).is_err());
    assert!(!target.exists());
}

#[test]
fn what_was_made_is_taken_back_if_the_rest_cannot_be_made() {
    let temp = TempFolder::new();
    let folder = temp.path().join("project");
    std::fs::create_dir(&folder).unwrap();
    // A file where a folder is needed, which is found only on the way.
    std::fs::write(folder.join("functions"), "mine").unwrap();
    assert!(make(&folder, Language::Python).is_err());
    let left: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["functions"]);
}

#[test]
fn a_folder_whose_name_can_be_no_workflows_gets_another() {
    for (folder, name) in [
        ("orders", "orders"),
        ("a.b c", "a-b-c"),
        ("---", "workflow"),
        ("été", "t"),
        ("", "workflow"),
    ] {
        let found = workflow_name(Path::new(folder)).unwrap();
        assert_eq!(found.as_str(), name, "{folder}");
    }
    let long = "x".repeat(200);
    assert_eq!(workflow_name(Path::new(&long)).unwrap().as_str().len(), 64);
}
