//! `keylane init`: from nothing to a workflow that runs, as somebody new would go.

use keylane_tests::project::Project;
use keylane_tests::skip::has_gcc;
use keylane_tests::{PYTHON, Said, finish, keylane, program, run};
use serde_json::json;
use std::path::Path;
use std::process::{Command, Stdio};

/// A fresh project below a folder that goes with the first value.
fn fresh() -> (Project, String) {
    let around = Project::empty();
    let folder = around.path().join("my first");
    let folder = folder.to_str().unwrap().to_owned();
    run(["init", &folder]).expect_code(0);
    (around, folder)
}

/// The project's own tests, by the keylane under test.
fn own_tests(folder: &str) -> Said {
    let mut command = Command::new(PYTHON);
    command
        .args(["-B", "-m", "unittest", "-v"])
        .current_dir(folder)
        .env("KEYLANE", program())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    finish(&mut command)
}

#[test]
fn a_fresh_project_validates_runs_and_passes_its_own_tests() {
    let (_around, folder) = fresh();
    let valid = run(["validate", &folder]);
    valid.expect_code(0);
    assert_eq!(
        valid.out,
        "my-first is valid: a workflow with 2 functions\n"
    );
    let ran = run(["run", &folder, "--quiet"]);
    ran.expect_code(0);
    let counts = json!({"blue": 1, "fish": 4, "one": 1, "red": 1, "two": 1});
    assert_eq!(ran.json(), json!({"words": 8, "counts": counts}));
    let tested = own_tests(&folder);
    tested.expect_code(0);
    assert!(tested.err.contains("Ran 4 tests"), "{}", tested.err);
    assert!(!tested.err.contains("skipped"), "{}", tested.err);
}

#[test]
fn the_projects_own_tests_notice_a_function_that_is_wrong() {
    let (_around, folder) = fresh();
    let tally = Path::new(&folder).join("functions/tally/tally.py");
    std::fs::write(tally, "def handler(event, context):\n    return {}\n").unwrap();
    let tested = own_tests(&folder);
    tested.expect_code(1);
    assert!(tested.err.contains("failures=2"), "{}", tested.err);
}

#[test]
fn a_fresh_project_in_c_builds_runs_and_passes_its_own_tests() {
    if !has_gcc("a_fresh_project_in_c_builds_runs_and_passes_its_own_tests") {
        return;
    }
    let around = Project::empty();
    let folder = around.path().join("c");
    let folder = folder.to_str().unwrap();
    run(["init", folder, "--lang", "c"]).expect_code(0);
    run(["validate", folder]).expect_code(0);
    let cache = around.path().join("cache");
    let shell = |line: &str| {
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", line])
            .current_dir(folder)
            .env("KEYLANE", program())
            .env("XDG_CACHE_HOME", &cache)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        finish(&mut shell)
    };
    let tested = shell("sh test.sh");
    tested.expect_code(0);
    assert_eq!(tested.out.matches("ok: ").count(), 4, "{}", tested.out);
    assert!(!tested.err.contains("warning"), "{}", tested.err);
    let ran = finish(keylane(["run", folder, "--quiet"]).env("XDG_CACHE_HOME", &cache));
    let counts = json!({"blue": 1, "fish": 4, "one": 1, "red": 1, "two": 1});
    assert_eq!(ran.json(), json!({"words": 8, "counts": counts}));
    // Its tests notice a function that is wrong.
    let spoilt = shell("sed -i 's/tolower/toupper/' functions/words/words.c && sh test.sh");
    assert_ne!(spoilt.code, Some(0), "{}", spoilt.out);
    assert!(spoilt.out.contains("FAILED"), "{}", spoilt.out);
}

#[test]
fn the_printed_commands_work_as_they_are_typed() {
    printed_commands_work("python");
}

#[test]
fn the_printed_commands_of_a_project_in_c_work_as_they_are_typed() {
    if has_gcc("the_printed_commands_of_a_project_in_c_work_as_they_are_typed") {
        printed_commands_work("c");
    }
}

fn printed_commands_work(language: &str) {
    let around = Project::empty();
    let path = around.path().join("it's a flow");
    let said = run(["init", path.to_str().unwrap(), "--lang", language]);
    said.expect_code(0);
    let (_, next) = said.out.split_once("next:\n").expect("no next commands");
    assert_eq!(next.lines().count(), 3, "{next}");
    for line in next.lines() {
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", line])
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("XDG_CACHE_HOME", around.path().join("cache"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let said = finish(&mut shell);
        assert_eq!(said.code, Some(0), "{line}: {}{}", said.out, said.err);
    }
}

#[test]
fn a_second_init_changes_nothing_and_says_what_is_there() {
    let (_around, folder) = fresh();
    let toml = Path::new(&folder).join("keylane.toml");
    std::fs::write(&toml, "mine").unwrap();
    let said = run(["init", &folder]);
    said.expect_code(2);
    assert!(said.first_line().contains("already holds keylane.toml"));
    assert!(said.err.contains("what to do: name another folder"));
    assert_eq!(std::fs::read_to_string(&toml).unwrap(), "mine");
}

#[test]
fn without_a_folder_the_current_one_becomes_the_project() {
    let around = Project::empty();
    let said = finish(keylane(["init"]).current_dir(around.path()));
    said.expect_code(0);
    run(["validate", around.arg()]).expect_code(0);
}

#[test]
fn a_language_that_is_not_there_is_refused_and_nothing_is_made() {
    let around = Project::empty();
    let folder = around.path().join("native");
    let said = run(["init", folder.to_str().unwrap(), "--lang", "cobol"]);
    said.expect_code(2);
    assert!(
        said.err.contains("possible values: python, c"),
        "{}",
        said.err
    );
    assert!(!folder.exists());
}
