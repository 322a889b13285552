//! The root of its own: no path of the host leads anywhere, nobody else's `/tmp` is there, and what
//! can be read cannot be written.
//!
//! Where the host allows no mounts, each test shows what holds instead, which Landlock does alone.

use keylane_tests::project::Project;
use keylane_tests::session::Session;
use keylane_tests::{doctor, has_private_root, is_root, leftover, run};
use serde_json::{Value, json};
use std::fs;

const EVIL: &str = r#"
import errno, os
def attempt(action):
    try:
        action()
        return "works"
    except OSError as error:
        return errno.errorcode[error.errno]
def handler(event, context):
    return {path: [attempt(lambda: os.stat(path)), attempt(lambda: open(path, "rb").close())]
            for path in event}
"#;

/// Leaves its event in /tmp, and tells what is there besides.
const WRITER: &str = r#"
import os
def handler(event, context):
    try:
        before = sorted(os.listdir("/tmp"))
        with open("/tmp/" + event, "x") as file: file.write(event)
        return before
    except OSError as error:
        return type(error).__name__
"#;

#[test]
fn no_path_of_the_host_leads_anywhere() {
    let project = Project::sequence(&[("evil", EVIL)]);
    // Everybody on the host may read this file and see these folders.
    project.write("marker", "on the host");
    let marker = project.path().join("marker");
    let paths = [
        marker.to_str().unwrap(),
        project.arg(),
        "/proc/self/status",
        "/proc/self/root/etc/passwd",
        "/proc/1/root",
        "/sys/kernel",
        "/dev/tty",
        "/dev/shm",
        "/dev/pts",
        "/etc/passwd",
        "/usr/bin/python3.11",
        "/var/log",
        "/home",
        "/run",
        "/../etc/passwd",
        "/function/../etc/passwd",
        "../etc/passwd",
    ];
    let mut session = Session::start(project.arg(), &["--lanes", "1"]);
    let outcome = session.output(&json!(paths));
    for path in paths {
        let [stat, open] = [&outcome[path][0], &outcome[path][1]];
        assert_ne!(open, "works", "a function opened {path}");
        if has_private_root() {
            assert_eq!(stat, "ENOENT", "a function sees that {path} exists");
            assert_eq!(open, "ENOENT", "a function sees that {path} exists");
        }
    }
    // The control: here they are.
    for path in &paths[..11] {
        assert!(
            fs::symlink_metadata(path).is_ok(),
            "{path} is not here either"
        );
    }
}

#[test]
fn what_a_function_leaves_in_its_tmp_no_other_function_and_no_host_sees() {
    let project = Project::sequence(&[("first", WRITER), ("second", WRITER)]);
    let definition = json!({
        "StartAt": "A",
        "States": {
            "A": {"Type": "Task", "Resource": "first", "InputPath": "$.a", "ResultPath": "$.A", "Next": "B"},
            "B": {"Type": "Task", "Resource": "second", "InputPath": "$.b", "ResultPath": "$.B", "Next": "C"},
            "C": {"Type": "Task", "Resource": "first", "InputPath": "$.c", "ResultPath": "$.C", "End": true}
        }
    });
    project.write("workflow.asl.json", &definition.to_string());
    let mark = format!("klt-secret-{}", std::process::id());
    let mut session = Session::start(project.arg(), &["--lanes", "1"]);
    let names = ["a", "b", "c"].map(|name| format!("{mark}-{name}"));
    let output = session.output(&json!({"a": names[0], "b": names[1], "c": names[2]}));
    let seen_by_host = leftover::names(&std::env::temp_dir())
        .into_iter()
        .chain(leftover::names(std::path::Path::new("/tmp")))
        .any(|name| name.contains(&mark));
    assert!(!seen_by_host, "a function wrote on the host");
    if has_private_root() {
        assert_eq!(output["A"], json!([]), "the first /tmp was not empty");
        assert_eq!(output["B"], json!([]), "a function sees another's /tmp");
        // The control: the look would have found a file that is there.
        assert_eq!(output["C"], json!([names[0]]));
    } else {
        for state in ["A", "B", "C"] {
            assert_eq!(output[state], "PermissionError", "a /tmp without mounts");
        }
    }
    drop(session);
    // Another deployment of the same project begins with nothing.
    let said = run([
        "run",
        project.arg(),
        "--json",
        "-q",
        "--input",
        &output_input(&names),
    ]);
    if has_private_root() {
        assert_eq!(said.json()["output"]["A"], json!([]));
    }
}

fn output_input(names: &[String; 3]) -> String {
    json!({"a": names[0], "b": names[1], "c": names[2]}).to_string()
}

/// Mount point, options and file system of every mount that a process has.
fn mounts_of(pid: u32) -> Vec<(String, String, String)> {
    let text = fs::read_to_string(format!("/proc/{pid}/mountinfo")).unwrap();
    text.lines()
        .map(|line| {
            let (front, back) = line.split_once(" - ").unwrap();
            let fields: Vec<&str> = front.split(' ').collect();
            let kind = back.split(' ').next().unwrap();
            (fields[4].to_owned(), fields[5].to_owned(), kind.to_owned())
        })
        .collect()
}

#[test]
fn every_mount_but_tmp_is_read_only_and_nothing_of_the_old_root_is_left() {
    // What others are allowed to see of an undumpable process, root alone sees.
    if !has_private_root() || !is_root() {
        assert!(["ok", "substituted"].contains(&&*doctor("mounts")));
        return;
    }
    let project = Project::sequence(&[("evil", EVIL)]);
    let mut session = Session::start(project.arg(), &["--lanes", "1"]);
    let _warm: Value = session.output(&json!([]));
    let family = session.family();
    // An initramfs stays below a root, where nothing leads to it.
    let visible = |pid| {
        let mut mounts = mounts_of(pid);
        mounts.retain(|(_, _, kind)| kind != "rootfs");
        mounts
    };
    let lane = visible(family.lanes[0]);
    assert_eq!(lane.len(), 1, "{lane:?}");
    assert_eq!((&*lane[0].0, &*lane[0].2), ("/", "tmpfs"));
    assert!(
        lane[0].1.split(',').any(|option| option == "ro"),
        "{lane:?}"
    );
    for pid in [family.inits[0], family.zygotes[0], family.workers[0]] {
        let mounts = visible(pid);
        assert!(
            mounts.iter().any(|(at, _, _)| at == "/function"),
            "{mounts:?}"
        );
        for (at, options, kind) in &mounts {
            let has = |wanted: &str| options.split(',').any(|option| option == wanted);
            assert!(has("nosuid"), "{at}: {options}");
            assert!(has("nodev") || at.starts_with("/dev/"), "{at}: {options}");
            if at == "/tmp" {
                assert!(has("noexec") && kind == "tmpfs", "{at}: {options}");
            } else {
                assert!(has("ro"), "{at} can be written: {options}");
            }
            assert!(
                !["proc", "sysfs", "cgroup", "cgroup2", "devpts"].contains(&&**kind),
                "{at} is {kind}"
            );
        }
    }
    // The control: this process has mounts that can be written.
    assert!(
        mounts_of(std::process::id())
            .iter()
            .any(|(_, options, _)| options.starts_with("rw"))
    );
}
