//! The end of a worker, whatever its cause, is the end of everything that it started; the function
//! and its neighbours go on.

use keylane_tests::leftover::descendants;
use keylane_tests::project::Project;
use keylane_tests::session::Session;
use keylane_tests::{deadline, eventually};
use serde_json::json;

/// Starts children and grandchildren whose parents are gone, all deaf to every signal and with
/// threads of their own, and then ends as the event says.
const LEAVER: &str = "\
import ctypes, os, signal, sys, threading, time
def stay():
    for n in range(1, 64):
        try: signal.signal(n, signal.SIG_IGN)
        except (OSError, ValueError): pass
    threading.Thread(target=time.sleep, args=(10000,)).start()
    os.write(there, b'.')
    while True: time.sleep(1000)
here, there = os.pipe()
def handler(event, context):
    if event == 'fine': return os.getpid()
    for _ in range(3):
        if os.fork() == 0:
            if os.fork() == 0: stay()
            if os.fork() == 0:
                if os.fork() == 0: stay()
                os._exit(0)
            stay()
    threading.Thread(target=time.sleep, args=(10000,)).start()
    for _ in range(9): os.read(here, 1)
    time.sleep(0.5)
    if event == 'exit': os._exit(3)
    if event == 'crash': ctypes.string_at(0)
    while True: pass
";

#[track_caller]
fn ends_with_its_worker(event: &str) {
    let project = Project::sequence(&[("leaver", LEAVER)]);
    project.append(&format!("timeout = {}\n", deadline(2)));
    let mut session = Session::start(project.arg(), &["--lanes", "1"]);
    session.output(&json!("fine"));
    let front = session.front();
    // Spawner, lane, tiny init, zygote, worker.
    let before = descendants(front).len();
    assert_eq!(before, 5, "{:?}", session.family());
    let mut most = 0;
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| session.ask(&json!(event)));
        while !asked.is_finished() {
            most = most.max(descendants(front).len());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let report = asked.join().unwrap();
        assert_eq!(report["status"], "failed", "{report}");
    });
    assert!(
        most >= before + 9,
        "control: only {most} processes were seen"
    );
    assert!(
        eventually(|| descendants(front).len() < before),
        "what the worker started lives on: {:?}",
        descendants(front)
    );
    session.output(&json!("fine"));
    assert_eq!(session.end(), Some(1));
}

#[test]
fn everything_that_a_worker_started_ends_with_its_exit() {
    ends_with_its_worker("exit");
}

#[test]
fn everything_that_a_worker_started_ends_with_its_crash() {
    ends_with_its_worker("crash");
}

#[test]
fn everything_that_a_worker_started_ends_with_its_deadline() {
    ends_with_its_worker("loop");
}
