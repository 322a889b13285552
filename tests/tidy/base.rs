//! The trusted base, counted: `cargo test -p keylane-tests --test tidy trusted_base -- --nocapture`.

use crate::files;
use crate::rust::{shipped, words};
use std::collections::BTreeMap;

/// What is counted of a package.
#[derive(Default)]
struct Count {
    files: usize,
    lines: usize,
    blocks: usize,
    others: usize,
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
        "{:<22} {:>5} {:>6} {:>14} {:>13}",
        "package", "files", "lines", "unsafe blocks", "other unsafe"
    );
    let mut sum = Count::default();
    for (package, c) in count() {
        let trusted = !package.starts_with("shim/");
        let mark = if trusted { "" } else { "  (not trusted)" };
        println!(
            "{package:<22} {:>5} {:>6} {:>14} {:>13}{mark}",
            c.files, c.lines, c.blocks, c.others
        );
        if trusted {
            sum.files += c.files;
            sum.lines += c.lines;
            sum.blocks += c.blocks;
            sum.others += c.others;
        }
        assert!(
            map.contains(&format!("`{package}/`")),
            "docs/ARCHITECTURE.md does not know {package}"
        );
    }
    println!(
        "{:<22} {:>5} {:>6} {:>14} {:>13}",
        "trusted", sum.files, sum.lines, sum.blocks, sum.others
    );
    assert!(
        sum.lines > 1000 && sum.blocks > 5,
        "the count reads nothing"
    );
}
