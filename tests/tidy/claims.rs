//! docs/CLAIMS.md: each promise names its mechanism and a test, and both exist.
//!
//! A row is `| number | promise | mechanism | test | state |`. The mechanism names files, the test
//! is `file::function`, the state is `tested`, `pending` or `argued`.

use crate::files;
use crate::links::path_in;
use crate::markdown::{cells, prose, spans};
use std::collections::BTreeSet;

/// Why a row of the list cannot stand, if it cannot.
fn fault(row: &[&str], read: impl Fn(&str) -> Option<String>) -> Option<String> {
    let [_, promise, mechanism, test, state] = row else {
        return Some(format!("a row has {} columns instead of 5", row.len()));
    };
    if promise.is_empty() {
        return Some("no promise".into());
    }
    let mechanisms: Vec<&str> = spans(mechanism).filter_map(path_in).collect();
    if mechanisms.is_empty() {
        return Some("the mechanism names no file".into());
    }
    for path in mechanisms {
        if !files::exists(path.trim_end_matches('/')) {
            return Some(format!("there is no {path}"));
        }
    }
    let tests: Vec<&str> = spans(test).collect();
    match (*state, tests.is_empty()) {
        ("tested", true) => return Some("tested, and no test is named".into()),
        ("pending" | "argued", false) => return Some(format!("{state}, and a test is named")),
        ("tested" | "pending" | "argued", _) => {}
        _ => return Some(format!("{state:?} is no state")),
    }
    tests.iter().find_map(|named| test_fault(named, &read))
}

/// Why `file::function` names no test that runs.
fn test_fault(named: &str, read: impl Fn(&str) -> Option<String>) -> Option<String> {
    let Some((path, function)) = named.split_once("::") else {
        return Some(format!("{named} is not of the form file::function"));
    };
    let Some(text) = read(path) else {
        return Some(format!("there is no {path}"));
    };
    let found = if path.ends_with(".py") {
        text.contains(&format!("def {function}("))
    } else {
        let head = format!("fn {function}(");
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        lines
            .iter()
            .position(|line| line.starts_with(&head))
            .is_some_and(|at| {
                let attributes = lines[..at]
                    .iter()
                    .rev()
                    .take_while(|line| line.starts_with("#["));
                attributes.clone().any(|line| *line == "#[test]")
                    && !attributes.clone().any(|line| line.starts_with("#[ignore"))
            })
    };
    (!found).then(|| format!("{path} has no test {function} that runs"))
}

fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(keylane_tests::checkout().join(path)).ok()
}

#[test]
fn every_claim_has_a_mechanism_and_a_test_that_exist() {
    let text = read("docs/CLAIMS.md").expect("docs/CLAIMS.md");
    let mut numbers = BTreeSet::new();
    let mut faults = Vec::new();
    for row in prose(&text).map(cells) {
        let number = row.first().copied().unwrap_or_default();
        if !number.starts_with(|c: char| c.is_ascii_uppercase())
            || !number.ends_with(|c: char| c.is_ascii_digit())
        {
            continue;
        }
        if !numbers.insert(number.to_owned()) {
            faults.push(format!("{number} is there twice"));
        }
        faults.extend(fault(&row, read).map(|fault| format!("{number}: {fault}")));
    }
    assert!(
        numbers.len() > 20,
        "only {} claims were read",
        numbers.len()
    );
    assert!(faults.is_empty(), "docs/CLAIMS.md:\n{}", faults.join("\n"));
}

#[test]
fn a_dead_link_in_a_claim_is_found() {
    let read = |path: &str| {
        (path == "t.rs")
            .then(|| "#[test]\nfn a() {}\n#[test]\n#[ignore]\nfn b() {}\nfn c() {}".to_owned())
    };
    let row = |mechanism, test, state| fault(&["J1", "x", mechanism, test, state], read);
    assert_eq!(row("`policy/src/lib.rs`", "`t.rs::a`", "tested"), None);
    assert_eq!(row("`policy/src/lib.rs`", "", "argued"), None);
    assert!(row("`policy/src/none.rs`", "`t.rs::a`", "tested").is_some());
    assert!(row("by magic", "`t.rs::a`", "tested").is_some());
    assert!(row("`policy/src/lib.rs`", "", "tested").is_some());
    assert!(row("`policy/src/lib.rs`", "`t.rs::a`", "pending").is_some());
    assert!(row("`policy/src/lib.rs`", "", "certain").is_some());
    for named in ["`t.rs::b`", "`t.rs::c`", "`t.rs::d`", "`u.rs::a`", "`a`"] {
        assert!(
            row("`policy/src/lib.rs`", named, "tested").is_some(),
            "{named}"
        );
    }
}
