//! The FINRA example with its five rules in Rust: the same result as in Python, computed apart.

use keylane_tests::native::RUST;
use keylane_tests::project::Project;
use keylane_tests::{PYTHON, checkout, finish, finish_with, keylane};
use serde_json::Value;
use std::fs;
use std::process::{Command, Stdio};

const RULES: [&str; 5] = ["lastpx", "side", "trddate", "volume", "instrument"];

/// The example, its rules native and the two functions around them in Python.
fn project() -> Project {
    let example = checkout().join("docs/examples/finra");
    let project = Project::empty();
    for file in [
        "workflow.asl.json",
        "functions/marketdata/marketdata.py",
        "functions/marginbalance/marginbalance.py",
        "data/prices.csv.gz",
    ] {
        project.write_bytes(file, &fs::read(example.join(file)).unwrap());
    }
    project.write(
        "keylane.toml",
        "[workflow]\nname = \"finra\"\ndefinition = \"workflow.asl.json\"\n\
         [functions.marketdata]\nruntime = \"python3.11\"\npath = \"functions/marketdata\"\n\
         handler = \"marketdata.handler\"\ninclude = [\"data/prices.csv.gz\"]\n\
         [functions.marginbalance]\nruntime = \"python3.11\"\npath = \"functions/marginbalance\"\n\
         handler = \"marginbalance.handler\"\n",
    );
    for rule in RULES {
        project.add_native(rule, RUST, rule);
    }
    project
}

fn report(project: &str, checks: u64, seed: u64) -> Value {
    let input = format!(r#"{{"checks": {checks}, "seed": {seed}}}"#);
    let arguments = [
        "run", project, "--json", "-q", "--lanes", "2", "--input", &input,
    ];
    let said = finish(&mut keylane(arguments));
    said.expect_code(0);
    said.json()
}

/// Whether the oracle finds that `report` is what `checks` and `seed` must give.
fn is_as_computed_apart(report: &Value, checks: u64, seed: u64) -> Result<(), String> {
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
    match said.code {
        Some(0) => Ok(()),
        _ => Err(format!("{}{}", said.out, said.err)),
    }
}

#[test]
fn the_rules_in_rust_find_what_a_separate_computation_finds() {
    let project = project();
    for (checks, seed) in [(5, 1), (1000, 1), (500, 7)] {
        let report = report(project.arg(), checks, seed);
        is_as_computed_apart(&report, checks, seed).unwrap();
        let functions = report["functions"].as_array().unwrap();
        let calls = functions
            .iter()
            .filter(|function| RULES.iter().any(|rule| function["function"] == *rule))
            .map(|function| function["calls"].as_u64().unwrap());
        assert_eq!(calls.sum::<u64>(), checks, "{functions:?}");
    }
}

#[test]
fn the_rules_in_rust_give_byte_for_byte_what_those_in_python_give() {
    let example = checkout().join("docs/examples/finra");
    let python = report(example.to_str().unwrap(), 200, 3);
    let rust = report(project().arg(), 200, 3);
    assert_eq!(python["output"].to_string(), rust["output"].to_string());
    let mut wrong = rust;
    wrong["output"]["notional"] = "0.00".into();
    assert!(
        is_as_computed_apart(&wrong, 200, 3).is_err(),
        "the oracle accepts anything"
    );
}
