//! The network: who has none, and what who has one reaches.
//!
//! Attacker: a function. Victim: listeners of this host, which the tests open on 127.0.0.1: as near as a
//! function could ever get, since nothing but ports is told apart.
//! What passing does not show: what kernels do whose Landlock knows no ports (there a policy has to say
//! that every port is meant; `a_network_without_ports_is_refused_by_the_jail` is their unit test).

use keylane_tests::project::Project;
use keylane_tests::{PYTHON, Said, run};
use serde_json::{Value, json};
use std::net::{TcpListener, UdpSocket};
use std::process::Command;

const ATTACK: &str = include_str!("attacks/network.py");

struct Victims {
    named: TcpListener,
    other: TcpListener,
    datagrams: UdpSocket,
}

impl Victims {
    fn new() -> Victims {
        let listen = || TcpListener::bind("127.0.0.1:0").unwrap();
        let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
        datagrams.set_nonblocking(true).unwrap();
        let (named, other) = (listen(), listen());
        named.set_nonblocking(true).unwrap();
        other.set_nonblocking(true).unwrap();
        Victims {
            named,
            other,
            datagrams,
        }
    }

    fn input(&self) -> Value {
        let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
        json!({"named": port(&self.named), "other": port(&self.other),
               "udp": self.datagrams.local_addr().unwrap().port()})
    }

    /// The attack as a function: with a network for the named port, or with all other groups.
    fn attack(&self, network: bool) -> Said {
        let project = Project::sequence(&[("culprit", ATTACK)]);
        let port = &self.input()["named"];
        if network {
            project.append(&format!("profile = \"network\"\nports = [{port}]\n"));
        }
        project.write(
            "policy.toml",
            &format!(
                "profiles = [\"python\", \"network\"]\n[network]\nports = [{port}]\n\
                 addresses = \"any\"\n"
            ),
        );
        let policy = project.path().join("policy.toml");
        run([
            "run",
            project.arg(),
            "-q",
            "--policy",
            policy.to_str().unwrap(),
            "--input",
            &self.input().to_string(),
        ])
    }

    fn reached(listener: &TcpListener) -> bool {
        listener.accept().is_ok()
    }
}

/// Whether this kernel's Landlock knows ports.
fn ports_are_known() -> bool {
    let asked = "import ctypes; print(ctypes.CDLL(None).syscall(444, None, 0, 1))";
    let output = Command::new(PYTHON)
        .args(["-I", "-c", asked])
        .output()
        .unwrap();
    let abi: i64 = String::from_utf8_lossy(&output.stdout)
        .trim()
        .parse()
        .unwrap();
    abi >= 4
}

#[test]
fn a_function_without_the_network_has_no_socket_at_all() {
    let victims = Victims::new();
    let said = victims.attack(false);
    said.expect_code(0);
    let tries = said.json();
    for (what, how) in tries.as_object().unwrap() {
        assert_eq!(how, "EPERM", "a function without a network could {what}");
    }
    assert!(tries.as_object().unwrap().len() > 20, "{tries}");
    assert!(
        !Victims::reached(&victims.named) && !Victims::reached(&victims.other),
        "a function without a network reached the host: {tries}"
    );
}

#[test]
fn a_function_with_the_network_reaches_the_named_port_and_nothing_else() {
    let victims = Victims::new();
    let said = victims.attack(true);
    if !ports_are_known() {
        said.expect_code(3);
        assert!(said.err.contains("knows no ports"), "{said:#?}");
        return;
    }
    said.expect_code(0);
    let tries = said.json();
    for (what, how) in tries.as_object().unwrap() {
        let how = how.as_str().unwrap();
        // The positive control: the same code, where it may.
        let open = [
            "connect to the named port",
            "send to the named port",
            "set TCP_NODELAY",
        ];
        if open.contains(&what.as_str()) {
            assert_eq!(how, "works", "control: {what}: {tries:#}");
        } else if what.starts_with("pair:") {
            // Connected already: the kernel says so whatever the address is.
            assert!(
                [
                    "EISCONN",
                    "EINVAL",
                    "ECONNREFUSED",
                    "ENOENT",
                    "EACCES",
                    "EPERM"
                ]
                .contains(&how),
                "{what}: {how}"
            );
        } else {
            assert!(
                ["EPERM", "EACCES"].contains(&how),
                "a function with a network could {what}: {how}"
            );
        }
    }
    assert!(Victims::reached(&victims.named), "control: {tries:#}");
    assert!(
        !Victims::reached(&victims.other),
        "a port that nobody named was reached: {tries:#}"
    );
    assert!(
        victims.datagrams.recv(&mut [0; 8]).is_err(),
        "a datagram came through: {tries:#}"
    );
}

#[test]
fn control_outside_the_jail_the_same_attack_reaches_everything() {
    let victims = Victims::new();
    let project = Project::sequence(&[("culprit", ATTACK)]);
    let output = Command::new(PYTHON)
        .arg(project.path().join("functions/culprit/culprit.py"))
        .arg(victims.input().to_string())
        .output()
        .unwrap();
    let tries: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    for what in [
        "connect to the named port",
        "connect to the other port",
        "connect again after a disconnect",
        "open a UDP socket",
        "open a netlink socket",
        "open a unix socket",
        "bind a port",
        "listen without bind",
    ] {
        assert_eq!(tries[what], "works", "the attack shows nothing: {tries:#}");
    }
    assert!(Victims::reached(&victims.other), "{tries:#}");
    assert!(victims.datagrams.recv(&mut [0; 8]).is_ok(), "{tries:#}");
}

#[test]
fn without_the_operators_word_nobody_has_a_network() {
    let project = Project::sequence(&[("f", "def handler(e, c):\n    return 1\n")]);
    project.append("profile = \"network\"\nports = [443]\n");
    let said = run(["run", project.arg()]);
    said.expect_code(2);
    assert!(said.err.contains("not granted"), "{said:#?}");
}
