//! Every row of the table, and every number without a row, tried with real calls from inside a jail.
//!
//! The expectation comes from the table (`rules.rs`), the outcome from the kernel that runs the
//! filter. EPERM stands for a refusal. What passing does not show: that a refusal is the
//! filter's where the kernel, too, would refuse. The lane's column is tried in `lane.rs`.

use crate::rules::{Arguments, FULL, Host, Verdict, combinations, verdict};
use keylane_policy::syscall::Role;
use keylane_policy::syscall::table::TABLE;
use keylane_tests::project::Project;
use keylane_tests::{PYTHON, doctor, finish_with, has_private_root, keylane};
use serde_json::{Value, json};
use std::process::{Command, Stdio};

const PROBE: &str = include_str!("probe.py");
/// Beyond the newest call of Linux 6.18 (`file_setattr`, 469).
pub(crate) const LAST: u32 = 480;

/// Calls for which the kernel asks no filter: what its own uprobe trampolines are made of. Anywhere
/// else they end the caller (uretprobe, before Linux 6.18 or so an error) or fail with ENXIO (uprobe).
pub(crate) const BY_THE_KERNEL: [u32; 2] = [335, 336];

pub(crate) type Trial = (u32, Arguments);

fn outcomes(said: &Value, count: usize) -> Vec<String> {
    let all: Vec<String> = serde_json::from_value(said.clone()).unwrap();
    assert_eq!(all.len(), count);
    all
}

/// Makes the calls as a function, in a jail.
fn inside(trials: &[Trial], policy: Option<&str>) -> Vec<String> {
    let project = Project::sequence(&[("probe", PROBE)]);
    project.append("timeout = 6000\n");
    let mut command = keylane(["run", project.arg(), "-q", "--lanes", "1", "--input", "-"]);
    if let Some(policy) = policy {
        project.append("ports = [443]\n");
        project.write("policy.toml", policy);
        command
            .arg("--policy")
            .arg(project.path().join("policy.toml"));
    }
    let said = finish_with(&mut command, json!(trials).to_string().as_bytes());
    said.expect_code(0);
    outcomes(&said.json(), trials.len())
}

/// Makes the calls in an ordinary process.
fn outside(trials: &[Trial]) -> Vec<String> {
    let mut command = Command::new(PYTHON);
    command
        .args(["-I", "-c", PROBE])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let said = finish_with(&mut command, json!(trials).to_string().as_bytes());
    outcomes(&said.json(), trials.len())
}

/// The Landlock ABI of this kernel (landlock_create_ruleset(2) with VERSION).
pub(crate) fn landlock_abi() -> u32 {
    let asked = "import ctypes; print(ctypes.CDLL(None).syscall(444, None, 0, 1))";
    let output = Command::new(PYTHON)
        .args(["-I", "-c", asked])
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout)
        .trim()
        .parse()
        .expect("an ABI version")
}

pub(crate) fn name(number: u32) -> &'static str {
    TABLE
        .iter()
        .find(|row| u32::from(row.number) == number)
        .map_or("(no row)", |row| row.name)
}

/// Whether a container's filter refuses the call before ours is asked. The calls that this is asked
/// for change nothing: a function may make them.
fn refused_by_the_host((number, arguments): &Trial) -> bool {
    name(*number) == "unshare" && outside(&[(*number, *arguments)]) == ["EPERM"]
}

/// Tries all of `trials` inside and compares each with the table's word.
#[track_caller]
fn expect_as_the_table_says(trials: &[Trial]) {
    expect_inside(trials, None);
}

/// As [`expect_as_the_table_says`], with the network where there is a `policy` that gives it.
#[track_caller]
pub(crate) fn expect_inside(trials: &[Trial], policy: Option<&str>) {
    let host = Host {
        landlock_abi: landlock_abi(),
        writes: has_private_root(),
        network: policy.is_some(),
        counted: doctor("cgroups") == "ok",
    };
    let mut wrong = Vec::new();
    for (trial, outcome) in trials.iter().zip(inside(trials, policy)) {
        let (number, arguments) = trial;
        let right = match verdict(*number, arguments, host) {
            Verdict::Pass => outcome != "EPERM" || refused_by_the_host(trial),
            Verdict::Fail(1) if BY_THE_KERNEL.contains(number) => {
                ["EPERM", "ENXIO", "ended"].contains(&&*outcome)
            }
            Verdict::Fail(1) => outcome == "EPERM",
            Verdict::Fail(0) => outcome == "works",
            Verdict::Fail(38) => outcome == "ENOSYS",
            Verdict::Fail(other) => panic!("an answer {other} that this test does not know"),
        };
        if !right {
            let wanted = verdict(*number, arguments, host);
            wrong.push(format!(
                "{} ({number}) with {arguments:x?}: the table says {wanted:?}, the kernel {outcome}",
                name(*number)
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} differ: {wrong:#?}",
        wrong.len(),
        trials.len()
    );
}

/// Arguments with which a call that would wait for ever fails instead.
pub(crate) fn impatient(name: &str) -> Arguments {
    match name {
        // A negative count of descriptors is EINVAL.
        "select" | "pselect6" => [u64::MAX, 0, 0, 0, 0, 0],
        // One descriptor at address 0 is EFAULT.
        "ppoll" => [0, 1, 0, 0, 0, 0],
        _ => [0; 6],
    }
}

#[test]
fn every_row_without_conditions_is_passed_to_the_kernel() {
    let trials: Vec<Trial> = TABLE
        .iter()
        .filter(|row| row.rule(Role::Instance).is_some())
        .map(|row| (row.number.into(), impatient(row.name)))
        .filter(|(number, arguments)| verdict(*number, arguments, FULL) == Verdict::Pass)
        .collect();
    assert!(trials.len() > 80, "{} rows only", trials.len());
    expect_as_the_table_says(&trials);
}

#[test]
fn every_condition_of_every_row_decides_as_the_table_says_met_and_missed() {
    let trials: Vec<Trial> = TABLE
        .iter()
        .filter(|row| row.rule(Role::Instance).is_some())
        .flat_map(|row| {
            combinations(row)
                .into_iter()
                .map(|all| (row.number.into(), all))
        })
        .filter(|(_, arguments)| arguments.iter().any(|value| *value != 0))
        .collect();
    assert!(trials.len() > 300, "{} trials only", trials.len());
    expect_as_the_table_says(&trials);
}

#[test]
fn every_number_without_a_row_is_refused() {
    let mut trials: Vec<Trial> = (0..=LAST)
        .chain([500, 511, 512, 547, 1000, 4096, 65_535, 0x7FFF_FFFF])
        .filter(|number| {
            !TABLE
                .iter()
                .any(|row| u32::from(row.number) == *number && row.instance.is_some())
        })
        .map(|number| (number, [0; 6]))
        .collect();
    // The x32 form of every call, with a row or without.
    trials.extend((0..=LAST).map(|number| (number | 0x4000_0000, [0; 6])));
    expect_as_the_table_says(&trials);
}

#[test]
fn a_row_that_answers_does_so_whatever_the_arguments() {
    let (clone3, fsync) = (435, 74);
    expect_as_the_table_says(&[
        (clone3, [0; 6]),
        (clone3, [1, 88, 0, 0, 0, 0]),
        (fsync, [0; 6]),
        // No descriptor: the kernel, asked, would say so.
        (fsync, [4000, 0, 0, 0, 0, 0]),
    ]);
}

#[test]
fn outside_the_same_calls_reach_the_kernel() {
    // Queries and no-ops, harmless whoever makes them; none has a row.
    let harmless: [u32; 8] = [
        27,  // mincore
        121, // getpgid
        124, // getsid
        137, // statfs
        138, // fstatfs
        140, // getpriority
        145, // sched_getscheduler
        441, // epoll_pwait2
    ];
    let trials: Vec<Trial> = harmless.map(|number| (number, [0; 6])).to_vec();
    for (number, outcome) in harmless.iter().zip(outside(&trials)) {
        assert_ne!(
            outcome, "EPERM",
            "{number} is refused outside too: the trials show nothing"
        );
    }
    for outcome in inside(&trials, None) {
        assert_eq!(outcome, "EPERM");
    }
}
