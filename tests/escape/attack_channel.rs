//! A worker that spoils its channel in ways that the kernel notices.
//!
//! Attacker: a function that finds the channel in its own memory. Victim: whoever is blamed.

use keylane_tests::project::Project;
use keylane_tests::{finish_with, keylane};

const ATTACK: &str = include_str!("attacks/futex.py");

#[test]
fn a_futex_word_that_cannot_be_woken_is_not_the_hosts_fault() {
    let project = Project::sequence(&[("culprit", ATTACK)]);
    let mut command = keylane(["run", project.arg(), "--stream", "-q", "--lanes", "1"]);
    let said = finish_with(&mut command, b"\"spoil\"\n\"again\"\n\"again\"\n");
    let reports = said.reports();
    assert_eq!(
        reports[0]["output"], "spoilt",
        "control: the kernel did not take the word for a lock: {}",
        reports[0]
    );
    for report in &reports[1..] {
        assert_ne!(
            report["error"]["blame"], "host",
            "a function made its own doing the host's fault: {report}"
        );
    }
}
