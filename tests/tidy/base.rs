//! The trusted base, counted: `cargo test -p keylane-tests --test tidy trusted_base -- --nocapture`.

use crate::files;
use crate::rust::{shipped, words};
use std::collections::BTreeMap;

/// Assembly routines of the supervisor, by file: what writes PKRU, and all that a reviewer cannot read as Rust.
/// One more is announced here by whoever adds it, and explained in docs/GATE.md.
const ASSEMBLY: [(&str, usize); 4] = [
    ("supervisor/gate/src/birth.rs", 1),
    ("supervisor/gate/src/fault.rs", 2),
    ("supervisor/gate/src/leave.rs", 1),
    // RDPKRU, and a handler that does nothing, for a trial.
    ("supervisor/gate/src/rights.rs", 2),
];

/// What is counted of a package.
#[derive(Default)]
struct Count {
    files: usize,
    lines: usize,
    blocks: usize,
    others: usize,
    assembly: usize,
}

/// How many pieces of assembly a source ships.
fn assembly(code: &str) -> usize {
    words(code)
        .filter(|(word, after)| {
            ["asm", "naked_asm", "global_asm"].contains(word) && *after == Some('!')
        })
        .count()
}

/// The packages of the workspace, from its manifest.
pub(crate) fn packages() -> Vec<String> {
    let manifest = std::fs::read_to_string(keylane_tests::checkout().join("Cargo.toml")).unwrap();
    let members = manifest
        .split_once("members = [")
        .unwrap()
        .1
        .split_once(']')
        .unwrap()
        .0;
    members
        .split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

fn count() -> BTreeMap<String, Count> {
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    for (path, text) in files::ending(".rs") {
        let Some(package) = packages()
            .into_iter()
            .find(|p| path.starts_with(&format!("{p}/src/")))
        else {
            continue;
        };
        let name = path.rsplit('/').next().unwrap_or_default();
        if package.starts_with("tests") || ["tests.rs", "testing.rs"].contains(&name) {
            continue;
        }
        let code = shipped(&text);
        let count = counts.entry(package).or_default();
        count.files += 1;
        count.assembly += assembly(&code);
        count.lines += code.lines().filter(|line| !line.trim().is_empty()).count();
        for (_, after) in words(&code).filter(|(word, _)| *word == "unsafe") {
            *(if after == Some('{') {
                &mut count.blocks
            } else {
                &mut count.others
            }) += 1;
        }
    }
    counts
}

#[test]
fn the_trusted_base_is_counted_and_every_package_of_it_is_on_the_map() {
    let map = std::fs::read_to_string(keylane_tests::checkout().join("docs/ARCHITECTURE.md"));
    let map = map.expect("docs/ARCHITECTURE.md");
    println!(
        "{:<22} {:>5} {:>6} {:>14} {:>13} {:>9}",
        "package", "files", "lines", "unsafe blocks", "other unsafe", "assembly"
    );
    let mut sum = Count::default();
    for (package, c) in count() {
        let trusted = !package.starts_with("shim/");
        let mark = if trusted { "" } else { "  (not trusted)" };
        println!(
            "{package:<22} {:>5} {:>6} {:>14} {:>13} {:>9}{mark}",
            c.files, c.lines, c.blocks, c.others, c.assembly
        );
        if trusted {
            sum.files += c.files;
            sum.lines += c.lines;
            sum.blocks += c.blocks;
            sum.others += c.others;
            sum.assembly += c.assembly;
        }
        assert!(
            map.contains(&format!("`{package}/`")),
            "docs/ARCHITECTURE.md does not know {package}"
        );
    }
    println!(
        "{:<22} {:>5} {:>6} {:>14} {:>13} {:>9}",
        "trusted", sum.files, sum.lines, sum.blocks, sum.others, sum.assembly
    );
    assert!(
        sum.lines > 1000 && sum.blocks > 5,
        "the count reads nothing"
    );
}

#[test]
fn assembly_of_the_supervisor_stands_where_it_is_announced_and_nowhere_else() {
    let found: Vec<(String, usize)> = files::ending(".rs")
        .into_iter()
        .filter(|(path, _)| path.starts_with("supervisor/") || path.starts_with("policy/"))
        .map(|(path, text)| (path, assembly(&shipped(&text))))
        .filter(|(_, count)| *count > 0)
        .collect();
    let announced = ASSEMBLY.map(|(path, count)| (path.to_owned(), count));
    assert_eq!(found, announced);
    assert_eq!(
        assembly("asm!(\"x\"); core::arch::naked_asm!(); use arch::asm;"),
        2
    );
}
