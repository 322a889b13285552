//! Parts of a running deployment are killed by force: the command says so in one line, or goes on,
//! and leaves nothing.

use keylane_tests::Said;
use keylane_tests::kept::{Kept, kill};
use keylane_tests::leftover::{Family, status};
use keylane_tests::project::Project;
use serde_json::json;

/// A function that waits for ever, called by a lane of two; another function beside it.
fn waiting() -> (Project, Kept, Family) {
    let source = "import time\ndef handler(event, context):\n    time.sleep(10000)\n";
    let project = Project::sequence(&[("victim", source), ("other", source)]);
    let kept = Kept::start(&["run", project.arg(), "-q", "--lanes", "2"]);
    let family = kept.await_family(|family| {
        family.workers.len() == 1 && family.zygotes.len() == 2 && family.lanes.len() == 2
    });
    (project, kept, family)
}

/// The number of a lane, by the name that it gives itself.
fn lane(family: &Family, number: &str) -> u32 {
    let named = |pid: &&u32| status(**pid)["Name"] == format!("lane-{number}");
    *family
        .lanes
        .iter()
        .find(named)
        .expect("a lane of that number")
}

#[track_caller]
fn one_line(said: &Said, code: i32, parts: &[&str]) {
    said.expect_code(code);
    let line = said.failure();
    assert_eq!(said.first_line(), line, "{said:#?}");
    for part in parts {
        assert!(
            line.contains(part),
            "the line does not say {part:?}: {line}"
        );
    }
}

#[test]
fn a_killed_spawner_takes_everything_along_and_is_told() {
    let (_project, mut kept, family) = waiting();
    kill(family.spawner.unwrap(), 9);
    one_line(&kept.end(), 70, &["spawner"]);
    kept.expect_nothing_left();
}

#[test]
fn a_killed_lane_that_runs_the_workflow_ends_it_and_is_told() {
    let (_project, mut kept, family) = waiting();
    kill(lane(&family, "0"), 9);
    one_line(&kept.end(), 70, &["lane 0"]);
    kept.expect_nothing_left();
}

#[test]
fn a_killed_zygote_fails_its_function_alone_and_is_told() {
    let (_project, mut kept, family) = waiting();
    let zygote = status(family.workers[0])["PPid"].parse().unwrap();
    kill(zygote, 9);
    one_line(&kept.end(), 1, &["function \"victim\"", "Lambda.Unknown"]);
    kept.expect_nothing_left();
}

#[test]
fn a_killed_init_of_a_function_fails_it_alone_and_is_told() {
    let (_project, mut kept, family) = waiting();
    let zygote: u32 = status(family.workers[0])["PPid"].parse().unwrap();
    let init = status(zygote)["PPid"].parse().unwrap();
    assert!(family.inits.contains(&init), "{family:?}");
    kill(init, 9);
    one_line(&kept.end(), 1, &["function \"victim\"", "Lambda.Unknown"]);
    kept.expect_nothing_left();
}

#[test]
fn a_killed_worker_fails_its_call_and_is_told_with_the_signal() {
    let (_project, mut kept, family) = waiting();
    kill(family.workers[0], 9);
    one_line(
        &kept.end(),
        1,
        &["function \"victim\"", "Lambda.Unknown", "SIGKILL"],
    );
    kept.expect_nothing_left();
}

#[test]
fn a_zygote_that_is_killed_between_two_calls_is_told_at_the_next_one() {
    // The first function kills nothing itself: it waits until the other's zygote is gone.
    let (_project, mut kept, family) = waiting();
    let busy: u32 = status(family.workers[0])["PPid"].parse().unwrap();
    let idle = *family
        .zygotes
        .iter()
        .find(|zygote| **zygote != busy)
        .unwrap();
    kill(idle, 9);
    keylane_tests::eventually(|| !keylane_tests::leftover::lives(idle));
    // The running function goes on: its worker is there, and the command too.
    assert!(keylane_tests::leftover::lives(family.workers[0]));
    kill(kept.pid, 15);
    assert_eq!(kept.end().code, Some(143));
    kept.expect_nothing_left();
}

#[test]
fn a_lane_that_only_helps_is_lost_and_its_branches_run_elsewhere() {
    let definition = json!({"StartAt": "Fan", "States": {"Fan": {"Type": "Map", "End": true,
        "ItemProcessor": {"StartAt": "W",
            "States": {"W": {"Type": "Task", "Resource": "slow", "End": true}}}}}});
    let source = "import time\ndef handler(e, c):\n    time.sleep(0.02)\n    return e + 1\n";
    let project = Project::with(&definition.to_string(), &[("slow", source)]);
    let items: Vec<u32> = (0..200).collect();
    let input = json!(items).to_string();
    let mut kept = Kept::start(&[
        "run",
        project.arg(),
        "-q",
        "--json",
        "--lanes",
        "2",
        "--input",
        &input,
    ]);
    let family = kept.await_family(|family| family.workers.len() == 2);
    kill(lane(&family, "1"), 9);
    let said = kept.end();
    said.expect_code(0);
    let after: Vec<u32> = items.iter().map(|n| n + 1).collect();
    assert_eq!(
        said.json()["output"],
        json!(after),
        "a branch is lost or double"
    );
    kept.expect_nothing_left();
}
