//! What must not be in the tree: unfinished work, traces of a machine, hosts that nobody named.

use crate::files;

/// Marks of unfinished or switched-off work. Split, so that this file holds none of them.
const UNFINISHED: [&str; 6] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("dbg", "!("),
    concat!("#[", "ignore"),
];

/// The hosts that the tree may name: where the registry's index is called after, the licence, and
/// where the examples' data comes from.
const HOSTS: [&str; 9] = [
    "github.com",
    "127.0.0.1",
    "www.apache.org",
    "web.archive.org",
    "www.quandl.com",
    // The licences and the author of what examples carry.
    "creativecommons.org",
    "www.flickr.com",
    // The name of SVG, which nothing is fetched from.
    "www.w3.org",
    // The name of JSON Schema, likewise.
    "json-schema.org",
];

/// Folders that every machine has; anything below them that leads to a checkout is a trace.
const COMMON: [&str; 9] = [
    "/", "/tmp", "/root", "/home", "/usr", "/usr/src", "/opt", "/srv", "/var/tmp",
];

/// The hosts of all URLs in a text.
fn hosts(text: &str) -> impl Iterator<Item = &str> {
    text.split("://").skip(1).filter_map(|rest| {
        let host = rest
            .split(|c: char| !(c.is_ascii_alphanumeric() || "-.".contains(c)))
            .next()?;
        host.contains('.').then_some(host.trim_end_matches('.'))
    })
}

#[test]
fn nothing_is_left_unfinished_or_switched_off() {
    // claims.rs tests that a switched-off test is noticed.
    for (path, text) in files::all()
        .iter()
        .filter(|(path, _)| path != "tests/tidy/claims.rs")
    {
        for mark in UNFINISHED {
            assert!(
                !text.contains(mark),
                "{path} holds {mark:?}: finish it, or name it in CAVEATS"
            );
        }
    }
}

#[test]
fn no_file_names_a_host_that_is_not_listed() {
    for (path, text) in files::all() {
        // Hosts below these names exist nowhere (RFC 2606).
        let real = |host: &&str| !host.ends_with(".invalid") && !host.ends_with(".example");
        for host in hosts(&text).filter(real) {
            assert!(HOSTS.contains(&host), "{path} names the host {host}");
        }
    }
}

#[test]
fn no_file_holds_a_path_of_the_machine_that_it_was_written_on() {
    let checkout = keylane_tests::checkout().canonicalize().unwrap();
    let traces: Vec<String> = checkout
        .ancestors()
        .take(2)
        .filter_map(|folder| folder.to_str())
        .filter(|folder| !COMMON.contains(folder))
        .map(|folder| format!("{folder}/"))
        .collect();
    for (path, text) in files::all() {
        for trace in &traces {
            assert!(!text.contains(trace.as_str()), "{path} holds {trace}");
        }
    }
}

#[test]
fn hosts_are_found_in_urls() {
    let text = concat!(
        "a http:",
        "//x.example/y, sparse+https:",
        "//b.example; c:",
        "//nohost"
    );
    assert_eq!(hosts(text).collect::<Vec<_>>(), ["x.example", "b.example"]);
}
