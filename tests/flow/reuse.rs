//! What a call finds of the one before it, for each way to reuse workers.

use keylane_tests::eventually;
use keylane_tests::project::Project;
use keylane_tests::session::Session;
use keylane_tests::{finish, keylane, run};
use serde_json::{Value, json};

/// Tells what it finds, then leaves something in every place that a function can reach.
const LEAVER: &str = "\
import os, sys, threading, time
seen = []
def descriptors():
    found = []
    for fd in range(256):
        try: found.append((fd, os.fstat(fd).st_ino if fd < 4 else 0))
        except OSError: pass
    return len(found)
def handler(event, context):
    found = {'globals': list(seen), 'environment': os.environ.get('LEFT'),
             'directory': os.getcwd() != home, 'descriptors': descriptors() - held,
             'threads': threading.active_count() - 1, 'module': 'left' in sys.modules,
             'limit': sys.getrecursionlimit() == 4321}
    seen.append(event)
    os.environ['LEFT'] = 'yes'
    os.chdir('/usr')
    os.dup(1)
    threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
    sys.modules['left'] = sys
    sys.setrecursionlimit(4321)
    if os.fork() == 0:
        while True: time.sleep(1000)
    return [os.getpid(), found]
home = os.getcwd()
# In a worker: its liveness socket beside what the zygote has.
held = descriptors()
";

fn project(reuse: &str) -> Project {
    let project = Project::sequence(&[("leaver", LEAVER)]);
    project.append(&format!("reuse = \"{reuse}\"\n"));
    project
}

/// What each of three calls in a row found.
fn found(reuse: &str) -> Vec<Value> {
    let project = project(reuse);
    let mut session = Session::start(project.arg(), &["--lanes", "1"]);
    let answers: Vec<Value> = (0..3).map(|n| session.output(&json!(n))).collect();
    assert_eq!(session.end(), Some(0));
    answers
}

#[track_caller]
fn finds_nothing(reuse: &str) {
    let answers = found(reuse);
    for answer in &answers {
        assert_eq!(answer[1], answers[0][1], "a later call finds more");
        let found = answer[1].as_object().unwrap();
        for (place, what) in found {
            let nothing = [json!([]), json!(null), json!(false), json!(0)].contains(what);
            assert!(
                nothing || place == "descriptors",
                "{reuse}: {place} is left: {what}"
            );
        }
    }
    assert_ne!(
        answers[0][0], answers[1][0],
        "the same process answers twice"
    );
}

#[test]
fn under_fresh_nothing_of_the_last_call_is_left() {
    finds_nothing("fresh");
}

#[test]
fn under_fresh_import_nothing_of_the_last_call_is_left() {
    finds_nothing("fresh-import");
}

#[test]
fn under_warm_all_of_it_is_left() {
    // The control of the two tests above.
    let answers = found("warm");
    assert_eq!(answers[0][0], answers[1][0]);
    let (first, second) = (&answers[0][1], &answers[1][1]);
    assert_eq!(second["globals"], json!([0]));
    assert_eq!(second["environment"], "yes");
    for place in ["directory", "module", "limit"] {
        assert_eq!(second[place], true, "{place}");
    }
    assert_eq!(second["threads"], 1);
    let count = |found: &Value| found["descriptors"].as_i64().unwrap();
    assert_eq!(count(second), count(first) + 1);
}

#[test]
fn fresh_workers_are_ready_before_their_calls_and_end_after_them() {
    for reuse in ["fresh", "fresh-import"] {
        let project = project(reuse);
        let mut session = Session::start(project.arg(), &["--lanes", "1"]);
        let ready = |session: &Session| session.family().workers.len() == 2;
        assert!(eventually(|| ready(&session)), "{reuse}: none is ready");
        let before = session.family().workers;
        session.output(&json!(1));
        assert!(eventually(|| ready(&session)), "{reuse}: not replaced");
        let after = session.family().workers;
        let same = before.iter().filter(|pid| after.contains(pid)).count();
        assert_eq!(same, 1, "{reuse}: {before:?}, then {after:?}");
        assert_eq!(session.end(), Some(0));
    }
}

#[test]
fn every_item_of_a_map_gets_a_worker_of_its_own() {
    let definition = json!({"StartAt": "Fan", "States": {"Fan": {"Type": "Map", "End": true,
        "ItemProcessor": {"StartAt": "W",
            "States": {"W": {"Type": "Task", "Resource": "once", "End": true}}}}}});
    let source = "\
calls = 0
def handler(event, context):
    global calls
    calls += 1
    return calls
";
    let project = Project::with(&definition.to_string(), &[("once", source)]);
    project.append("reuse = \"fresh\"\n");
    let items = json!(vec![0; 60]).to_string();
    let mut command = keylane(["run", project.arg(), "--json", "--input", &items]);
    let said = finish(&mut command);
    said.expect_code(0);
    assert_eq!(said.json()["output"], json!(vec![1; 60]));
    let forks = said.json()["functions"][0]["forks"].as_u64().unwrap();
    assert!(forks >= 60, "{forks}");
}

#[test]
fn under_fresh_import_an_import_may_leave_threads() {
    let source = "\
import threading, time
threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
def handler(event, context): return threading.active_count()
";
    let project = Project::sequence(&[("threads", source)]);
    project.append("reuse = \"fresh-import\"\n");
    let said = run(["run", project.arg(), "-q"]);
    said.expect_code(0);
    assert_eq!(said.out.trim(), "2");
}

#[test]
fn under_fresh_import_a_function_that_cannot_be_loaded_is_told_before_any_call() {
    let project = Project::sequence(&[("broken", "import nowhere\n")]);
    project.append("reuse = \"fresh-import\"\n");
    let said = run(["run", project.arg(), "-q"]);
    said.expect_code(2);
    assert!(said.first_line().contains("nowhere"), "{}", said.err);
}

#[test]
fn a_fresh_worker_that_crashes_fails_its_call_alone() {
    let source = "\
import os
def handler(event, context):
    if event == 'bad': os._exit(3)
    return event
";
    let project = Project::sequence(&[("f", source)]);
    project.append("reuse = \"fresh\"\n");
    let mut session = Session::start(project.arg(), &["--lanes", "1"]);
    assert_eq!(session.output(&json!("good")), "good");
    let report = session.ask(&json!("bad"));
    assert_eq!(report["error"]["error"], "Lambda.Unknown", "{report}");
    assert_eq!(session.output(&json!("good")), "good");
}
