//! The listener that hears a function's denied calls: nobody but the jail hands one over, and what a
//! function is denied it cannot allow itself.
//!
//! Attacker: a function that has kept its zygote's socket. Victim: the spawner, which would answer to
//! a listener of the attacker's, or never hear of its calls. The control of the look at the sender is
//! in `controls.rs`.

use keylane_tests::project::Project;
use keylane_tests::{PYTHON, doctor, run};
use serde_json::Value;
use std::process::Command;

const ATTACK: &str = include_str!("attacks/listener.py");

#[test]
fn a_function_neither_makes_takes_answers_nor_hands_over_a_listener() {
    let project = Project::sequence(&[("culprit", ATTACK)]);
    let said = run(["run", project.arg(), "--json", "-q", "--lanes", "1"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let report = said.json();
    for (what, how) in report["output"].as_object().unwrap() {
        assert_eq!(how, "EPERM", "a function can {what}");
    }
    // The lies changed nothing: its calls are still told.
    if doctor("denied calls") == "ok" {
        let denials = report["denials"].to_string();
        assert!(denials.contains("pidfd_open"), "it was not heard: {report}");
    }
}

#[test]
fn control_outside_the_jail_the_same_tries_reach_the_kernel() {
    let project = Project::sequence(&[("culprit", ATTACK)]);
    let output = Command::new(PYTHON)
        .arg(project.path().join("functions/culprit/culprit.py"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let tries: Value = serde_json::from_slice(&output.stdout).unwrap();
    for (what, how) in tries.as_object().unwrap() {
        // A container's filter has its say about descriptors of others; /dev/null is no pidfd; and a
        // filter above may have a listener (EBUSY). All three are words of the kernel.
        let reached = match what.as_str() {
            "take a descriptor of a process" => how == "EBADF" || how == "EPERM",
            "install a filter with a listener" => how == "works" || how == "EBUSY",
            _ => how == "works",
        };
        assert!(reached, "outside nobody can {what} either: {how}");
    }
}
