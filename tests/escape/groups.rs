//! The control group of a function: it counts what no limit of a process counts, and it ends with
//! everything in it.
//!
//! Where the host gives none, the tests show that what nobody counts is refused.

use crate::hostile::Hostile;
use keylane_tests::{doctor, eventually, run};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const EVIL: &str = r#"
import os, time
MIB = 1 << 20
def memfds(count):
    kept = []
    for _ in range(count):
        fd = os.memfd_create("x")
        for _ in range(16): os.write(fd, b"x" * MIB)
        kept.append(fd)
    return len(kept)
def files(count):
    with open("/tmp/big", "wb", buffering=0) as file:
        for _ in range(count): file.write(b"x" * MIB)
    return count
def children(count):
    for _ in range(count):
        if os.fork() == 0:
            kept = b"x" * (40 * MIB)
            time.sleep(1000)
    # Until the limit is met, if it is one.
    time.sleep(60)
    return count
def burn(count):
    """How many processors were used, by so many children that compute for two seconds each."""
    for _ in range(count):
        if os.fork() == 0:
            end = time.monotonic() + 2
            while time.monotonic() < end: pass
            os._exit(0)
    for _ in range(count): os.wait()
    used = os.times()
    return (used.children_user + used.children_system) / 2
def handler(event, context):
    if event == "nothing": return "nothing"
    try:
        return [{"memfds": memfds, "files": files, "children": children, "burn": burn}[what](count)
                for what, count in event]
    except OSError as error:
        return type(error).__name__
"#;

const LIMITS: &str = "memory = \"160MiB\"\ntmp = \"96MiB\"\ntimeout = 600\n";

fn counted() -> bool {
    doctor("cgroups") == "ok"
}

#[test]
fn memory_that_no_process_limit_counts_ends_the_function_and_is_told() {
    let attacks = [
        json!([["memfds", 40]]),
        // Neither would be too much alone: /tmp counts, too.
        json!([["files", 90], ["memfds", 12]]),
        json!([["children", 12]]),
    ];
    for attack in attacks {
        if !counted() && attack[0][0] != "memfds" {
            continue;
        }
        let mut hostile = Hostile::deploy(EVIL, LIMITS);
        let report = hostile.attack(&attack);
        if !counted() {
            assert_eq!(
                report["output"], "PermissionError",
                "memfds are not counted"
            );
            continue;
        }
        let error = &report["error"];
        assert_eq!(error["blame"], "function", "{attack}: {report}");
        assert_eq!(error["function"], "evil", "{attack}: {report}");
        assert!(
            error["cause"]
                .as_str()
                .is_some_and(|cause| cause.contains("met its memory limit")),
            "{attack}: {report}"
        );
        hostile.expect_unharmed();
        hostile.expect_healed();
    }
}

#[test]
fn what_is_within_the_limit_is_given() {
    if !counted() {
        return;
    }
    let mut hostile = Hostile::deploy(EVIL, LIMITS);
    let report = hostile.attack(&json!([["memfds", 4], ["files", 60]]));
    assert_eq!(
        report["output"],
        json!([4, 60]),
        "the attacks above show nothing"
    );
}

/// The group of a process on this host, if it is in one of ours.
fn group_of(pid: u32) -> Option<PathBuf> {
    let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    let path = text.lines().find_map(|line| line.strip_prefix("0::"))?;
    path.contains("/keylane-")
        .then(|| Path::new("/sys/fs/cgroup").join(path.trim_start_matches('/')))
}

#[test]
fn a_function_has_a_group_of_its_own_and_nothing_of_it_is_left() {
    let mut hostile = Hostile::deploy(EVIL, LIMITS);
    let _warm = hostile.attack(&json!("nothing"));
    let family = hostile.session.family();
    let groups: Vec<_> = family.workers.iter().map(|pid| group_of(*pid)).collect();
    if !counted() {
        assert!(groups.iter().all(Option::is_none), "{groups:?}");
        return;
    }
    assert_eq!(groups.len(), 2, "{family:?}");
    assert!(groups[0].is_some() && groups[0] != groups[1], "{groups:?}");
    assert_eq!(group_of(family.lanes[0]), None, "a lane is no function's");
    let run = groups[0].as_ref().unwrap().parent().unwrap().to_owned();
    assert!(run.is_dir(), "{}", run.display());
    drop(hostile);
    assert!(eventually(|| !run.exists()), "{} is left", run.display());
}

#[test]
fn the_group_that_a_killed_run_leaves_the_next_run_removes_and_no_living_ones() {
    if !counted() {
        return;
    }
    let group = |hostile: &mut Hostile| {
        let _warm = hostile.attack(&json!("nothing"));
        let family = hostile.session.family();
        let group = group_of(family.workers[0]).unwrap();
        (family.spawner.unwrap(), group.parent().unwrap().to_owned())
    };
    let (mut dead, mut living) = (Hostile::deploy(EVIL, LIMITS), Hostile::deploy(EVIL, LIMITS));
    let (spawner, left) = group(&mut dead);
    let (_, kept) = group(&mut living);
    let killed = Command::new("/bin/kill")
        .args(["-9", &spawner.to_string()])
        .status();
    assert!(killed.unwrap().success());
    // The control: a killed spawner cannot remove it.
    assert!(
        left.is_dir(),
        "{} is not left: the attack shows nothing",
        left.display()
    );
    run(["doctor"]).expect_code(0);
    assert!(eventually(|| {
        run(["doctor"]);
        !left.exists()
    }));
    assert!(kept.is_dir(), "the group of a living run was removed");
    living.expect_unharmed();
    living.expect_healed();
}

/// A group beside the run's, with one sleeping process in it; ended with this value.
struct Beside {
    path: PathBuf,
    sleeper: std::process::Child,
}

impl Beside {
    fn make(parent: &Path, name: &str) -> Beside {
        let path = parent.join(name);
        fs::create_dir(&path).unwrap();
        let sleeper = Command::new("/bin/sleep").arg("1000").spawn().unwrap();
        fs::write(path.join("cgroup.procs"), sleeper.id().to_string()).unwrap();
        Beside { path, sleeper }
    }

    fn lives(&mut self) -> bool {
        self.path.is_dir() && self.sleeper.try_wait().unwrap().is_none()
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ended_already = self.sleeper.kill();
        let _reaped_already = self.sleeper.wait();
        eventually(|| !self.path.exists() || fs::remove_dir(&self.path).is_ok());
    }
}

#[test]
fn a_group_that_is_no_runs_is_left_alone_with_everything_in_it() {
    if !counted() {
        return;
    }
    let mut hostile = Hostile::deploy(EVIL, LIMITS);
    let _warm = hostile.attack(&json!("nothing"));
    let group = group_of(hostile.session.family().workers[0]).unwrap();
    let parent = group.parent().unwrap().parent().unwrap().to_owned();
    let mut spared = [
        "keylane-x.service",
        "keylane-1-0-1",
        "keylane-run,1-0-1.scope",
    ]
    .map(|name| Beside::make(&parent, name));
    // The control: unlocked as they are, and named as a run's.
    let mut dead = Beside::make(&parent, "keylane-run,1-0-1");
    assert!(eventually(|| {
        run(["doctor"]).expect_code(0);
        !dead.lives()
    }));
    for beside in &mut spared {
        assert!(beside.lives(), "{} was ended", beside.path.display());
    }
}

#[test]
fn processors_are_bounded_for_all_processes_of_a_function_together() {
    if doctor("processors") != "ok" {
        return;
    }
    let burn = json!([["burn", 2]]);
    let throttled = |settings: &str| {
        let mut hostile = Hostile::deploy(EVIL, settings);
        let _warm = hostile.attack(&json!("nothing"));
        let groups: Vec<_> = hostile.session.family().workers;
        let groups: Vec<_> = groups
            .into_iter()
            .map(|pid| group_of(pid).unwrap())
            .collect();
        let report = hostile.attack(&burn);
        let share = report["output"][0].as_f64();
        let periods = |group: &PathBuf| {
            let text = fs::read_to_string(group.join("cpu.stat")).unwrap();
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix("nr_throttled "));
            line.unwrap().parse::<u64>().unwrap()
        };
        let most = groups.iter().map(periods).max().unwrap();
        hostile.expect_unharmed();
        (share.unwrap_or_else(|| panic!("{report}")), most)
    };
    let (share, periods) = throttled(&format!("{LIMITS}cpu = 20\n"));
    assert!(periods > 0, "it never waited for its share");
    // A group may run on for a slice on each processor before it waits.
    assert!(share < 0.4, "{share} processors were used");
    // The control: without a bound it does not wait.
    assert_eq!(throttled(LIMITS).1, 0);
}

#[test]
fn a_functions_group_has_the_bounds_that_its_limits_say() {
    if !counted() {
        return;
    }
    let settings = format!("{LIMITS}processes = 23\ncpu = 40\n");
    let mut hostile = Hostile::deploy(EVIL, &settings);
    let _warm = hostile.attack(&json!("nothing"));
    let groups = hostile.session.family().workers.into_iter();
    let groups: Vec<_> = groups.map(|pid| group_of(pid).unwrap()).collect();
    let says = |group: &PathBuf, file: &str| fs::read_to_string(group.join(file)).unwrap();
    let of_evil = groups
        .iter()
        .find(|group| says(group, "pids.max") == "23\n");
    let group = of_evil.expect("no group with the function's processes");
    let room: u64 = says(group, "memory.max").trim().parse().unwrap();
    assert!((256 << 20..512 << 20).contains(&room), "{room} bytes");
    assert_eq!(says(group, "memory.oom.group"), "1\n");
    if doctor("processors") == "ok" {
        let bounds: Vec<_> = groups.iter().map(|group| says(group, "cpu.max")).collect();
        let of_both = ["40000 100000\n", "max 100000\n"];
        assert!(
            of_both.iter().all(|one| bounds.iter().any(|b| b == one)),
            "{bounds:?}"
        );
        assert_eq!(says(group, "cpu.max"), of_both[0]);
        assert!(
            groups
                .iter()
                .all(|group| says(group, "cpu.weight") == "100\n")
        );
    }
    // A kernel without swap has no such file.
    if group.join("memory.swap.max").exists() {
        assert_eq!(says(group, "memory.swap.max"), "0\n");
    }
}
