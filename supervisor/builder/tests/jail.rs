//! Hostile code as a build worker at each job, and the same code without a jail as the control.
//!
//! What passing does not show: that pip or a compiler works in there (`tests/flow/build.rs` does), or what
//! a worker that fetches can reach on the ports that it is given.

#![cfg(test)]
#![forbid(unsafe_code)]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PYTHON: &str = "/usr/bin/python3.11";
const PROGRAM: &str = include_str!("attempt.py");

/// What is within an attacker's reach if nothing stops it.
struct Field {
    root: PathBuf,
    open: TcpListener,
    other: TcpListener,
    marker: String,
}

impl Field {
    fn new(name: &str) -> Field {
        let marker = format!("klb-{}-{name}", std::process::id());
        let root = std::env::temp_dir().join(&marker);
        std::fs::create_dir(&root).unwrap();
        // The jail's user must be able to pass, so that what stops it is the jail.
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(&root, mode).unwrap();
        std::fs::write(root.join("secret"), "secret").unwrap();
        let listen = || TcpListener::bind("127.0.0.1:0").unwrap();
        Field {
            root,
            open: listen(),
            other: listen(),
            marker,
        }
    }

    fn arguments(&self) -> Vec<String> {
        let port = |of: &TcpListener| of.local_addr().unwrap().port().to_string();
        let path = |name: &str| self.root.join(name).to_str().unwrap().to_owned();
        vec![
            path("secret"),
            path("written"),
            port(&self.open),
            port(&self.other),
            self.marker.clone(),
        ]
    }

    fn temporary(&self) -> PathBuf {
        Path::new("/tmp").join(format!("{}-temporary", self.marker))
    }

    /// What each attempt came to: `name worked ...` or `name failed ...`.
    fn told(&self, command: &mut Command) -> String {
        let output = command.env("OPERATORS_SECRET", "x").output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        text
    }

    /// A worker of this job that runs a program in Python for at most so many seconds.
    fn worker(&self, job: &str, seconds: u32, program: &str) -> Command {
        // Cargo builds examples beside the tests: target/PROFILE/examples.
        let tests = std::env::current_exe().unwrap();
        let profile = tests.ancestors().nth(2).unwrap();
        let mut command = Command::new(profile.join("examples/attempt"));
        command
            .arg(job)
            .arg(seconds.to_string())
            .arg(self.root.join("folder"))
            .arg(&self.arguments()[2])
            .arg(program)
            .args(self.arguments());
        command
    }

    fn jailed(&self, job: &str) -> String {
        let mut command = self.worker(job, 120, PROGRAM);
        let told = self.told(&mut command);
        assert!(!lingers(&self.marker), "a process of {job} is left");
        told
    }
}

impl Drop for Field {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

/// Processes whose command line holds the marker, but for this one's children that run attempts.
fn lingers(marker: &str) -> bool {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .any(|line| String::from_utf8_lossy(&line).contains(marker))
}

#[track_caller]
fn expect(told: &str, worked: &[&str], failed: &[&str]) {
    for (names, word) in [(worked, "worked"), (failed, "failed")] {
        for name in names {
            let found = told.contains(&format!("{name} {word}"));
            assert!(found, "{name} should have {word}:\n{told}");
        }
    }
}

/// Whether Landlock knows ports: ABI 4.
fn knows_ports() -> bool {
    keylane_sys::host::landlock_abi().unwrap() >= 4
}

/// What no job may. `/etc/shadow` is not among them: its own mode keeps an ordinary user from it as well.
const NEVER: [&str; 7] = [
    "secret",
    "outside",
    "temporary",
    "unix-socket",
    "listen",
    "fast-open",
    "fast-open-many",
];
/// Ways to a program that makes whoever starts it another user.
const PRIVILEGED: [&str; 5] = [
    "set-user",
    "set-user-open",
    "set-user-at",
    "set-group",
    "set-user-born",
];

#[test]
fn without_a_jail_every_attempt_that_is_denied_here_works() {
    let field = Field::new("control");
    let mut command = Command::new(PYTHON);
    // The one that lingers is left out: nobody would end it.
    let program = PROGRAM.replace("attempt(\"linger\", linger)", "");
    command
        .args(["-I", "-S", "-B", "-c", &program])
        .args(field.arguments())
        .current_dir(&field.root);
    let told = field.told(&mut command);
    let _ = std::fs::remove_file(field.temporary());
    let always = ["secret", "outside", "temporary", "open-port", "other-port"];
    expect(&told, &always, &[]);
    let more = ["unix-socket", "listen", "execute", "execute-own", "mode"];
    expect(&told, &more, &[]);
    expect(&told, &["fast-open", "fast-open-many", "permissions"], &[]);
    expect(&told, &PRIVILEGED, &[]);
    assert!(told.contains("OPERATORS_SECRET"), "{told}");
    assert!(told.contains("0o4777"), "{told}");
}

#[test]
fn what_fetches_reaches_its_ports_and_nothing_else() {
    let field = Field::new("fetch");
    let told = field.jailed("fetch");
    expect(&told, &["own-folder", "open-port"], &NEVER);
    expect(&told, &[], &["execute", "execute-own"]);
    if knows_ports() {
        expect(&told, &[], &["other-port"]);
    }
    assert!(!told.contains("OPERATORS_SECRET"), "{told}");
}

#[test]
fn what_installs_has_no_network_and_starts_nothing() {
    let field = Field::new("install");
    let told = field.jailed("install");
    expect(&told, &["own-folder", "mode"], &NEVER);
    expect(
        &told,
        &[],
        &["open-port", "other-port", "execute", "execute-own"],
    );
    expect(&told, &[], &["set-user-born"]);
    let changed = ["0o4777", "0o4755", "0o2755", "0o711"];
    let changed = changed.iter().any(|mode| told.contains(mode));
    assert!(!changed, "a mode was changed: {told}");
    assert!(!told.contains("OPERATORS_SECRET"), "{told}");
}

#[test]
fn what_compiles_has_no_network_and_executes_only_what_it_is_given() {
    let field = Field::new("compile");
    let told = field.jailed("compile");
    expect(&told, &["own-folder", "permissions", "execute-own"], &NEVER);
    expect(&told, &[], &PRIVILEGED);
    assert!(told.contains("0o711"), "{told}");
    expect(&told, &[], &["open-port", "other-port", "execute"]);
    assert!(!told.contains("OPERATORS_SECRET"), "{told}");
}

#[test]
fn a_worker_that_prints_without_pause_is_ended_at_its_time() {
    let field = Field::new("flood");
    let program = "import os\nwhile True:\n    os.write(1, b'x' * 65536)\n";
    let mut command = field.worker("install", 2, program);
    let mut flood = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    while flood.try_wait().unwrap().is_none() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(20));
    }
    let in_time = flood.try_wait().unwrap().is_some();
    // Its worker ends with it (PR_SET_PDEATHSIG), also where this test fails.
    let _ended_is_fine = flood.kill();
    let output = flood.wait_with_output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(in_time && words.contains("longer than 2 s"), "{words}");
}

#[test]
fn the_jobs_leave_nothing_outside_of_their_folder() {
    for job in ["fetch", "install", "compile"] {
        let field = Field::new(&format!("outside-{job}"));
        let told = field.jailed(job);
        assert!(told.contains("linger worked"), "{told}");
        let names = |path: &Path| std::fs::read_dir(path).unwrap().count();
        // The secret and the worker's folder.
        assert_eq!(names(&field.root), 2, "{told}");
        assert!(!field.temporary().exists());
    }
}
