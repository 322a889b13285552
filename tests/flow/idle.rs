//! Instances that have nothing to do and burn processor time all the same are ended, and only those.

use keylane_tests::eventually;
use keylane_tests::project::Project;
use keylane_tests::session::Session;
use serde_json::json;

/// Leaves a thread behind that never rests.
const BURNER: &str = "\
import threading
def burn():
    while True: pass
def handler(event, context):
    threading.Thread(target=burn, daemon=True).start()
    return event
";
/// Leaves a thread behind that works now and then, and counts its calls.
const QUIET: &str = "\
import threading, time
calls = 0
def work():
    while True:
        time.sleep(0.1)
        sum(range(1000))
def handler(event, context):
    global calls
    calls += 1
    if calls == 1: threading.Thread(target=work, daemon=True).start()
    return calls
";

#[test]
fn an_idle_worker_that_burns_is_ended_and_told_and_a_quiet_one_stays() {
    let project = Project::sequence(&[("burner", BURNER), ("quiet", QUIET)]);
    let mut session = Session::start_loud(project.arg(), &["--lanes", "1"]);
    assert_eq!(session.output(&json!(1)), 1);
    assert_eq!(session.family().workers.len(), 2);
    assert!(
        eventually(|| session.family().workers.len() == 1),
        "the burner lives on"
    );
    let told = || {
        session
            .errors()
            .contains("function \"burner\": a worker used the processor")
    };
    assert!(eventually(told), "nobody is told: {}", session.errors());
    // The burner's worker is another, the quiet one's is the one that was.
    assert_eq!(session.output(&json!(2)), 2);
    assert!(!session.errors().contains("\"quiet\""));
    assert_eq!(session.end(), Some(0));
}

/// Its import leaves a child of the zygote behind that never rests.
const BURNS_SINCE_ITS_IMPORT: &str = "\
import os
if os.fork() == 0:
    while True: pass
def handler(event, context):
    return event
";

#[test]
fn a_zygote_whose_child_burns_is_ended_and_told_and_another_one_forks() {
    let functions = [("burner", BURNS_SINCE_ITS_IMPORT), ("quiet", QUIET)];
    let project = Project::sequence(&functions);
    let mut session = Session::start_loud(project.arg(), &["--lanes", "1"]);
    assert_eq!(session.output(&json!(1)), 1);
    let before = session.family().zygotes;
    let told = || session.errors().contains("function \"burner\": its zygote");
    assert!(eventually(told), "nobody is told: {}", session.errors());
    assert!(
        eventually(|| session.family().zygotes.len() == before.len()),
        "no zygote took its place"
    );
    let kept = session.family().zygotes;
    assert_ne!(kept, before, "the zygote that burned lives on");
    assert!(
        before.iter().any(|pid| kept.contains(pid)),
        "the quiet one's zygote was ended too"
    );
    assert_eq!(session.output(&json!(2)), 2);
    assert!(!session.errors().contains("\"quiet\""));
}

/// Its import leaves a thread behind that never rests.
const THREAD_SINCE_ITS_IMPORT: &str = "\
import threading
def burn():
    while True: pass
threading.Thread(target=burn, daemon=True).start()
def handler(event, context):
    return event
";

#[test]
fn a_worker_that_waits_for_its_first_call_and_burns_is_ended_and_told() {
    let project = Project::sequence(&[("burner", THREAD_SINCE_ITS_IMPORT)]);
    project.append("reuse = \"fresh-import\"\n");
    let mut session = Session::start_loud(project.arg(), &["--lanes", "1"]);
    assert_eq!(session.output(&json!(1)), 1);
    let started = std::time::Instant::now();
    assert!(
        eventually(|| !session.family().workers.is_empty()),
        "control: no worker waits"
    );
    let told = || session.errors().contains("\"burner\": a worker used");
    assert!(eventually(told), "nobody is told: {}", session.errors());
    assert!(eventually(|| session.family().workers.is_empty()));
    assert!(
        started.elapsed().as_secs() < 120,
        "it burned for as long as any import may take"
    );
    assert_eq!(session.output(&json!(2)), 2);
}
