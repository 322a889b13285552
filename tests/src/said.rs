//! What a finished command said.

use serde_json::Value;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// What a finished command said.
#[derive(Debug)]
pub struct Said {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

impl Said {
    /// From a status and the two streams' bytes.
    pub fn new(status: ExitStatus, out: &[u8], err: &[u8]) -> Said {
        Said {
            code: status.code(),
            signal: status.signal(),
            out: String::from_utf8_lossy(out).into_owned(),
            err: String::from_utf8_lossy(err).into_owned(),
        }
    }

    /// Standard output as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}\n{}", self.out, self.err))
    }

    /// Standard output as one JSON document a line (`--stream`).
    pub fn reports(&self) -> Vec<Value> {
        let parse = |line: &str| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("not JSON ({error}): {line}"))
        };
        self.out.lines().map(parse).collect()
    }

    /// The first line of standard error.
    pub fn first_line(&self) -> &str {
        self.err.lines().next().unwrap_or_default()
    }

    /// The failures on standard error: lines that begin as the command line's failures do.
    pub fn failures(&self) -> Vec<&str> {
        self.err
            .lines()
            .filter(|line| line.starts_with("keylane: run "))
            .collect()
    }

    /// The only failure on standard error; more than one, or none, fails the test.
    pub fn failure(&self) -> &str {
        match self.failures()[..] {
            [one] => one,
            ref other => panic!("{} failures instead of one: {self:#?}", other.len()),
        }
    }

    /// The exit code, with everything that was said if it is another than `wanted`.
    #[track_caller]
    pub fn expect_code(&self, wanted: i32) -> &Said {
        assert_eq!(
            self.code,
            Some(wanted),
            "another exit code than expected: {self:#?}"
        );
        self
    }
}
