//! The examples of `docs/examples`: running them, and copies of them in which something is different.

use crate::project::Project;
use crate::{PYTHON, Said, checkout, finish_with, run};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The folder of an example.
pub fn folder(name: &str) -> PathBuf {
    checkout().join("docs/examples").join(name)
}

/// What an example answers to this input, with these options beside.
pub fn run_example(name: &str, input: &str, more: &[&str]) -> Said {
    let folder = folder(name);
    let project = folder.to_str().expect("a path in UTF-8");
    run([&["run", project, "--input", input][..], more].concat())
}

/// The folder with the packages of an example's function, for a computation apart from Keylane.
pub fn packages(name: &str, function: &str) -> String {
    let folder = folder(name);
    let said = run(["build", folder.to_str().expect("a path in UTF-8"), "--json"]);
    said.expect_code(0);
    let report: Value = said.json();
    let functions = report["functions"].as_array().expect("functions");
    let built = functions.iter().find(|built| built["function"] == function);
    let tree = built.and_then(|built| built["tree"].as_str());
    tree.unwrap_or_else(|| panic!("{function} has no packages: {report}"))
        .to_owned()
}

/// A script of the checkout, run outside of any jail with `input` on standard input.
pub fn script(path: &str, arguments: &[&str], input: &str) -> Said {
    let mut command = Command::new(PYTHON);
    command
        .args(["-B", "-I"])
        .arg(checkout().join(path))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    finish_with(&mut command, input.as_bytes())
}

/// What an oracle has against an output: nothing, or lines. Its exit status says the same.
pub fn objections(path: &str, arguments: &[&str], output: &str) -> String {
    let said = script(path, arguments, output);
    let objections = said.out.trim();
    assert_eq!(said.code == Some(0), objections.is_empty(), "{said:#?}");
    objections.to_owned()
}

/// A copy of an example in which these files have another text.
pub fn changed(name: &str, files: &[(&str, &str)]) -> Project {
    let project = Project::empty();
    copy(&folder(name), "", &project);
    for (path, text) in files {
        project.write(path, text);
    }
    project
}

fn copy(folder: &Path, prefix: &str, into: &Project) {
    for entry in fs::read_dir(folder).expect("an example's folder").flatten() {
        let name = entry.file_name().into_string().expect("a name in UTF-8");
        let path = format!("{prefix}{name}");
        if entry.file_type().expect("a file's kind").is_dir() {
            copy(&entry.path(), &format!("{path}/"), into);
        } else {
            let bytes = fs::read(entry.path()).expect("a file of an example");
            into.write_bytes(&path, &bytes);
        }
    }
}
