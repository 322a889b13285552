//! Native functions that are refused before anything runs, and those that fail to load: one line
//! that says what is wrong with which file, and what to do.

use keylane_tests::native::{C, RUST};
use keylane_tests::project::Project;
use keylane_tests::{Said, run};

fn with_handler(object: &[u8], handler: &str) -> Project {
    let project = Project::native(object, "keylane_function");
    let path = project.path().join("keylane.toml");
    let manifest = std::fs::read_to_string(path).unwrap();
    project.write(
        "keylane.toml",
        &manifest.replace("lib.so:keylane_function", handler),
    );
    project
}

#[track_caller]
fn refused(project: &Project, words: &[&str]) -> Said {
    let said = run(["validate", project.arg()]);
    assert_ne!(said.code, Some(0), "{said:#?}");
    for word in words {
        assert!(
            said.out.contains(word) || said.err.contains(word),
            "{word}: {said:#?}"
        );
    }
    said
}

#[test]
fn a_good_native_project_is_accepted_with_and_without_a_symbol() {
    for handler in ["lib.so", "lib.so:culprit", "./lib.so"] {
        run(["validate", with_handler(C, handler).arg()]).expect_code(0);
    }
}

#[test]
fn a_missing_file_is_named_with_the_one_that_may_have_been_meant() {
    let project = with_handler(C, "libx.so");
    refused(
        &project,
        &["functions/f has no libx.so", "handler = \"lib.so\""],
    );
}

#[test]
fn a_missing_symbol_is_named_with_those_that_are_there() {
    let project = with_handler(RUST, "lib.so:lastpy");
    refused(
        &project,
        &[
            "lib.so exports no `lastpy`",
            "instrument",
            "write `:lastpx`",
        ],
    );
}

#[test]
fn what_is_no_shared_object_is_named_as_what_it_is() {
    let project = with_handler(b"import json\n", "lib.so");
    refused(&project, &["is no shared object", "gcc -shared -fPIC"]);
    let libc = std::fs::read("/lib/x86_64-linux-gnu/libc.so.6").unwrap();
    refused(
        &with_handler(&libc, "lib.so"),
        &["exports no `keylane_abi`", "keylane.h"],
    );
}

#[test]
fn a_handler_of_another_form_is_refused_with_its_line() {
    let project = with_handler(C, "../lib.so");
    refused(&project, &["keylane.toml", "the path holds `..`"]);
    let project = with_handler(C, "lib.so:1");
    refused(&project, &["no name of a C function"]);
}

#[test]
fn an_object_whose_library_is_missing_fails_to_load_in_its_own_words() {
    // The name of the C library that the object asks for, spoilt.
    let mut object = C.to_vec();
    let name = b"libc.so.6\0";
    let at = object
        .windows(name.len())
        .position(|window| window == name)
        .unwrap();
    object[at..at + 4].copy_from_slice(b"libd");
    let project = Project::native(&object, "keylane_function");
    let said = run(["run", project.arg(), "--input", "0"]);
    assert_ne!(said.code, Some(0));
    let line = said.failure();
    assert!(
        line.contains("LibraryNotLoaded") && line.contains("libd.so.6"),
        "{line}"
    );
    // What comes before is the project's own place.
    let (_, told) = line.split_once("loading function").unwrap();
    assert!(
        !told.contains("/keylane-"),
        "the stage's place is told: {line}"
    );
}
