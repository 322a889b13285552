//! The walls as native code inside sees them: machine code of a tenant that makes its system calls
//! by the instruction itself and asks no library.
//!
//! Passing does not prove that there is no other way: only that these ways are closed to native code
//! as they are to Python, and that the attack would have noticed an open one (the control).

use keylane_tests::native::{ATTACK, ATTACK_OUTSIDE};
use keylane_tests::project::Project;
use keylane_tests::{doctor, run};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

const EPERM: u64 = 1;
const ENOENT: u64 = 2;
const EACCES: u64 = 13;
const EROFS: u64 = 30;

#[test]
fn native_code_reaches_nothing_by_system_calls_of_its_own() {
    let project = Project::native(ATTACK, "keylane_function");
    let said = run(["run", project.arg(), "--json", "--input", "0"]);
    said.expect_code(0);
    let report = said.json();
    let tries = report["output"].as_object().unwrap();
    assert!(tries.len() > 40, "only {} tries were made", tries.len());
    for (what, how) in tries {
        let how = how.as_u64().unwrap();
        let refused = match what.as_str() {
            // Landlock's answers are of two kinds; in a mount namespace there is nothing to find, or
            // nothing that can be written.
            what if what.contains("open")
                || what.contains("own object")
                || what.contains("file")
                || what.contains("parent") && !what.contains("signal") =>
            {
                [EPERM, ENOENT, EACCES, EROFS].contains(&how)
            }
            // Where a control group counts it, memory of this kind is its own.
            "memfd_create" if doctor("cgroups") == "ok" => how == 0,
            _ => how == EPERM,
        };
        assert!(
            refused,
            "native code could try {what:?}: error number {how}"
        );
    }
}

#[test]
fn outside_the_same_code_gets_through() {
    let project = Project::empty();
    project.write_bytes("attack", ATTACK_OUTSIDE);
    let program = project.path().join("attack");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let output = Command::new(program).output().unwrap();
    let tries: Value = serde_json::from_slice(&output.stdout).unwrap();
    for what in [
        "open /etc/passwd",
        "openat /proc/self/status",
        "open /proc/self/mem",
        "open /",
        "tgkill itself with signal 0",
        "memfd_create",
        "socket AF_UNIX",
        "personality",
        "timer_create",
        "inotify_init1",
        "prctl PR_SET_DUMPABLE",
    ] {
        assert_eq!(
            tries[what], 0,
            "{what} fails outside too: the attack shows nothing"
        );
    }
    for (what, how) in tries.as_object().unwrap() {
        assert_ne!(
            *how, EPERM,
            "{what} is refused outside too: the attack shows nothing"
        );
    }
}
