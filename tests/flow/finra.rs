//! The FINRA example: its results against a separate computation, its forks against its lanes.

use keylane_tests::{PYTHON, Said, checkout, finish, finish_with, keylane};
use serde_json::Value;
use std::process::{Command, Stdio};

/// Functions of the example: two around the Map and five rules.
const FUNCTIONS: u64 = 7;
const LANES: u64 = 2;

fn example() -> String {
    checkout()
        .join("docs/examples/finra")
        .to_str()
        .unwrap()
        .to_owned()
}

fn finra(more: &[&str]) -> Said {
    let example = example();
    let lanes = LANES.to_string();
    let mut arguments = vec!["run", &example, "--json", "-q", "--lanes", &lanes];
    arguments.extend(more);
    finish(&mut keylane(arguments))
}

/// Asks the oracle whether `report` is what `checks` and `seed` must give.
#[track_caller]
fn expect_as_computed_apart(report: &Value, checks: u64, seed: u64) {
    let mut oracle = Command::new(PYTHON);
    oracle
        .args(["-B", "-I"])
        .arg(checkout().join("tests/finra/oracle.py"))
        .args([
            "--n",
            &checks.to_string(),
            "--seed",
            &seed.to_string(),
            "--result",
            "-",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let said = finish_with(&mut oracle, report.to_string().as_bytes());
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
}

fn sum(report: &Value, field: &str) -> u64 {
    report["functions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|function| function[field].as_u64().unwrap())
        .sum()
}

/// Runs the example with so many checks and holds everything that must be true of the report.
fn checks(count: u64) -> Value {
    let said = finra(&["--input", &format!(r#"{{"checks": {count}, "seed": 1}}"#)]);
    said.expect_code(0);
    let report = said.json();
    expect_as_computed_apart(&report, count, 1);
    // One call of marketdata, one for each check, one of marginbalance.
    assert_eq!(sum(&report, "calls"), count + 2, "{}", report["functions"]);
    assert_eq!(sum(&report, "errors"), 0, "{}", report["functions"]);
    let fan = &report["fans"][0];
    assert_eq!(fan["pointer"], "/States/Run the checks");
    assert_eq!(fan["branches"], count);
    assert_eq!(fan["lanes"], LANES);
    report
}

/// A worker is forked when a lane first calls a function, and never for a branch.
fn expect_no_fork_per_branch(report: &Value) {
    let forks = sum(report, "forks");
    assert!(
        (FUNCTIONS..=FUNCTIONS * LANES).contains(&forks),
        "{forks} forks for {FUNCTIONS} functions on {LANES} lanes: {}",
        report["functions"]
    );
}

#[test]
fn five_checks_find_what_a_separate_computation_finds() {
    checks(5);
}

#[test]
fn fifty_checks_find_what_a_separate_computation_finds() {
    checks(50);
}

#[test]
fn two_hundred_checks_are_right_and_cost_no_fork_per_branch() {
    expect_no_fork_per_branch(&checks(200));
}

#[test]
fn a_thousand_checks_are_right_and_cost_no_fork_per_branch() {
    expect_no_fork_per_branch(&checks(1000));
}

#[test]
fn the_report_says_how_the_checks_were_spread_and_with_which_numbers() {
    let report = checks(200);
    let fan = &report["fans"][0];
    let branch = fan["branch_ns"].as_u64().expect("no branch was measured");
    let handover = fan["handover_ns"].as_u64().unwrap();
    assert!(branch > 0 && handover > 0, "{fan}");
    let decision = fan["decision"].as_str().unwrap();
    let shown = format!("{:.3} ms", (branch / 1000) as f64 / 1000.0);
    assert!(
        decision.contains(&format!("branches of {shown}")),
        "the decision does not show the measured time {shown}: {decision}"
    );
    assert!(decision.contains("a hand-over costs"), "{decision}");
    let lent = fan["lent"].as_u64().unwrap();
    assert_eq!(decision.starts_with("spread:"), lent > 0, "{fan}");
}

#[test]
fn several_inputs_of_one_stream_each_give_what_they_give_alone() {
    let example = example();
    let mut command = keylane(["run", &example, "--stream", "--json", "-q", "--lanes", "2"]);
    let inputs = [(5, 1), (50, 7), (200, 3), (5, 1)];
    let lines: String = inputs
        .iter()
        .map(|(checks, seed)| format!("{{\"checks\": {checks}, \"seed\": {seed}}}\n"))
        .collect();
    let said = finish_with(&mut command, lines.as_bytes());
    said.expect_code(0);
    let reports = said.reports();
    assert_eq!(reports.len(), inputs.len());
    for (report, (checks, seed)) in reports.iter().zip(inputs) {
        expect_as_computed_apart(report, checks, seed);
    }
    assert_eq!(reports[0]["output"], reports[3]["output"]);
    let forks: u64 = reports.iter().map(|report| sum(report, "forks")).sum();
    assert!(
        forks <= FUNCTIONS * LANES,
        "workers do not stay warm: {forks} forks"
    );
}

#[test]
fn without_an_input_the_projects_own_is_taken() {
    let text = std::fs::read_to_string(checkout().join("docs/examples/finra/input.json")).unwrap();
    let input: Value = serde_json::from_str(&text).unwrap();
    let (checks, seed) = (
        input["checks"].as_u64().unwrap(),
        input["seed"].as_u64().unwrap_or(1),
    );
    let said = finra(&[]);
    said.expect_code(0);
    expect_as_computed_apart(&said.json(), checks, seed);
}

#[test]
fn the_oracle_notices_a_result_that_is_wrong() {
    let mut report = checks(5);
    report["output"]["rules"]["lastpx"]["checked"] = Value::from(1);
    let wrong = std::panic::catch_unwind(|| expect_as_computed_apart(&report, 5, 1));
    assert!(wrong.is_err(), "the oracle accepts anything");
}

#[test]
fn a_count_that_is_no_multiple_of_five_is_the_functions_error_and_says_so() {
    let said = finra(&["--input", r#"{"checks": 7}"#]);
    said.expect_code(1);
    let failure = said.failure();
    assert!(
        failure.contains("marketdata") && failure.contains("ValueError"),
        "{failure}"
    );
}
