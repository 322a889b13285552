//! The walls as the host sees them: every process of a running deployment, in /proc/PID/status.

use keylane_tests::leftover::descendants;
use keylane_tests::project::Project;
use keylane_tests::{eventually, keylane};
use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

const SLEEPER: &str = "import time\ndef handler(event, context):\n    time.sleep(30)\n";

/// The fields of /proc/PID/status (proc(5)).
fn status(pid: u32) -> BTreeMap<String, String> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect()
}

#[test]
fn every_lane_zygote_and_worker_is_jailed_as_the_kernel_tells_it() {
    let project = Project::sequence(&[("sleeper", SLEEPER)]);
    let mut child =
        keylane(["run", project.path().to_str().unwrap(), "--lanes", "2"]).spawn().unwrap();
    // Spawner, two lanes, a tiny init, a zygote, and the worker that sleeps.
    let all = || descendants(child.id());
    let complete = eventually(Duration::from_secs(30), || all().len() >= 6);
    let jailed: Vec<_> = all()
        .into_iter()
        .map(status)
        .filter(|s| s.get("Name").is_some_and(|name| !name.contains("spawner") && name != "keylane"))
        .filter(|s| s.get("Name").is_some_and(|name| name.parse::<u32>().is_err()))
        .collect();
    let root = status(std::process::id())["Uid"].starts_with('0');
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(complete, "the deployment has fewer processes than expected: {jailed:?}");
    assert!(jailed.len() >= 5, "{jailed:?}");
    let mut users = BTreeMap::new();
    for process in &jailed {
        let name = &process["Name"];
        for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
            assert_eq!(process[set], "0000000000000000", "{name} holds capabilities in {set}");
        }
        assert_eq!(process["NoNewPrivs"], "1", "{name}");
        assert_eq!(process["Seccomp"], "2", "{name} has no filter");
        assert_eq!(process["Seccomp_filters"], "2", "{name}");
        assert!(!process["Uid"].split_whitespace().any(|id| id == "0"), "{name} is root");
        if root {
            assert_eq!(process["Groups"], "", "{name} keeps root's groups");
            let owners: &mut Vec<_> = users.entry(process["Uid"].clone()).or_default();
            if !owners.contains(name) {
                owners.push(name.clone());
            }
        }
    }
    for (user, names) in users {
        // A tiny init, its zygote and workers are one function; two lanes, or a lane and a
        // function, never share a user.
        assert!(
            names.len() == 1 || names.iter().all(|name| !name.starts_with("lane-")),
            "{names:?} share user {user}"
        );
    }
}
