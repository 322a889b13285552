//! Workers that have nothing to do and burn processor time all the same are ended, and only those.

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
