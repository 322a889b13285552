//! `keylane learn`: each function's smallest profile, found by running the project.
//!
//! What passing does not show: that another input needs no more.

use keylane_tests::project::Project;
use keylane_tests::{Said, run};
use serde_json::{Value, json};
use std::fs;

const PLAIN: &str = "def handler(e, c):\n    return sum(range(100))\n";
const THREADED: &str = "\
import os, threading
def handler(e, c):
    thread = threading.Thread(target=os.times)
    thread.start()
    thread.join()
    return os.times()[0] >= 0
";
const GREEDY: &str = "\
import os
def handler(e, c):
    try:
        os.sched_setaffinity(0, {0})
    except PermissionError:
        return 'refused'
";

fn learn(project: &Project, more: &[&str]) -> Said {
    let mut arguments = vec!["learn", project.arg()];
    arguments.extend(more);
    run(arguments)
}

fn lesson(project: &Project, more: &[&str]) -> Value {
    let mut all = vec!["--json"];
    all.extend(more);
    let said = learn(project, &all);
    said.expect_code(0);
    said.json()
}

/// Runs the project with the profile that was proposed for its one function.
#[track_caller]
fn the_proposal_suffices(project: &Project, lesson: &Value) {
    let profile = lesson["functions"][0]["profile"].as_str().unwrap();
    project.append(&format!("profile = \"{profile}\"\n"));
    let said = run(["run", project.arg(), "--json", "--lanes", "1"]);
    said.expect_code(0);
    let denied = said.json()["denials"].as_array().unwrap().clone();
    let missing = denied.iter().find(|one| !one["missing_group"].is_null());
    assert!(missing.is_none(), "{missing:?} is denied under {profile}");
}

#[test]
fn a_function_that_needs_nothing_beside_its_files_is_proposed_the_smallest_profile() {
    let project = Project::sequence(&[("plain", PLAIN)]);
    let manifest = project.path().join("keylane.toml");
    let before = fs::read_to_string(&manifest).unwrap();
    let lesson = lesson(&project, &[]);
    assert_eq!(lesson["status"], "succeeded", "{lesson:#}");
    assert_eq!(lesson["complete"], true);
    let found = &lesson["functions"][0];
    assert_eq!(found["needs"], json!(["files"]), "{lesson:#}");
    assert_eq!(found["profile"], "compute");
    assert_eq!(found["called"], true);
    assert_eq!(found["denied"], json!([]));
    let wanted = "[functions.plain]\nprofile = \"compute\"\n";
    assert_eq!(lesson["project_fragment"], wanted);
    assert_eq!(fs::read_to_string(&manifest).unwrap(), before, "it wrote");
    the_proposal_suffices(&project, &lesson);
}

#[test]
fn a_function_with_threads_is_proposed_numeric_although_each_need_hides_the_next() {
    let project = Project::sequence(&[("threaded", THREADED)]);
    let lesson = lesson(&project, &[]);
    let found = &lesson["functions"][0];
    assert_eq!(
        found["needs"],
        json!(["files", "threads", "facts"]),
        "{lesson:#}"
    );
    assert_eq!(found["profile"], "numeric");
    assert!(lesson["rounds"].as_u64().unwrap() > 2, "{lesson:#}");
    the_proposal_suffices(&project, &lesson);
}

#[test]
fn what_nobody_may_have_is_told_and_never_given() {
    let project = Project::sequence(&[("greedy", GREEDY)]);
    let lesson = lesson(&project, &[]);
    let found = &lesson["functions"][0];
    assert_eq!(found["needs"], json!(["files"]), "{lesson:#}");
    let denied = &found["denied"][0];
    let call = denied["call"].as_str().unwrap();
    assert!(call.starts_with("sched_setaffinity("), "{denied:#}");
    assert_eq!(denied["allowed_by"], "nobody");
    let said = learn(&project, &[]);
    said.expect_code(0);
    assert!(said.out.contains("nobody can allow it"), "{}", said.out);
    assert!(said.out.contains("nothing was written"), "{}", said.out);
}

#[test]
fn nothing_is_given_beyond_what_the_operator_grants() {
    let project = Project::sequence(&[("threaded", THREADED)]);
    project.write(
        "policy.toml",
        "profiles = [\"compute\"]\ndefault = \"compute\"\n",
    );
    let policy = project.path().join("policy.toml");
    let arguments = ["--json", "--policy", policy.to_str().unwrap()];
    let said = learn(&project, &arguments);
    // The function fails: it has no thread.
    said.expect_code(1);
    let lesson = said.json();
    let found = &lesson["functions"][0];
    assert_eq!(found["needs"], json!(["files"]), "{lesson:#}");
    assert_eq!(found["denied"][0]["allowed_by"], "operator");
    assert_eq!(lesson["status"], "failed");
}

#[test]
fn a_function_that_the_input_does_not_reach_is_said_to_be_known_by_its_import_alone() {
    let definition = r#"{"StartAt": "f", "States": {
        "f": {"Type": "Task", "Resource": "f", "End": true}}}"#;
    let project = Project::with(definition, &[("f", PLAIN), ("idle", THREADED)]);
    let lesson = lesson(&project, &[]);
    let idle = &lesson["functions"][1];
    assert_eq!(
        (&idle["function"], &idle["called"]),
        (&json!("idle"), &json!(false))
    );
}

#[test]
fn a_project_with_a_mistake_is_refused_as_run_refuses_it() {
    let project = Project::sequence(&[("plain", PLAIN)]);
    project.append("colour = \"blue\"\n");
    let said = learn(&project, &["--json"]);
    said.expect_code(2);
    assert_eq!(said.json()["status"], "refused");
}
