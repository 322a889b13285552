//! What lane and spawner link, whole: a package that joins either must be named here, by somebody
//! who has thought about it.
//!
//! Computed from Cargo.lock, which lists dependencies of all targets; so Windows' are named too,
//! though nothing of them is built. Of this workspace's own packages the lock file lists what their
//! tests need as well; that is left out by their manifests.

use std::collections::{BTreeMap, BTreeSet};
use toml::{Table, Value};

const LOCK: &str = include_str!("../../Cargo.lock");
/// Manifests of the workspace's packages that a lane or a spawner links.
const MANIFESTS: [&str; 6] = [
    include_str!("../../policy/Cargo.toml"),
    include_str!("../../supervisor/sys/Cargo.toml"),
    include_str!("../../supervisor/jail/Cargo.toml"),
    include_str!("../../supervisor/workflow/Cargo.toml"),
    include_str!("../../supervisor/lane/Cargo.toml"),
    include_str!("../../supervisor/spawner/Cargo.toml"),
];

/// Linked by both: system calls, messages, derives (which only the compiler runs); and what the lock
/// file names for other systems or features, of which nothing is built.
const SHARED: &str = "
    bitflags cfg_aliases cfg-if cobs embedded-io errno keylane-policy keylane-sys libc linux-raw-sys log memfd
    memoffset autocfg mio nix postcard proc-macro2 quote rustix serde serde_bytes serde_core serde_derive syn
    thiserror thiserror-impl unicode-ident wasi windows-sys windows-link
";
/// The interpreter's: JSON, and the hashes and base64 of its intrinsic functions.
const LANE: &str = "
    keylane-lane keylane-workflow base64 block-buffer cpufeatures crypto-common digest
    equivalent foldhash hashbrown hybrid-array indexmap itoa md-5 memchr serde_json sha1
    sha2 typenum zmij
";
/// The jail's.
const SPAWNER: &str = "
    keylane-spawner keylane-jail caps enumflags2 enumflags2_derive landlock seccompiler
";

fn words(text: &'static str) -> BTreeSet<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// Each package's dependencies by name. Several versions of one package are one here.
fn graph() -> BTreeMap<String, BTreeSet<String>> {
    let lock: Table = LOCK.parse().unwrap();
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in lock["package"].as_array().unwrap() {
        let names = package
            .get("dependencies")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            // "name" or "name version".
            .map(|one| one.as_str().unwrap().split(' ').next().unwrap().to_owned());
        graph
            .entry(package["name"].as_str().unwrap().to_owned())
            .or_default()
            .extend(names);
    }
    for manifest in MANIFESTS {
        let manifest: Table = manifest.parse().unwrap();
        let name = manifest["package"]["name"].as_str().unwrap();
        let wanted = manifest
            .get("dependencies")
            .and_then(Value::as_table)
            .cloned();
        let wanted = wanted.unwrap_or_default();
        graph
            .get_mut(name)
            .unwrap()
            .retain(|one| wanted.contains_key(one));
    }
    graph
}

fn closure(of: &str) -> BTreeSet<String> {
    let graph = graph();
    let mut found = BTreeSet::new();
    let mut left = vec![of.to_owned()];
    while let Some(name) = left.pop() {
        if found.insert(name.clone()) {
            left.extend(graph.get(&name).cloned().unwrap_or_default());
        }
    }
    found
}

#[track_caller]
fn expect_pinned(of: &str, own: &'static str) {
    let linked = closure(of);
    let known: BTreeSet<String> = words(SHARED).union(&words(own)).cloned().collect();
    let new: Vec<_> = linked.difference(&known).collect();
    assert!(
        new.is_empty(),
        "{of} links what nobody has named here: {new:?}"
    );
    let gone: Vec<_> = words(own).difference(&linked).cloned().collect();
    assert!(
        gone.is_empty(),
        "{of} links this no more; take it off the list: {gone:?}"
    );
}

#[test]
fn a_lane_links_what_is_named_here_and_nothing_else() {
    expect_pinned("keylane-lane", LANE);
}

#[test]
fn a_spawner_links_what_is_named_here_and_nothing_else() {
    expect_pinned("keylane-spawner", SPAWNER);
}

#[test]
fn what_both_are_said_to_link_one_of_them_links() {
    let linked: BTreeSet<String> = closure("keylane-lane")
        .union(&closure("keylane-spawner"))
        .cloned()
        .collect();
    let gone: Vec<_> = words(SHARED).difference(&linked).cloned().collect();
    assert!(gone.is_empty(), "take these off the list: {gone:?}");
}

#[test]
fn neither_links_a_command_line_a_network_or_an_asynchronous_runtime() {
    for program in ["keylane-lane", "keylane-spawner"] {
        let linked = closure(program);
        for unwanted in [
            "clap", "hyper", "http", "h2", "reqwest", "tokio", "rustls", "openssl", "socket2",
            "ureq", "regex", "toml", "keylane",
        ] {
            assert!(!linked.contains(unwanted), "{program} links {unwanted}");
        }
    }
}

#[test]
fn the_lane_cannot_build_a_jail_and_the_spawner_cannot_run_a_workflow() {
    assert!(!closure("keylane-lane").contains("keylane-jail"));
    assert!(!closure("keylane-spawner").contains("keylane-workflow"));
    assert!(!closure("keylane-spawner").contains("serde_json"));
}

#[test]
fn the_command_line_would_be_noticed() {
    assert!(
        closure("keylane").contains("clap"),
        "the look at Cargo.lock finds nothing"
    );
}
