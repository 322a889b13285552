//! Where `unsafe` may stand, and that every package is held to the workspace's lints.

use crate::files;
use crate::rust::{code, words};

/// The packages that talk to the kernel or run inside an instance; and tests.
const MAY: [&str; 4] = ["supervisor/sys/", "supervisor/gate/", "shim/", "tests/"];

#[test]
fn unsafe_code_stays_where_it_is_expected_and_says_why() {
    let mut seen = 0;
    for (path, text) in files::ending(".rs") {
        if !words(&code(&text)).any(|(word, _)| word == "unsafe") {
            continue;
        }
        // The types of functions alone: the compiler sees to it.
        if text.contains("#![forbid(unsafe_code)]") {
            continue;
        }
        seen += 1;
        assert!(
            MAY.iter().any(|place| path.starts_with(place)),
            "{path} holds unsafe code; it belongs into supervisor/sys"
        );
        let squeezed: String = text.split_whitespace().collect();
        assert!(
            squeezed.contains("expect(unsafe_code,reason=\""),
            "{path} holds unsafe code without `expect(unsafe_code, reason = ...)`"
        );
    }
    assert!(
        seen > 5,
        "only {seen} files with unsafe code were found: the rule reads nothing"
    );
}

#[test]
fn every_other_crate_forbids_it() {
    for (path, text) in files::ending(".rs") {
        let root = path.ends_with("/src/lib.rs") || path.ends_with("/src/main.rs");
        if root && !MAY.iter().any(|place| path.starts_with(place)) {
            assert!(
                text.contains("#![forbid(unsafe_code)]"),
                "{path} does not forbid unsafe code"
            );
        }
    }
}

#[test]
fn every_package_is_held_to_the_workspaces_lints() {
    for (path, text) in files::ending("Cargo.toml") {
        // The coverage-guided targets are a workspace of their own, so that no build makes libFuzzer.
        if path != "Cargo.toml" && path != "fuzz/Cargo.toml" {
            assert!(
                text.contains("[lints]\nworkspace = true"),
                "{path} has lints of its own"
            );
        }
    }
}

#[test]
fn only_sys_and_the_shim_call_the_c_library() {
    for (path, text) in files::ending("Cargo.toml") {
        let direct = ["libc", "nix", "memfd"].iter().any(|name| {
            text.lines()
                .any(|line| line.split(['.', ' ', '=']).next() == Some(name))
        });
        let may = [
            "Cargo.toml",
            "supervisor/sys/Cargo.toml",
            "tests/Cargo.toml",
        ];
        assert!(
            !direct || path.starts_with("shim/") || may.contains(&&*path),
            "{path} depends on the C library; what it needs belongs into supervisor/sys"
        );
    }
}
