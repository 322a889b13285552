//! Programs of our own that attack: raw calls that no list names, spellings of paths, and everything that
//! a function can do with a process, a channel and a socket that are its own.
//!
//! Attacker: the function `evil`, one program after the other in one deployment. Victim, after each: a
//! neighbour in the same workflow, which must answer right from the worker that it has had all the time;
//! the lane and the spawner, which must be the processes that they were; and the report, which must blame
//! nobody but `evil`. The table says how each has to end.
//!
//! What passing does not show: that there is no other program.

mod table;

use crate::hostile::Hostile;
use keylane_tests::PYTHON;
use keylane_tests::project::Project;
use serde_json::{Value, json};
use std::process::Command;
use table::{CALLS, End, INSIDE, OPEN_OUTSIDE, PATHS, WIRE};

const CALLS_SOURCE: &str = include_str!("calls.py");

/// Runs all of `programs`, each of which must end as the table says; and tells all that do not.
#[track_caller]
fn all_end_as_the_table_says(source: &str, programs: &[(&str, End)], settings: &str) -> Vec<Value> {
    let mut hostile = Hostile::deploy(source, settings);
    let mut wrong = Vec::new();
    let mut reports = Vec::new();
    for (name, end) in programs {
        let report = hostile.attack(&json!({"attack": name}));
        if let Some(why) = differs(&report, *end) {
            wrong.push(format!("{name}: {why}: {}", shown(&report)));
        }
        hostile.expect_unharmed();
        // What it left behind may cost the function itself one call more, and no other.
        let healed = (0..4).any(|_| {
            let report = hostile.attack(&json!("nothing"));
            Hostile::expect_own_fault(&report);
            report["output"] == "nothing"
        });
        if !healed {
            wrong.push(format!("{name}: the function is not answered any more"));
        }
        hostile.expect_unharmed();
        reports.push(report);
    }
    assert!(
        wrong.is_empty(),
        "{} of {}: {wrong:#?}",
        wrong.len(),
        programs.len()
    );
    reports
}

fn shown(report: &Value) -> String {
    report.to_string().chars().take(600).collect()
}

/// Why a report is not how the attack has to end.
fn differs(report: &Value, end: End) -> Option<String> {
    let succeeded = report["status"] == "succeeded";
    let own = report["error"]["blame"] == "function" && report["error"]["function"] == "evil";
    if !succeeded && !own {
        return Some("somebody else is blamed".to_owned());
    }
    let name = report["error"]["error"].as_str().unwrap_or_default();
    let ours = ["States.", "Keylane."]
        .iter()
        .any(|start| name.starts_with(start));
    // The lane's own words for a late function and for data that are none; a forged one says "a lie".
    let known = [
        "States.Timeout",
        "States.DataLimitExceeded",
        "Keylane.InvalidResult",
        "Keylane.ReservedErrorName",
        "Keylane.WorkerFailed",
    ];
    let cause = report["error"]["cause"].as_str().unwrap_or_default();
    if ours && (!known.contains(&name) || !cause.contains("function \"evil\"")) {
        return Some(format!("an error under the platform's name {name}"));
    }
    let output = &report["output"];
    let right = match end {
        End::Refused(errors) => errors.split(' ').any(|error| output == error),
        End::Only(list) => {
            let allowed: Value = serde_json::from_str(list).expect("a list");
            let allowed = allowed.as_array().expect("a list");
            let got = output.as_array();
            got.is_some_and(|got| got.iter().all(|one| allowed.contains(one)))
        }
        End::Own => true,
        End::OwnFault => !succeeded,
        End::Answers => succeeded,
    };
    (!right).then(|| format!("it has to end as {end:?}"))
}

#[test]
fn calls_that_no_list_names_are_refused() {
    all_end_as_the_table_says(CALLS_SOURCE, CALLS, "timeout = 120\n");
}

#[test]
fn outside_such_calls_get_through() {
    let project = Project::sequence(&[("calls", CALLS_SOURCE)]);
    let output = Command::new(PYTHON)
        .arg(project.path().join("functions/calls/calls.py"))
        .args(OPEN_OUTSIDE)
        .arg("every prctl")
        .arg("every fcntl")
        .output()
        .unwrap();
    let said: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    for name in OPEN_OUTSIDE {
        assert_ne!(said[name], "EPERM", "refused outside too: {said}");
    }
    for (sweep, least) in [("every prctl", 30), ("every fcntl", 20)] {
        let through = said[sweep].as_array().unwrap().len();
        assert!(
            through > least,
            "{sweep} shows nothing: {through} get through"
        );
    }
}

#[test]
fn no_spelling_and_no_link_leads_to_a_file_of_others() {
    all_end_as_the_table_says(include_str!("paths.py"), PATHS, "timeout = 60\n");
}

#[test]
fn whatever_a_function_does_with_what_is_its_own_nobody_else_notices() {
    let settings = "payload = \"64KiB\"\ntimeout = 5\n";
    let reports = all_end_as_the_table_says(include_str!("inside.py"), INSIDE, settings);
    // The control: those that forge an answer do reach the lane.
    let twice = INSIDE
        .iter()
        .position(|(name, _)| *name == "an answer with a key twice");
    let report = &reports[twice.expect("in the table")];
    let cause = report["error"]["cause"].as_str().unwrap_or_default();
    assert!(
        cause.contains("twice") || cause.contains("duplicate"),
        "{report}"
    );
}

#[test]
fn whatever_is_said_on_the_zygotes_socket_nobody_else_notices() {
    for program in WIRE {
        let mut hostile = Hostile::deploy(include_str!("inside.py"), "timeout = 5\n");
        let report = hostile.attack(&json!({"attack": program.0}));
        assert_eq!(differs(&report, program.1), None, "{}: {report}", program.0);
        for _ in 0..3 {
            hostile.expect_unharmed();
            Hostile::expect_own_fault(&hostile.attack(&json!("nothing")));
        }
        hostile.expect_unharmed();
    }
}

#[test]
fn there_are_as_many_programs_as_the_table_says_and_each_once() {
    let mut names: Vec<&str> = [CALLS, PATHS, INSIDE]
        .concat()
        .iter()
        .map(|(name, _)| *name)
        .collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all, "a name stands twice");
    assert!(all > 100, "{all}");
}
