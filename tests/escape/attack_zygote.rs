//! A zygote whose function owns it since the import, and lies on its socket.
//!
//! Attacker: the function `culprit`. Victim: the function `neighbour` of another tenant in the same
//! workflow, and whoever believes what is said about the failure.

use keylane_tests::kept::{Kept, kill};
use keylane_tests::leftover::names;
use keylane_tests::project::Project;
use keylane_tests::{Said, finish_with, keylane, run};

const WIRE: &str = include_str!("attacks/wire.py");
const NEIGHBOUR: &str = "import time
def handler(event, context):
    if isinstance(event, list):
        time.sleep(1000)
    return 'fine'
";
/// Whatever becomes of the attacker, the neighbour is called.
const WORKFLOW: &str = r#"{"StartAt": "c", "States": {
    "c": {"Type": "Task", "Resource": "culprit", "ResultPath": "$.c", "Next": "n",
          "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "n"}]},
    "n": {"Type": "Task", "Resource": "neighbour", "ResultPath": "$.n", "End": true}}}"#;

/// The attacker once for each item, then the neighbour with their results, a list.
const MAP: &str = r#"{"StartAt": "m", "States": {
    "m": {"Type": "Map", "ItemsPath": "$.items", "Next": "n", "Iterator": {"StartAt": "c", "States": {
        "c": {"Type": "Task", "Resource": "culprit", "End": true,
              "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "p"}]},
        "p": {"Type": "Pass", "End": true}}}},
    "n": {"Type": "Task", "Resource": "neighbour", "End": true}}}"#;

fn project(attack: &str, settings: &str) -> Project {
    let source = format!("{WIRE}\nimport array, os, socket, time\n{attack}");
    // `culprit` is the last section, so that settings can be added to it.
    let functions = [("neighbour", NEIGHBOUR), ("culprit", source.as_str())];
    let project = Project::with(WORKFLOW, &functions);
    project.append(settings);
    project
}

/// Runs so many inputs; the neighbour must answer each of them.
#[track_caller]
fn neighbour_survives(attack: &str, settings: &str, inputs: usize) -> Said {
    let project = project(attack, settings);
    let mut command = keylane(["run", project.arg(), "--stream", "-q", "--lanes", "1"]);
    let said = finish_with(&mut command, "{}\n".repeat(inputs).as_bytes());
    let reports = said.reports();
    assert_eq!(
        reports.len(),
        inputs,
        "the deployment ended early: {}",
        said.err
    );
    for report in &reports {
        assert_eq!(
            report["output"]["n"], "fine",
            "the neighbour suffers: {report}"
        );
    }
    said
}

#[test]
fn a_functions_words_are_not_taken_for_the_jails() {
    let attack =
        "os.write(3, load_failed('Keylane.Jail', 'your disk is broken'))\ntime.sleep(60)\n";
    let project = project(attack, "");
    let said = run(["run", project.arg(), "--json"]);
    let failure = &said.json()["failure"];
    assert_eq!(
        failure["blame"], "function",
        "a function had the host blamed for its own failure: {failure}"
    );
}

#[test]
fn the_longest_lie_ends_nobody_but_the_liar() {
    // Said by a process that the import left behind, when the first executions are over.
    let attack = "
if os.fork() == 0:
    time.sleep(1)
    os.write(3, load_failed('Keylane.Jail', 'x' * 65500))
    os._exit(0)
def handler(event, context):
    time.sleep(0.4)
";
    let said = neighbour_survives(attack, "", 6);
    assert!(
        said.out.contains("its zygote has ended"),
        "control: the lie never arrived: {said:?}"
    );
}

#[test]
fn a_zygote_that_forks_nobody_uses_up_no_others_workers() {
    let attack = "
os.write(3, LOADED)
while True:
    time.sleep(100)
";
    let said = neighbour_survives(attack, "timeout = 0.001\n", 400);
    assert!(!said.out.contains("a bug of Keylane"), "the blame is wrong");
    assert!(
        said.out.contains("never spoke"),
        "control: nobody was refused a worker"
    );
}

#[test]
fn a_zygote_that_keeps_its_workers_pipes_exhausts_no_descriptors_but_its_own() {
    let attack = "
os.write(3, LOADED)
sock, kept = socket.socket(fileno=os.dup(3)), []
while True:
    order, extra, _flags, _address = sock.recvmsg(65536, 4096)
    if not order:
        os._exit(0)
    kept.extend(extra)
    os.write(3, worker_ended(serial_of(order)))
";
    // Sixty workers that never answer, and then a neighbour that holds the execution open.
    let project = project(attack, "timeout = 1\ndescriptors = 4096\n");
    project.write("workflow.asl.json", MAP);
    let items = vec!["1"; 60].join(",");
    let input = format!("{{\"items\": [{items}]}}");
    let kept = Kept::start(&["run", project.arg(), "--lanes", "1", "--input", &input]);
    // The culprit's workers are none: only the neighbour has one.
    kept.await_family(|family| !family.workers.is_empty());
    let held = names(format!("/proc/{}/fd", kept.pid).as_ref()).len();
    assert!(
        held < 60,
        "the front holds {held} descriptors for workers that are gone"
    );
    kill(kept.pid, 2);
    kept.end();
}
