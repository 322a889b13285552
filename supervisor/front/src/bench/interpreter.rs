//! The floors of Python: the host's own interpreter, outside of every jail, asked over pipes.

use super::{DOING, host};
use keylane_policy::blame::{Blame, Failure};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

/// The interpreter of the same package as libpython, never one by PATH.
const PROGRAM: &str = "/usr/bin/python3.11";

const FLOORS: &str = include_str!("floors.py");

/// Whether this host has the interpreter; functions need libpython alone.
pub(super) fn is_there() -> bool {
    Path::new(PROGRAM).is_file()
}

/// A plain interpreter that measures what it is told.
#[derive(Debug)]
pub(super) struct Interpreter {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Interpreter {
    /// Starts it.
    pub(super) fn begin() -> Result<Interpreter, Failure> {
        let mut child = Command::new(PROGRAM)
            .args(["-I", "-c", FLOORS])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(host)?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(orders), Some(answers)) => Ok(Interpreter {
                child,
                orders,
                answers: BufReader::new(answers),
            }),
            _ => Err(Failure::new(
                Blame::Bug,
                DOING,
                "an interpreter without pipes",
            )),
        }
    }

    /// Nanoseconds of parsing this text and writing it again, `count` times.
    pub(super) fn json(&mut self, count: u32, text: &str) -> Result<Vec<f64>, Failure> {
        self.ask("json", count, text)
    }

    /// Nanoseconds from a fork to the answer of the child, which parses this text and writes it again.
    pub(super) fn fork(&mut self, count: u32, text: &str) -> Result<Vec<f64>, Failure> {
        self.ask("fork", count, text)
    }

    fn ask(&mut self, what: &str, count: u32, text: &str) -> Result<Vec<f64>, Failure> {
        writeln!(self.orders, "{what} {count} {text}").map_err(host)?;
        self.orders.flush().map_err(host)?;
        let mut line = String::new();
        self.answers.read_line(&mut line).map_err(host)?;
        let times: Result<Vec<f64>, _> = line.split_whitespace().map(str::parse).collect();
        match times {
            Ok(times) if times.len() == count as usize => Ok(times),
            _ => Err(host(format!("{PROGRAM} answered {line:?}"))),
        }
    }
}

impl Drop for Interpreter {
    fn drop(&mut self) {
        let _gone_is_fine = self.child.kill();
        let _gone_is_fine = self.child.wait();
    }
}

/// Nanoseconds from exec to exit of an interpreter that reads an event and writes it again. `bare`:
/// without its modules for sites, and without JSON.
pub(super) fn start(bare: bool, event: &str) -> Result<f64, Failure> {
    let program = "import json, sys; print(json.dumps(json.loads(sys.argv[1])))";
    let arguments: &[&str] = match bare {
        true => &["-I", "-S", "-c", "pass"],
        false => &["-I", "-c", program, event],
    };
    let begun = Instant::now();
    let ended = Command::new(PROGRAM)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(host)?;
    match ended.status.success() {
        true => Ok(begun.elapsed().as_nanos() as f64),
        false => Err(host(format!("{PROGRAM}: {}", ended.status))),
    }
}
