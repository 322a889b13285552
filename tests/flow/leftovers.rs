//! What a command leaves behind when it is told to end, or is killed, at any moment: nothing.

use keylane_tests::kept::{Kept, kill};
use keylane_tests::project::Project;
use keylane_tests::{finish, keylane, leftover};
use serde_json::json;

/// A command in one of the moments at which it may be ended.
struct Moment {
    name: &'static str,
    kept: Kept,
    _project: Project,
}

/// While a function is loading: its import never ends.
fn loading() -> Moment {
    let source = "import time\ntime.sleep(10000)\ndef handler(e, c): return 1\n";
    let project = Project::sequence(&[("slow", source)]);
    let kept = Kept::start(&["run", project.arg(), "-q", "--lanes", "2"]);
    kept.await_family(|family| !family.zygotes.is_empty() && family.lanes.len() == 2);
    Moment {
        name: "loading",
        kept,
        _project: project,
    }
}

/// While a function loops, with children and threads of its own.
fn looping() -> Moment {
    let source = "\
import os, threading, time
def handler(event, context):
    threading.Thread(target=time.sleep, args=(10000,)).start()
    for _ in range(3):
        if os.fork() == 0:
            while True: time.sleep(1)
    while True: pass
";
    let project = Project::sequence(&[("loop", source)]);
    let kept = Kept::start(&["run", project.arg(), "-q", "--lanes", "2"]);
    kept.await_family(|family| {
        family
            .workers
            .iter()
            .any(|worker| leftover::children(*worker).len() == 3)
    });
    Moment {
        name: "looping",
        kept,
        _project: project,
    }
}

/// A Map of many slow items.
fn slow_map() -> Project {
    let definition = json!({"StartAt": "Fan", "States": {"Fan": {"Type": "Map", "End": true,
        "ItemProcessor": {"StartAt": "W",
            "States": {"W": {"Type": "Task", "Resource": "slow", "End": true}}}}}});
    let source = "import time\ndef handler(e, c):\n    time.sleep(0.05)\n    return e\n";
    Project::with(&definition.to_string(), &[("slow", source)])
}

/// While a Map is spread over two lanes.
fn spread() -> Moment {
    let project = slow_map();
    let items: Vec<u32> = (0..20_000).collect();
    let input = json!(items).to_string();
    project.write("items.json", &input);
    let input = format!("@{}/items.json", project.arg());
    let kept = Kept::start(&[
        "run",
        project.arg(),
        "-q",
        "--lanes",
        "2",
        "--input",
        &input,
    ]);
    kept.await_family(|family| family.workers.len() == 2);
    Moment {
        name: "spread",
        kept,
        _project: project,
    }
}

/// Sends `signal` at each moment; the command must end with `code` (or by the signal) and leave
/// nothing.
#[track_caller]
fn ends_clean(signal: i32, code: Option<i32>) {
    for moment in [loading, looping, spread] {
        let Moment {
            name,
            mut kept,
            _project,
        } = moment();
        kill(kept.pid, signal);
        let said = kept.end();
        match code {
            Some(code) => assert_eq!(said.code, Some(code), "while {name}: {said:#?}"),
            None => assert_eq!(said.signal, Some(signal), "while {name}: {said:#?}"),
        }
        assert!(said.err.lines().count() <= 1, "while {name}: {said:#?}");
        kept.expect_nothing_left();
    }
}

#[test]
fn an_interrupted_command_leaves_nothing_at_any_moment() {
    ends_clean(2, Some(130));
}

#[test]
fn a_terminated_command_leaves_nothing_at_any_moment() {
    ends_clean(15, Some(143));
}

#[test]
fn a_command_whose_terminal_is_gone_leaves_nothing_at_any_moment() {
    ends_clean(1, Some(129));
}

#[test]
fn a_killed_command_leaves_nothing_at_any_moment() {
    ends_clean(9, None);
}

#[test]
fn an_interrupted_command_says_by_what_it_was_ended() {
    let source = "def handler(event, context):\n    while True: pass\n";
    let project = Project::sequence(&[("loop", source)]);
    let kept = Kept::start(&["run", project.arg(), "--isolation", "process"]);
    kept.await_family(|family| !family.workers.is_empty());
    kill(kept.pid, 2);
    let said = kept.end();
    assert_eq!(said.code, Some(130));
    assert!(said.err.contains("ended by signal 2"), "{}", said.err);
}

#[test]
fn a_command_that_ends_in_order_leaves_nothing() {
    let source = "\
import os, threading, time
def handler(event, context):
    threading.Thread(target=time.sleep, args=(10000,)).start()
    for _ in range(3):
        if os.fork() == 0:
            while True: time.sleep(1)
    return 'left'
";
    let project = Project::sequence(&[("leaver", source)]);
    let mut kept = Kept::start(&["run", project.arg(), "-q"]);
    let said = kept.end();
    assert_eq!(
        (said.code, said.out.trim()),
        (Some(0), "\"left\""),
        "{said:#?}"
    );
    kept.expect_nothing_left();
}

#[test]
fn a_command_that_is_refused_leaves_nothing() {
    let project = Project::sequence(&[("broken", "1 / 0\n")]);
    let mut kept = Kept::start(&["run", project.arg(), "-q"]);
    assert_eq!(kept.end().code, Some(2));
    kept.expect_nothing_left();
}

#[test]
fn what_a_command_leaves_that_was_killed_with_its_spawner_the_next_run_removes() {
    // Where there is no pid namespace, processes that a function itself started survive this, and
    // only this, end (docs/CAVEATS.md): there nobody is left who knows them.
    let mut moment = looping();
    if !leftover::is_namespaced(moment.kept.family().workers[0]) {
        moment = spread();
    }
    let Moment { mut kept, .. } = moment;
    let family = kept.family();
    // Both stop first, so that neither can clean up after the other.
    for pid in [kept.pid, family.spawner.unwrap()] {
        kill(pid, 19);
    }
    for pid in [kept.pid, family.spawner.unwrap()] {
        kill(pid, 9);
    }
    assert_eq!(kept.end().signal, Some(9));
    kept.expect_no_process();
    assert_ne!(
        leftover::names(&kept.temporary()),
        Vec::<String>::new(),
        "the control shows nothing"
    );
    let project = Project::sequence(&[("f", "def handler(e, c): return 1\n")]);
    let mut command = keylane(["run", project.arg(), "-q"]);
    finish(command.env("TMPDIR", kept.temporary())).expect_code(0);
    kept.expect_nothing_left();
}

#[test]
fn the_keeper_notices_processes_whose_parents_are_gone() {
    let Moment { kept, .. } = looping();
    let family = kept.family();
    // Stopped, the spawner and the front cannot end what they started; killed, they lose it.
    for pid in [kept.pid, family.spawner.unwrap()] {
        kill(pid, 19);
    }
    assert!(kept.left().len() >= 8, "{:?}", kept.left());
    kill(kept.pid, 9);
    assert!(kept.end().signal.is_some());
    assert!(
        kept.left().len() >= 7,
        "the keeper lost orphans: {:?}",
        kept.left()
    );
}
