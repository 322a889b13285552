//! `keylane run` where nothing may run: wrong options, inputs and projects. No stage is left.

use super::command::{Answer, Project, keylane, keylane_in};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

/// Runs with a temporary folder of its own and checks that nothing is left in it.
fn run(project: &Project, arguments: &[&str]) -> Answer {
    let temporary = project.path().join("tmp");
    std::fs::create_dir_all(&temporary).unwrap();
    for folder in [project.path(), &temporary] {
        std::fs::set_permissions(folder, PermissionsExt::from_mode(0o755)).unwrap();
    }
    let arguments = [&["run", project.shown()], arguments].concat();
    let answer = keylane_in(&arguments, Stdio::null(), &temporary);
    let left: Vec<_> = std::fs::read_dir(&temporary).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    answer
}

#[test]
fn a_missing_or_unknown_command_or_option_is_exit_2() {
    for arguments in [
        &["run"][..],
        &["runn", "x"],
        &["run", "x", "--fast"],
        &["doctor", "x"],
        &[],
    ] {
        let answer = keylane(arguments).expect(2);
        assert!(
            answer.err.contains("Usage:"),
            "{arguments:?}: {}",
            answer.err
        );
        assert_eq!(answer.out, "");
    }
}

#[test]
fn options_out_of_range_or_against_each_other_are_refused() {
    let project = Project::new();
    for arguments in [
        &["--lanes", "0"][..],
        &["--lanes", "65"],
        &["--lanes", "many"],
        &["--isolation", "none"],
        &["--stream", "--input", "{}"],
    ] {
        let answer = run(&project, arguments).expect(2);
        assert!(
            answer.err.starts_with("error: "),
            "{arguments:?}: {}",
            answer.err
        );
    }
}

#[test]
fn isolation_mpk_is_an_honest_error_of_the_host() {
    let answer = run(&Project::new(), &["--isolation", "mpk"]).expect(3);
    assert!(
        answer.err.contains("it is not built yet in this version"),
        "{}",
        answer.err
    );
    assert!(
        answer.err.contains("(fault of the host)\n  what to do: "),
        "{}",
        answer.err
    );
    assert_eq!(answer.out, "");
}

#[test]
fn an_input_that_is_no_json_is_refused_with_its_place() {
    let project = Project::new();
    let file = project.path().join("bad.json");
    std::fs::write(&file, "{\"a\": 1, \"a\": 2}").unwrap();
    let file = format!("@{}", file.display());
    for (input, what) in [
        ("{oops", "reading --input: not JSON at line 1, column 2"),
        ("", "reading --input: not JSON at line 1, column 1"),
        (file.as_str(), "reading the input file"),
        ("@/nonexistent", "reading the input file /nonexistent"),
        ("-", "reading the input from standard input: not JSON"),
    ] {
        let answer = run(&project, &["--input", input]).expect(2);
        let first = answer.err.lines().next().unwrap();
        assert!(first.starts_with("keylane: run "), "{input}: {first}");
        assert!(first.contains(what), "{input}: {first}");
        assert!(
            first.ends_with("(fault of the operator)"),
            "{input}: {first}"
        );
        assert!(
            answer.err.contains("\n  what to do: "),
            "{input}: {}",
            answer.err
        );
    }
}

#[test]
fn a_refused_run_is_a_json_document_for_a_program() {
    let project = Project::new();
    project.edit("python3.11", "python2.7");
    let answer = run(&project, &["--json", "--quiet"]).expect(2);
    let json = answer.json();
    assert_eq!(json["status"], "refused");
    assert_eq!(json["exit"], 2);
    assert_eq!(json["problems"][0]["line"], 6);
    assert!(answer.err.contains("python2.7"), "{}", answer.err);
    let stream = run(&project, &["--stream"]).expect(2);
    assert_eq!(stream.out.lines().count(), 1);
}

#[test]
fn an_output_that_cannot_be_written_is_exit_74() {
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_keylane"))
        .args(["completions", "bash"])
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(74));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("writing to standard output")
    );
}

#[test]
fn a_reader_that_goes_away_is_no_panic_and_no_message() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_keylane"))
        .args(["doctor", "--json"])
        .stdout(writer)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(74));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn standard_input_is_read_when_it_is_asked_for() {
    let project = Project::new();
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(b"[1, 2").unwrap();
    drop(writer);
    let arguments = ["run", project.shown(), "--input", "-"];
    let answer = keylane_in(&arguments, reader.into(), project.path()).expect(2);
    assert!(answer.err.contains("line 1, column 6"), "{}", answer.err);
}
