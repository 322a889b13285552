//! Runs the built `keylane` on projects made for one test.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// What a command answered.
pub(crate) struct Answer {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Answer {
    /// Standard output as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }

    /// Checks the exit code, and that nothing panicked and no control character came out.
    pub(crate) fn expect(self, code: i32) -> Answer {
        let both = format!("{}{}", self.out, self.err);
        assert_eq!(self.code, Some(code), "{both}");
        assert!(!both.contains("panicked"), "{both}");
        assert!(
            !both.chars().any(|c| c.is_control() && c != '\n'),
            "{both:?}"
        );
        self
    }
}

/// Runs `keylane` with these arguments and no input.
pub(crate) fn keylane(arguments: &[&str]) -> Answer {
    keylane_in(arguments, Stdio::null(), Path::new("/tmp"))
}

/// Runs `keylane` with a standard input and a folder for its temporary files.
pub(crate) fn keylane_in(arguments: &[&str], input: Stdio, temporary: &Path) -> Answer {
    let output = Command::new(env!("CARGO_BIN_EXE_keylane"))
        .args(arguments)
        .env("TMPDIR", temporary)
        .stdin(input)
        .output()
        .unwrap();
    Answer {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A project of one good function in a folder of its own, removed with this value.
pub(crate) struct Project(PathBuf);

pub(crate) const MANIFEST: &str = r#"[workflow]
name = "small"
definition = "workflow.asl.json"

[functions.greet]
runtime = "python3.11"
path = "functions/greet"
handler = "greet.handler"
"#;

pub(crate) const DEFINITION: &str = r#"{
  "StartAt": "Greet",
  "States": {
    "Greet": {"Type": "Task", "Resource": "greet", "End": true}
  }
}
"#;

impl Project {
    pub(crate) fn new() -> Project {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("front-command-{}-{number}", std::process::id());
        let project = Project(Path::new("/tmp").join(name));
        project.write("keylane.toml", MANIFEST);
        project.write("workflow.asl.json", DEFINITION);
        project.write(
            "functions/greet/greet.py",
            "def handler(event, context):\n    return {}\n",
        );
        project
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn shown(&self) -> &str {
        self.0.to_str().unwrap()
    }

    pub(crate) fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// Replaces a text in keylane.toml.
    pub(crate) fn edit(&self, from: &str, to: &str) {
        assert!(MANIFEST.contains(from), "{from}");
        self.write("keylane.toml", MANIFEST.replacen(from, to, 1));
    }

    /// What `validate` answers.
    pub(crate) fn validate(&self) -> Answer {
        keylane(&["validate", self.shown()])
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
