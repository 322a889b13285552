//! A `keylane run --stream` that is asked one input after the other, so that an input can say what
//! was learnt about the running processes.

use crate::leftover::{Family, names};
use crate::project::Project;
use crate::{PATIENCE, keylane};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};

/// A running stream.
#[derive(Debug)]
pub struct Session {
    child: Child,
    input: Option<ChildStdin>,
    reports: Receiver<String>,
    errors: PathBuf,
    temporary: Project,
    _errors: Project,
}

impl Session {
    /// Starts a stream over a project, with more arguments. What it says on standard error is kept,
    /// and shown when the session is over.
    pub fn start(project: &str, more: &[&str]) -> Session {
        Session::start_loud(project, &[more, &["-q"]].concat())
    }

    /// As [`Session::start`], with notes and functions' output on standard error.
    pub fn start_loud(project: &str, more: &[&str]) -> Session {
        let (temporary, folder) = (Project::empty(), Project::empty());
        let errors = folder.path().join("err");
        let stream = std::fs::File::create(&errors).expect("making a file");
        let mut command = keylane(["run", project, "--stream", "--json"]);
        command
            .args(more)
            .env("TMPDIR", temporary.path())
            .stdin(Stdio::piped())
            .stderr(Stdio::from(stream));
        let mut child = command.spawn().expect("starting keylane");
        let input = child.stdin.take();
        let output = child.stdout.take().expect("a captured stream");
        let (sender, reports) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Session {
            child,
            input,
            reports,
            errors,
            temporary,
            _errors: folder,
        }
    }

    /// What it said on standard error so far.
    pub fn errors(&self) -> String {
        std::fs::read_to_string(&self.errors).unwrap_or_default()
    }

    /// Where the files of a function lie while the command runs.
    #[track_caller]
    pub fn tree(&self, function: &str) -> PathBuf {
        // keylane-RANDOM/RANDOM/FUNCTION
        let stage = self.temporary.path();
        let below = |folder: PathBuf| {
            names(&folder)
                .into_iter()
                .map(move |name| folder.join(name))
        };
        let found = below(stage.to_owned())
            .flat_map(below)
            .map(|folder| folder.join(function))
            .find(|tree| tree.is_dir());
        found.expect("the function's staged files")
    }

    /// Runs one input and gives its report.
    #[track_caller]
    pub fn ask(&mut self, input: &Value) -> Value {
        let pipe = self.input.as_mut().expect("an open stream");
        writeln!(pipe, "{input}").expect("the command ended before its input");
        let line = self
            .reports
            .recv_timeout(PATIENCE)
            .expect("the command gave no report");
        serde_json::from_str(&line).expect("a report in JSON")
    }

    /// Runs one input that must succeed, and gives its output.
    #[track_caller]
    pub fn output(&mut self, input: &Value) -> Value {
        let report = self.ask(input);
        assert_eq!(report["status"], "succeeded", "{report}");
        report["output"].clone()
    }

    /// The processes of the command now.
    pub fn family(&self) -> Family {
        Family::of(self.child.id())
    }

    /// The command's own process.
    pub fn front(&self) -> u32 {
        self.child.id()
    }

    /// Ends the stream in order and gives the exit code.
    pub fn end(mut self) -> Option<i32> {
        drop(self.input.take());
        self.child.wait().expect("waiting for keylane").code()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
        eprint!("{}", self.errors());
    }
}
