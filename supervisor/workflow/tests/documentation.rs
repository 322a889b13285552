//! docs/STATES-LANGUAGE.md says which test covers which field, and why this differs from others.
//! Passing does not show that the tests cover what they are named for.

#![cfg(test)]

use serde_json::Value;
use std::path::Path;

const DOCUMENTATION: &str = include_str!("../../../docs/STATES-LANGUAGE.md");

/// The rows of the table that follows a heading.
fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let after = DOCUMENTATION.split_once(heading).expect("the heading").1;
    let table = after.lines().skip_while(|line| !line.starts_with("|---"));
    let rows = table.skip(1).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect()
}

fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_field_that_the_check_accepts_has_a_row_whose_tests_exist() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let tests: String = std::fs::read_dir(folder)
        .expect("the tests")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .map(|path| std::fs::read_to_string(path).expect("a test"))
        .collect();
    let rows = rows("## What is supported");
    for row in &rows {
        let named: Vec<&str> = quoted(row[2]).collect();
        assert!(!named.is_empty(), "{row:?} names no test");
        for test in named {
            assert!(
                tests.contains(&format!("fn {test}()")),
                "there is no {test}"
            );
        }
    }
    let fields = include_str!("../src/definition/fields.rs");
    let fields = fields.split("const UNSUPPORTED").next().expect("text");
    let is_field = |word: &&str| word.chars().all(char::is_alphabetic) && !word.is_empty();
    for field in fields.split('"').skip(1).step_by(2).filter(is_field) {
        let plain = field.strip_suffix("Path").unwrap_or(field);
        let has = |row: &Vec<&str>| quoted(row[1]).any(|name| name == field || name == plain);
        assert!(rows.iter().any(has), "{field} has no row");
    }
}

#[test]
fn every_recorded_difference_from_others_is_in_the_documentation() {
    let mut found = 0;
    for recording in [
        include_str!("oracle/moto.json"),
        include_str!("oracle/validators.json"),
    ] {
        let recording: Value = serde_json::from_str(recording).expect("the recording");
        for (key, reason) in recording["differences"].as_object().expect("reasons") {
            let row = format!("| {key} | {} |", reason.as_str().expect("text"));
            assert!(DOCUMENTATION.contains(&row), "{row}");
            found += 1;
        }
    }
    assert!(found > 20);
}
