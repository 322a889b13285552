//! What the suites share: running the built `keylane`, making projects, looking for leftovers.
//!
//! A suite runs wherever its binary is started: `KEYLANE_BIN` names the program under test and
//! `KEYLANE_CHECKOUT` the checkout with the examples; without them, the checkout that the suite was
//! built from and its release build are taken.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test helper that cannot go on fails its test"
)]

pub mod leftover;
pub mod project;

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

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

/// What a finished command said.
#[derive(Debug)]
pub struct Said {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Said {
        Said {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Said {
    /// Standard output as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}\n{}", self.out, self.err))
    }

    /// The first line of standard error.
    pub fn first_line(&self) -> &str {
        self.err.lines().next().unwrap_or_default()
    }
}

/// Runs a command to its end, at most `limit` long: a command that hangs fails its test.
pub fn finish(command: &mut Command, limit: Duration) -> Said {
    let child = command.spawn().expect("starting keylane");
    let id = child.id();
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    match receiver.recv_timeout(limit) {
        Ok(output) => output.expect("waiting for keylane").into(),
        Err(_) => {
            let _ = Command::new("kill").args(["-9", &id.to_string()]).status();
            panic!("{command:?} did not end within {limit:?}");
        }
    }
}

/// Runs `keylane` with these arguments for at most two minutes.
pub fn run<I: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = I>) -> Said {
    finish(&mut keylane(arguments), Duration::from_secs(120))
}

/// Waits until `condition` holds, at most `limit` long; says whether it did.
pub fn eventually(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    while Instant::now() < end {
        if condition() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    condition()
}
