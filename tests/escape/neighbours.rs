//! A function knows the process numbers of everybody else and the paths of their files, and still
//! cannot reach them: other functions' workers and zygotes, lane, spawner, front, also those of another
//! run.

use crate::hostile::Hostile;
use keylane_tests::PYTHON;
use serde_json::{Value, json};
use std::process::{Command, Stdio};

const EVIL: &str = r#"
import ctypes, errno, os
LIBC = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    ctypes.set_errno(0)
    plain = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    answer = LIBC.syscall(ctypes.c_long(number), *plain)
    return errno.errorcode[ctypes.get_errno()] if answer == -1 else "works"
def attempt(action):
    try:
        action()
        return "works"
    except OSError as error:
        return errno.errorcode[error.errno]
def on_process(pid):
    room = ctypes.create_string_buffer(256)
    vector = (ctypes.c_void_p * 2)(ctypes.addressof(room), 8)
    own = pid == os.getpid()
    return {
        "signal it": call(62, pid, 0),
        "signal a thread of it": call(234, pid, pid, 0),
        "queue a signal": call(129, pid, 0, room),
        "open a pidfd": call(434, pid, 0),
        "attach to it": call(101, 0x4206, pid, 0, 0),
        "read its memory": call(310, pid, vector, 1, vector, 1, 0),
        "write its memory": call(311, pid, vector, 1, vector, 1, 0),
        "see its limits": call(302, pid, 7, None, room),
        "see its robust list": call(274, pid, room, room),
        "see its processors": call(204, pid, 128, room),
        "move it": call(203, pid, 128, room),
        "slow it": call(141, 0, pid, 19),
        "schedule it": call(144, pid, 0, room),
        "slow its disk": call(251, 1, pid, 0),
        "compare with it": call(312, os.getpid(), pid, 0, 0, 0),
        "read its clock": call(228, (~pid << 3) | 2, room),
        "own a pipe's signals": call(72, 1, 8, pid),
        "open its memory file": attempt(lambda: open(f"/proc/{pid}/mem", "rb").close()),
        "open its environment": attempt(lambda: open(f"/proc/{pid}/environ", "rb").close()),
        "list its descriptors": attempt(lambda: os.listdir(f"/proc/{pid}/fd")),
        # Its own output, root and namespaces it has anyway.
        "open its output": "EPERM" if own else attempt(lambda: os.close(os.open(f"/proc/{pid}/fd/1", os.O_WRONLY))),
        "look at its memory": attempt(lambda: open(f"/proc/{pid}/maps", "rb").close()),
        "enter its root": "EPERM" if own else attempt(lambda: os.chdir(f"/proc/{pid}/root")),
        "take a descriptor of it": call(438, 0, 1, 0) if call(434, pid, 0) == "works" else "EPERM",
        "enter its namespaces": "EPERM" if own else attempt(lambda: open(f"/proc/{pid}/ns/ipc", "rb").close()),
    }
def handler(event, context):
    if event == "nothing":
        return "nothing"
    files = {}
    for path in event["folders"]:
        files["list " + path] = attempt(lambda: os.listdir(path))
        files["make in " + path] = attempt(lambda: os.mkdir(path + "/x"))
    for path in event["files"]:
        files["read " + path] = attempt(lambda: open(path).close())
        files["write " + path] = attempt(lambda: open(path, "r+").close())
    return {"processes": {str(pid): on_process(pid) for pid in event["pids"]}, "files": files}
if __name__ == "__main__":
    import json, sys
    print(json.dumps(handler(json.load(sys.stdin), None)))
"#;

#[test]
fn no_process_of_the_run_can_be_reached_by_its_number_and_no_file_by_its_path() {
    let mut hostile = Hostile::deploy(EVIL, "");
    hostile.expect_healed();
    let family = hostile.session.family();
    let mut pids = vec![
        hostile.session.front(),
        family.spawner.unwrap(),
        1,
        std::process::id(),
    ];
    for group in [
        &family.lanes,
        &family.inits,
        &family.zygotes,
        &family.workers,
    ] {
        pids.extend(group);
    }
    assert!(pids.len() >= 4 + 1 + 2 + 2 + 2, "{family:?}");
    let tree = hostile.session.tree("neighbour");
    let victim = tree.to_str().unwrap();
    let stage = tree.parent().unwrap().to_str().unwrap();
    let folders = [victim, stage];
    let files = [format!("{victim}/neighbour.py")];
    for path in folders.into_iter().chain([files[0].as_str()]) {
        assert!(
            std::path::Path::new(path).exists(),
            "the attack aims at nothing: {path}"
        );
    }
    let report = hostile.attack(&json!({"pids": pids, "folders": folders, "files": files}));
    assert_eq!(report["status"], "succeeded", "{report}");
    for (pid, tries) in report["output"]["processes"].as_object().unwrap() {
        for (what, how) in tries.as_object().unwrap() {
            // How many processors somebody may use is no secret.
            assert!(
                what == "see its processors"
                    || ["EPERM", "EACCES", "ESRCH", "ENOENT"].contains(&how.as_str().unwrap()),
                "a function could {what}, process {pid}: {how}"
            );
        }
    }
    for (what, how) in report["output"]["files"].as_object().unwrap() {
        let how = how.as_str().unwrap();
        assert!(
            ["EPERM", "EACCES", "ENOENT"].contains(&how),
            "a function could {what}: {how}"
        );
    }
    hostile.expect_unharmed();
}

#[test]
fn no_process_and_no_file_of_another_run_of_the_same_user_can_be_reached() {
    let (mut hostile, mut victim) = (Hostile::deploy(EVIL, ""), Hostile::deploy(EVIL, ""));
    hostile.expect_healed();
    victim.expect_healed();
    let family = victim.session.family();
    let mut pids = vec![victim.session.front(), family.spawner.unwrap()];
    let groups = [family.lanes, family.inits, family.zygotes, family.workers];
    pids.extend(groups.concat());
    assert!(pids.len() >= 2 + 1 + 2 + 2 + 2, "{pids:?}");
    // The same function of the same project, in another run.
    let tree = victim.session.tree("evil");
    let folders = [tree.to_str().unwrap()];
    let files = [format!("{}/evil.py", folders[0])];
    assert!(
        std::path::Path::new(&files[0]).exists(),
        "the attack aims at nothing"
    );
    let report = hostile.attack(&json!({"pids": pids, "folders": folders, "files": files}));
    assert_eq!(report["status"], "succeeded", "{report}");
    let output = &report["output"];
    let tried = output["processes"].as_object().unwrap();
    let tries = tried.values().chain([&output["files"]]);
    for (what, how) in tries.flat_map(|one| one.as_object().unwrap()) {
        assert!(
            what == "see its processors"
                || ["EPERM", "EACCES", "ESRCH", "ENOENT"].contains(&how.as_str().unwrap()),
            "a function could {what} of another run: {how}"
        );
    }
    hostile.expect_unharmed();
    victim.expect_unharmed();
}

#[test]
fn outside_the_same_attacks_reach_their_aim() {
    let mut victim = Command::new("/bin/sleep").arg("1000").spawn().unwrap();
    let here = std::env::temp_dir();
    let input = json!({"pids": [victim.id()], "folders": [here.to_str().unwrap()], "files": ["/etc/hostname"]});
    let mut command = Command::new(PYTHON);
    command
        .args(["-I", "-c", EVIL])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let said = keylane_tests::finish_with(&mut command, input.to_string().as_bytes());
    victim.kill().unwrap();
    victim.wait().unwrap();
    let _ = std::fs::remove_dir(here.join("x"));
    let output: Value = said.json();
    let tries = &output["processes"][victim.id().to_string()];
    for what in [
        "signal it",
        "signal a thread of it",
        "open a pidfd",
        "see its limits",
        "slow it",
        "see its robust list",
        "open its environment",
        "list its descriptors",
        "own a pipe's signals",
        "look at its memory",
        "enter its namespaces",
    ] {
        assert_eq!(tries[what], "works", "{what} fails outside too: {tries}");
    }
    let files = &output["files"];
    assert_eq!(
        files[format!("list {}", here.display())],
        "works",
        "{files}"
    );
}
