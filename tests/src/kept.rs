//! A `keylane` command under a keeper, for tests that end it or a part of it by force.
//!
//! The keeper (`keeper.py`) is a subreaper: whatever descends from the command stays below it, so
//! "no process is left" needs no guess about which processes were there. The command has a TMPDIR
//! of its own.

use crate::leftover::{self, Family, command_line, descendants};
use crate::project::Project;
use crate::{PYTHON, Said, eventually, program};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const KEEPER: &str = include_str!("keeper.py");

/// A running command and what is known of it.
#[derive(Debug)]
pub struct Kept {
    keeper: Child,
    folder: Project,
    mounts: String,
    shared_memory: Vec<String>,
    /// The command's process.
    pub pid: u32,
}

impl Kept {
    /// Starts `keylane` with these arguments.
    pub fn start(arguments: &[&str]) -> Kept {
        Kept::start_in(arguments, &[])
    }

    /// Starts `keylane` with these arguments and these variables in its environment.
    pub fn start_in(arguments: &[&str], variables: &[(&str, &str)]) -> Kept {
        Kept::start_build(&program(), arguments, variables)
    }

    /// As [`Kept::start_in`], of another build.
    pub fn start_build(build: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Kept {
        let folder = Project::empty();
        folder.write("tmp/.made", "");
        fs::remove_file(folder.path().join("tmp/.made")).expect("emptying a folder");
        let at = |name: &str| folder.path().join(name);
        let stream = |name: &str| File::create(at(name)).expect("making a file");
        let mounts = leftover::mounts();
        let shared_memory = shared_memory();
        // Given to the command alone: Python would heed some of them.
        let variables = variables
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let keeper = Command::new(PYTHON)
            .args(["-I", "-c", KEEPER])
            .arg(at("status"))
            .arg("/usr/bin/env")
            .args(variables)
            .arg(build)
            .args(arguments)
            .env("TMPDIR", at("tmp"))
            .stdin(Stdio::null())
            .stdout(Stdio::from(stream("out")))
            .stderr(Stdio::from(stream("err")))
            .spawn()
            .expect("starting the keeper");
        let mut kept = Kept {
            keeper,
            folder,
            mounts,
            shared_memory,
            pid: 0,
        };
        let mut status = String::new();
        eventually(|| {
            status = kept.read("status");
            !status.is_empty()
        });
        // A command that has ended already has no processes to look at.
        if let Some(pid) = status.strip_prefix("running ") {
            kept.pid = pid.parse().expect("a process number");
        }
        kept
    }

    /// Its processes now.
    pub fn family(&self) -> Family {
        Family::of(self.pid)
    }

    /// Waits until `enough` holds of its processes, and gives them.
    #[track_caller]
    pub fn await_family(&self, enough: impl Fn(&Family) -> bool) -> Family {
        let mut family = Family::default();
        let there = eventually(|| {
            family = self.family();
            enough(&family) || !self.read("status").starts_with("running")
        });
        assert!(
            there && enough(&family),
            "the command never came that far: {family:?}\n{}",
            self.read("err")
        );
        family
    }

    /// What it wrote to standard output so far.
    pub fn out(&self) -> String {
        self.read("out")
    }

    /// What it wrote to standard error so far.
    pub fn err(&self) -> String {
        self.read("err")
    }

    /// The folder that is its TMPDIR.
    pub fn temporary(&self) -> PathBuf {
        self.folder.path().join("tmp")
    }

    /// Waits for the command's own end, whatever still runs below it.
    #[track_caller]
    pub fn end(&self) -> Said {
        let mut status = String::new();
        let ended = eventually(|| {
            status = self.read("status");
            !status.starts_with("running")
        });
        assert!(
            ended,
            "the command did not end: {:?}\n{}",
            self.family(),
            self.read("err")
        );
        let (how, number) = status.split_once(' ').expect("two words");
        let number = number.parse().expect("a number");
        Said {
            code: (how == "exit").then_some(number),
            signal: (how == "signal").then_some(number),
            out: self.read("out"),
            err: self.read("err"),
        }
    }

    /// Waits until nothing that descends from the command is left; what is left after a while fails
    /// the test, by name.
    #[track_caller]
    pub fn expect_no_process(&mut self) {
        for _ in 0..600 {
            if self.left().is_empty() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!(
            "a minute after the end these processes are left: {:#?}",
            self.left()
        );
    }

    /// Every process that descends from the command, and the command itself while it runs.
    pub fn left(&self) -> Vec<String> {
        descendants(self.keeper.id())
            .into_iter()
            .map(named)
            .collect()
    }

    /// That the command left nothing: no process, and so no memfd, which lives as long as one has
    /// it; nothing in its TMPDIR; no mount; nothing of ours in /dev/shm.
    #[track_caller]
    pub fn expect_nothing_left(&mut self) {
        self.expect_no_process();
        let files = leftover::names(&self.temporary());
        assert!(files.is_empty(), "files are left: {files:?}");
        assert_eq!(leftover::mounts(), self.mounts, "mounts are left");
        assert_eq!(
            shared_memory(),
            self.shared_memory,
            "/dev/shm is not as it was"
        );
    }

    fn read(&self, name: &str) -> String {
        let bytes = fs::read(self.folder.path().join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        for pid in descendants(self.keeper.id()) {
            kill(pid, 9);
        }
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}

fn named(pid: u32) -> String {
    let state = leftover::status(pid);
    let name = state.get("Name").cloned().unwrap_or_default();
    format!("{pid} {name} ({})", command_line(pid))
}

/// What Keylane could have put into /dev/shm.
fn shared_memory() -> Vec<String> {
    let mut names = leftover::names("/dev/shm".as_ref());
    names.retain(|name| name.contains("keylane"));
    names.sort();
    names
}

/// Sends a signal. A process that is gone already is no error.
pub fn kill(pid: u32, signal: i32) {
    let pid = i32::try_from(pid).expect("a process number");
    let signal = nix::sys::signal::Signal::try_from(signal).expect("a signal");
    let _gone = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), signal);
}
