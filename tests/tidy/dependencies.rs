//! docs/DEPENDENCIES.md: the crates that each program links, each with its reason; pinned.
//!
//! A row is `| crate | front | spawner | lane | launcher | why |`, with `x` where it is linked. What
//! cargo says and what the table says must be the same: a crate that comes or goes is noticed.

use crate::markdown::{cells, prose};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// The programs, in the order of the table's columns.
const PROGRAMS: [&str; 4] = [
    "keylane",
    "keylane-spawner",
    "keylane-lane",
    "keylane-launcher",
];

/// The foreign crates that a program links, by cargo. Procedural macros run when it is built and
/// are not in it.
fn linked(package: &str) -> BTreeSet<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(keylane_tests::checkout())
        .args([
            "tree",
            "--locked",
            "--package",
            package,
            "--edges",
            "normal,no-proc-macro",
        ])
        .args([
            "--target",
            "x86_64-unknown-linux-gnu",
            "--prefix",
            "none",
            "--format",
            "{lib}|{p}",
        ])
        .output()
        .expect("cargo tree");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| line.split_once('|'))
        .filter_map(|(_, package)| package.split(' ').next())
        .filter(|name| !name.starts_with("keylane"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn each_program_links_the_crates_that_the_table_names_and_no_other() {
    let path = keylane_tests::checkout().join("docs/DEPENDENCIES.md");
    let text = std::fs::read_to_string(path).expect("docs/DEPENDENCIES.md");
    let mut table: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for row in prose(&text).map(cells) {
        let [name, uses @ .., why] = row.as_slice() else {
            continue;
        };
        let Some(name) = name
            .strip_prefix('`')
            .and_then(|name| name.strip_suffix('`'))
        else {
            continue;
        };
        assert_eq!(
            uses.len(),
            PROGRAMS.len(),
            "{name}: a row with other columns"
        );
        assert!(why.len() > 10, "{name} has no reason");
        for (program, _) in PROGRAMS.iter().zip(uses).filter(|(_, used)| **used == "x") {
            table.entry(program).or_default().insert(name.to_owned());
        }
    }
    for program in PROGRAMS {
        let named = table.remove(program).unwrap_or_default();
        let linked = linked(program);
        let unnamed: Vec<_> = linked.difference(&named).collect();
        let gone: Vec<_> = named.difference(&linked).collect();
        assert!(
            unnamed.is_empty() && gone.is_empty(),
            "docs/DEPENDENCIES.md, {program}: links without a row: {unnamed:?}; does not link: {gone:?}"
        );
    }
}
