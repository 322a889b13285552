//! `keylane bench`: that it measures, and prints each row with numbers that can be times.
//!
//! What passing does not show: that a figure is right, or good. Nothing here judges a time.

use keylane_tests::{PYTHON, run};
use serde_json::Value;
use std::path::Path;

/// What was measured, under these names, in the fewest rounds that have a ratio.
fn measured(names: &[&str]) -> Value {
    let mut arguments = vec!["bench", "--json", "--rounds", "2"];
    arguments.extend(names);
    let said = run(arguments);
    said.expect_code(0);
    said.json()
}

/// Checks the rows of one case: that each of these ways is there once, with times.
#[track_caller]
fn has_times(document: &Value, bench: &str, case: &str, ways: &[&str]) {
    for way in ways {
        let rows: Vec<&Value> = document["times"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| row["bench"] == bench && row["case"] == case)
            .filter(|row| row["way"].as_str().unwrap().starts_with(way))
            .collect();
        let [row] = rows[..] else {
            panic!(
                "{} rows of {bench}, {case}, {way}: {document:#}",
                rows.len()
            );
        };
        let [p50, p99, spread] = ["p50", "p99", "spread"].map(|key| row[key].as_f64().unwrap());
        assert!(row["samples"].as_u64().unwrap() >= 2, "{row}");
        assert!([p50, p99, spread].iter().all(|n| n.is_finite()), "{row}");
        assert!(p99 >= p50 && spread >= 0.0, "{row}");
        // A difference between two times can be anything where a machine is busy.
        assert!(p50 > 0.0 || way.contains("one hop"), "{row}");
    }
}

fn with_python(ways: &[&'static str], floors: &[&'static str]) -> Vec<&'static str> {
    let there = Path::new(PYTHON).is_file();
    let floors = floors.iter().filter(|_| there);
    ways.iter().chain(floors).copied().collect()
}

#[test]
fn a_hop_is_measured_in_both_languages_and_three_sizes_beside_its_floors() {
    let document = measured(&["hop"]);
    let ours = [
        "keylane: one hop",
        "keylane: one call",
        "keylane: sequence of one",
        "keylane: sequence of two",
        "floor: futex, same core",
    ];
    let in_python = with_python(&ours, &["floor: parse and write JSON"]);
    for size in ["64 B", "4 KB", "64 KB"] {
        has_times(&document, "hop", &format!("Python, {size}"), &in_python);
        has_times(&document, "hop", &format!("native, {size}"), &ours);
    }
    for list in ["ratios", "goals", "missing"] {
        assert!(!document[list].as_array().unwrap().is_empty(), "{list}");
    }
    let cores = document["conditions"]["cores"].as_u64().unwrap();
    assert!(cores >= 1, "{document:#}");
}

#[test]
fn a_start_and_a_fresh_worker_are_measured_and_what_is_not_asked_for_is_not() {
    let document = measured(&["start", "fresh"]);
    let start = with_python(&["keylane: project on disk"], &["floor: python3.11 -I -S"]);
    has_times(&document, "start", "Python", &start);
    has_times(&document, "start", "native", &["keylane: project on disk"]);
    let ours = [
        "keylane: a fresh worker, one call every 10 ms",
        "keylane: a fresh worker, calls in a row",
    ];
    let fresh = with_python(&ours, &["floor: bare fork"]);
    has_times(&document, "fresh", "Python, 64 B", &fresh);
    let times = document["times"].as_array().unwrap();
    assert!(times.iter().all(|row| row["bench"] != "hop"), "{times:#?}");
}

#[test]
fn a_person_gets_ratios_first_and_a_measurement_that_is_not_there_is_refused() {
    let said = run(["bench", "start", "--rounds", "1"]);
    said.expect_code(0);
    let place = |words: &str| {
        said.out
            .find(words)
            .unwrap_or_else(|| panic!("{}", said.out))
    };
    assert!(place("Ratios") < place("Goals") && place("Goals") < place("Times"));
    run(["bench", "strat"]).expect_code(2);
    run(["bench", "--rounds", "0"]).expect_code(2);
}
