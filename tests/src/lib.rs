//! What the suites share: running the built `keylane`, making projects, looking for leftovers.
//!
//! A suite runs wherever its binary is started: `KEYLANE_BIN` names the program under test and
//! `KEYLANE_CHECKOUT` the checkout with the examples; without them, the checkout that the suite was
//! built from and its release build are taken. Nothing here measures time: limits exist so that a
//! hang is a failure, and are generous enough for a machine that is emulated.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test helper that cannot go on fails its test"
)]

pub mod example;
pub mod index;
pub mod kept;
pub mod leftover;
pub mod native;
pub mod project;
pub mod said;
pub mod session;
pub mod skip;
pub mod table;

pub use said::Said;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The Python that functions run on; the suites use it for controls and for the FINRA oracle.
pub const PYTHON: &str = "/usr/bin/python3.11";

/// How long anything may take before it counts as hung.
pub const PATIENCE: Duration = Duration::from_secs(600);

/// Seconds for a deadline that a test wants to see pass, or a function to keep: as many as given on
/// a machine of hardware, five times as many where the rig says (KEYLANE_RIG) that it is emulated.
pub fn deadline(seconds: u32) -> u32 {
    match std::env::var_os("KEYLANE_RIG") {
        Some(_) => seconds * 5,
        None => seconds,
    }
}

/// The checkout with the examples.
pub fn checkout() -> PathBuf {
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::env::var_os("KEYLANE_CHECKOUT").map_or(built_from, PathBuf::from)
}

/// The program under test.
pub fn program() -> PathBuf {
    if let Some(named) = std::env::var_os("KEYLANE_BIN") {
        return PathBuf::from(named);
    }
    let built = checkout().join("target/release/keylane");
    assert!(
        built.is_file(),
        "there is no {}: run `cargo build --release -p keylane` first, or name one by KEYLANE_BIN",
        built.display()
    );
    built
}

/// A `keylane` command with these arguments, its streams captured.
pub fn keylane<I: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = I>) -> Command {
    let mut command = Command::new(program());
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs a command to its end, at most [`PATIENCE`] long: a command that hangs fails its test.
pub fn finish(command: &mut Command) -> Said {
    finish_with(command, b"")
}

/// As [`finish`], with `input` on standard input.
pub fn finish_with(command: &mut Command, input: &[u8]) -> Said {
    command.stdin(if input.is_empty() {
        Stdio::null()
    } else {
        Stdio::piped()
    });
    let mut child = command.spawn().expect("starting a command");
    let collect = |from: Option<Box<dyn std::io::Read + Send>>| {
        let mut from = from.expect("a captured stream");
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _whatever_came = from.read_to_end(&mut bytes);
            bytes
        })
    };
    let out = collect(child.stdout.take().map(|s| Box::new(s) as _));
    let err = collect(child.stderr.take().map(|s| Box::new(s) as _));
    let feeder = child.stdin.take().map(|mut pipe| {
        let input = input.to_vec();
        // A command that ends early does not read all; what it says about that is tested.
        std::thread::spawn(move || pipe.write_all(&input))
    });
    let end = Instant::now() + PATIENCE;
    let mut pause = Duration::from_millis(1);
    let status = loop {
        if let Some(status) = child.try_wait().expect("waiting for a command") {
            break status;
        }
        if Instant::now() > end {
            let _ = child.kill();
            let _ = child.wait();
            panic!("{command:?} did not end within {PATIENCE:?}");
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    };
    if let Some(feeder) = feeder {
        let _ = feeder.join();
    }
    Said::new(
        status,
        &out.join().expect("reading standard output"),
        &err.join().expect("reading standard error"),
    )
}

/// Runs `keylane` with these arguments.
pub fn run<I: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = I>) -> Said {
    finish(&mut keylane(arguments))
}

/// Waits until `condition` holds, at most [`PATIENCE`] long; says whether it did.
pub fn eventually(mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if condition() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    condition()
}

/// What `keylane doctor` says about a point of this host: `ok`, `substituted` or `missing`.
pub fn doctor(point: &str) -> String {
    static SAID: OnceLock<serde_json::Value> = OnceLock::new();
    let said = SAID.get_or_init(|| run(["doctor", "--json"]).json());
    let checks = said["checks"].as_array().expect("doctor's checks");
    let found = checks.iter().find(|check| check["name"] == point);
    let standing = &found.unwrap_or_else(|| panic!("doctor knows no {point:?}"))["standing"];
    standing.as_str().expect("a standing").to_owned()
}

/// Whether functions have a root and a /tmp of their own here.
pub fn has_private_root() -> bool {
    doctor("mounts") == "ok"
}

/// Whether this process is root: the jail gives its processes users of their own only then.
pub fn is_root() -> bool {
    leftover::status(std::process::id())
        .get("Uid")
        .is_some_and(|ids| ids.starts_with("0\t"))
}
