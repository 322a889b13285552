//! The walls as code inside sees them: a probe tries what a hostile function would try.
//!
//! Passing does not prove that there is no other way: only that these ways are closed, and that the
//! probe would have noticed an open one (the control).

use keylane_tests::project::Project;
use keylane_tests::{PYTHON, doctor, run};
use serde_json::Value;
use std::process::Command;
use std::sync::OnceLock;

const PROBE: &str = include_str!("probe/probe.py");
const VICTIM: &str = "SECRET = 'not yours'\ndef handler(event, context):\n    return event\n";

// Where the victim's tree lies is a secret of the stage; its name is what can be guessed.
const INPUT: &str = r#"{"others": ["../victim/victim.py", "../../victim/victim.py"]}"#;

fn probe(source: &str, settings: &str) -> Value {
    let project = Project::sequence(&[("victim", VICTIM), ("probe", source)]);
    project.append(settings);
    let said = run(["run", project.arg(), "--json", "--input", INPUT]);
    assert_eq!(said.code, Some(0), "the probe did not run: {}", said.err);
    said.json()["output"].clone()
}

/// What the probe found inside; run once for all tests.
fn inside() -> &'static Value {
    static FOUND: OnceLock<Value> = OnceLock::new();
    FOUND.get_or_init(|| probe(PROBE, ""))
}

/// Checks everything of one look of the probe, from the first byte of the function's code on.
#[track_caller]
fn stands(found: &Value) {
    no_file(found);
    no_call(found);
    nobody(found);
}

#[test]
fn the_whole_jail_stands_before_the_first_byte_of_a_functions_code() {
    // The zygote imports under warm, each worker for itself under fresh-import.
    let source = PROBE.replace("__name__ == \"__main__\"", "False");
    let source = format!(
        "{source}\nFOUND = handler({INPUT}, None)\ndef handler(event, context):\n    return FOUND\n"
    );
    for reuse in ["warm", "fresh-import"] {
        let found = probe(&source, &format!("reuse = \"{reuse}\"\n"));
        stands(&found);
        let open = found["descriptors"].as_array().unwrap();
        // The streams and the socket to the spawner; a worker has its channel and its liveness socket.
        assert!(open.len() <= 6, "{reuse}: {open:?}");
    }
}

/// What the probe found outside, unjailed.
fn outside() -> Value {
    let project = Project::sequence(&[("probe", PROBE)]);
    let output = Command::new(PYTHON)
        .args(["-B", "probe.py"])
        .current_dir(project.path().join("functions/probe"))
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

#[track_caller]
fn no_file(found: &Value) {
    for (what, how) in found["files"].as_object().unwrap() {
        let how = how.as_str().unwrap();
        assert!(
            matches!(how, "EACCES" | "EPERM" | "ENOENT" | "EROFS" | "ENXIO"),
            "a function could {what}: {how}"
        );
    }
}

#[test]
fn no_file_can_be_opened_that_is_not_the_functions_own() {
    no_file(inside());
}

#[track_caller]
fn no_call(found: &Value) {
    for (what, how) in found["calls"].as_object().unwrap() {
        let how = how.as_str().unwrap();
        let wanted = match &**what {
            "clone3" => "ENOSYS",
            // Where a control group counts it, a function may have it.
            "memfd_create" if doctor("cgroups") == "ok" => "works",
            _ => "EPERM",
        };
        assert_eq!(
            how, wanted,
            "a function could try {what:?}, and the kernel looked at it"
        );
    }
}

#[test]
fn every_system_call_that_reaches_beyond_the_process_is_refused() {
    no_call(inside());
}

#[test]
fn the_probe_would_have_noticed_an_open_wall() {
    let outside = outside();
    for what in [
        "read /etc/passwd",
        "list /",
        "list /proc",
        "read /proc/self/status",
        "create in own tree",
        "write own code",
        "write own code in place",
        "make a directory",
        "make a fifo",
    ] {
        assert_eq!(outside["files"][what], "works", "{what}");
    }
    for (what, how) in outside["calls"].as_object().unwrap() {
        assert_ne!(
            how, "EPERM",
            "{what} is refused outside too: the probe shows nothing"
        );
    }
}

#[test]
fn a_function_holds_no_descriptor_but_its_streams_and_its_liveness_socket() {
    let open: Vec<u64> = inside()["descriptors"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_u64)
        .collect();
    assert!(open.starts_with(&[0, 1, 2]), "{open:?}");
    assert!(
        open.len() <= 4,
        "more descriptors than the streams and one socket: {open:?}"
    );
}

#[track_caller]
fn nobody(found: &Value) {
    let identity = &found["identity"];
    assert_ne!(identity["uid"], 0);
    assert_ne!(identity["gid"], 0);
    assert_eq!(identity["no_new_privs"], 1);
    let environment = identity["environment"].as_array().unwrap();
    for name in environment.iter().filter_map(Value::as_str) {
        assert!(
            [
                // The jail's four.
                "HOME",
                "LANG",
                "PATH",
                "TZ", // Set by Python and by the launcher itself.
                "LC_CTYPE",
                "MKL_NUM_THREADS",
                "OMP_NUM_THREADS",
                "OPENBLAS_NUM_THREADS",
            ]
            .contains(&name),
            "{name} of the operator's environment is visible"
        );
    }
}

#[test]
fn a_function_is_nobody_and_can_gain_nothing() {
    nobody(inside());
}
