//! Datagrams to sockets of the host that have a path: /dev/log and its like.
//!
//! Attacker: a function. Victim: a datagram socket that everybody may write to.

use keylane_tests::project::Project;
use keylane_tests::{PYTHON, run};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

const ATTACK: &str = include_str!("attacks/datagram.py");

struct Victim {
    folder: Project,
    socket: UnixDatagram,
}

impl Victim {
    fn new() -> Victim {
        let folder = Project::empty();
        let path = folder.path().join("log");
        let socket = UnixDatagram::bind(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_millis(200)))
            .unwrap();
        Victim { folder, socket }
    }

    fn path(&self) -> String {
        format!("{}/log", self.folder.arg())
    }

    fn heard(&self) -> bool {
        self.socket.recv(&mut [0; 64]).is_ok()
    }
}

#[test]
fn a_function_writes_to_no_socket_of_the_host() {
    let victim = Victim::new();
    let project = Project::sequence(&[("culprit", ATTACK)]);
    let input = format!("{:?}", victim.path());
    let said = run(["run", project.arg(), "-q", "--input", &input]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(
        !victim.heard(),
        "a function wrote to a socket of the host: {}",
        said.out
    );
    let tries: Value = said.json();
    for (how, end) in tries.as_object().unwrap() {
        assert_ne!(end, "sent", "a function can {how}");
    }
}

#[test]
fn control_outside_the_jail_the_same_attack_reaches_the_socket() {
    let victim = Victim::new();
    let project = Project::sequence(&[("culprit", ATTACK)]);
    let output = Command::new(PYTHON)
        .arg(project.path().join("functions/culprit/culprit.py"))
        .arg(victim.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(victim.heard(), "the attack shows nothing: {output:?}");
}
