//! The walls as the host sees them: every process of a running deployment, in /proc/PID/status.

use keylane_tests::is_root;
use keylane_tests::kept::Kept;
use keylane_tests::leftover::{command_line, status};
use keylane_tests::project::Project;
use std::collections::{BTreeMap, BTreeSet};

const SLEEPER: &str = "import time\ndef handler(event, context):\n    time.sleep(1000)\n";

/// A worker exists only once every lane is deployed and every function is loaded.
fn running() -> (Kept, keylane_tests::leftover::Family, Project) {
    let project = Project::sequence(&[("sleeper", SLEEPER), ("other", SLEEPER)]);
    let kept = Kept::start(&["run", project.arg(), "--lanes", "2"]);
    let family = kept.await_family(|family| !family.workers.is_empty());
    (kept, family, project)
}

#[test]
fn every_lane_zygote_and_worker_is_jailed_as_the_kernel_tells_it() {
    let (_kept, family, _project) = running();
    assert_eq!(
        (family.lanes.len(), family.zygotes.len()),
        (2, 2),
        "{family:?}"
    );
    let jailed = [
        ("lane", &family.lanes),
        ("init", &family.inits),
        ("zygote", &family.zygotes),
        ("worker", &family.workers),
    ];
    let outer: u32 = status(std::process::id())["Seccomp_filters"]
        .parse()
        .unwrap();
    let told_of_denials = keylane_tests::doctor("denied calls") == "ok";
    for (what, pids) in jailed {
        for pid in pids {
            let process = status(*pid);
            for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
                assert_eq!(
                    process[set], "0000000000000000",
                    "a {what} holds capabilities in {set}"
                );
            }
            assert_eq!(process["NoNewPrivs"], "1", "a {what} may gain privileges");
            assert_eq!(process["Seccomp"], "2", "a {what} has no filter");
            // One for each answer that the role's calls get (ENOSYS, success), and the allow-list;
            // where it tells of denials, one more that refuses what handed the listener over. A
            // container may have its own above.
            let own = match what {
                "lane" => 2,
                _ if told_of_denials => 4,
                _ => 3,
            };
            assert_eq!(
                process["Seccomp_filters"],
                (outer + own).to_string(),
                "a {what} lacks one of its {own} filters"
            );
            assert!(
                !process["Uid"].split_whitespace().any(|id| id == "0"),
                "a {what} is root"
            );
            if is_root() {
                assert_eq!(process["Groups"], "", "a {what} keeps root's groups");
                assert_eq!(
                    process["CapBnd"], "0000000000000000",
                    "a {what} of a privileged host keeps a bounding set"
                );
            }
        }
    }
}

#[test]
fn no_lane_and_no_function_shares_a_user_with_another_where_root_can_give_them_out() {
    let (_kept, family, _project) = running();
    let user = |pid: &u32| status(*pid)["Uid"].clone();
    let mut owners: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for lane in &family.lanes {
        owners
            .entry(user(lane))
            .or_default()
            .insert(format!("lane {lane}"));
    }
    for (init, zygote) in family.inits.iter().zip(&family.zygotes) {
        assert_eq!(user(init), user(zygote), "an init and its zygote");
        let tree = command_line(*zygote);
        owners.entry(user(zygote)).or_default().insert(tree);
    }
    if is_root() {
        assert_eq!(owners.len(), 4, "users are shared: {owners:#?}");
    } else {
        // An ordinary user has one user to give; its own, and not root's.
        assert_eq!(owners.len(), 1, "{owners:#?}");
    }
}

#[test]
fn outside_the_same_look_finds_capabilities_or_no_filter() {
    let own = status(std::process::id());
    assert!(
        own["NoNewPrivs"] == "0"
            || own["Seccomp"] == "0"
            || own["CapEff"] != "0000000000000000"
            // What a container's filter is counts as outside: the look above counts on top of it,
            // and outside it is alone.
            || own["Seccomp_filters"].parse::<u32>().is_ok_and(|count| count < 3),
        "this test runs in a jail of its own, so that the look above shows nothing: {own:#?}"
    );
}
