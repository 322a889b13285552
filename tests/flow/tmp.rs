//! A function's private `/tmp`: what works in it, what happens when it is full, and what a host says
//! that cannot give one.

use keylane_tests::project::Project;
use keylane_tests::{Said, finish_with, has_private_root, keylane, run};

/// Runs one function of this body over these inputs, and gives what was said.
fn stream(body: &str, settings: &str, inputs: &str) -> Said {
    let project = Project::sequence(&[("f", body)]);
    project.append(settings);
    let mut command = keylane(["run", project.arg(), "--stream", "--json", "--lanes", "1"]);
    finish_with(&mut command, inputs.as_bytes())
}

/// That functions have no /tmp here, and that the operator was told.
fn expect_none(said: &Said) {
    assert!(said.err.contains("functions have no /tmp"), "{said:#?}");
    assert_ne!(said.reports()[0]["status"], "succeeded", "{said:#?}");
}

#[test]
fn temporary_files_and_folders_work() {
    let body = r#"
import os, shutil, tempfile
def handler(event, context):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a")
        with open(path, "w") as file: file.write("one two")
        with open(path, "r+") as file: file.truncate(3)
        os.replace(path, path + "2")
        os.makedirs(folder + "/deep/er")
        shutil.copyfile(path + "2", folder + "/deep/er/copy")
        with open(folder + "/deep/er/copy", "w") as file: file.write("three")
        with open(folder + "/deep/er/copy") as file: text = file.read()
        with open(path + "2") as file: text += file.read()
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"x"); file.flush(); os.fsync(file.fileno())
    with tempfile.TemporaryFile() as file: file.write(b"x")
    with tempfile.SpooledTemporaryFile(1) as file: file.write(b"xx")
    return [text, os.listdir("/tmp")]
"#;
    let said = stream(body, "", "0\n0\n");
    if !has_private_root() {
        return expect_none(&said);
    }
    for report in said.reports() {
        assert_eq!(
            report["output"],
            serde_json::json!(["threeone", []]),
            "{said:#?}"
        );
    }
}

#[test]
fn sqlite_works_with_locks_that_are_folders() {
    let body = r#"
import sqlite3
def handler(event, context):
    base = sqlite3.connect("file:/tmp/base.db?vfs=unix-dotfile", uri=True)
    base.execute("create table if not exists calls (at integer)")
    with base: base.execute("insert into calls values (?)", (event,))
    return base.execute("select sum(at) from calls").fetchone()[0]
"#;
    let said = stream(body, "", "1\n2\n4\n");
    if !has_private_root() {
        return expect_none(&said);
    }
    let sums: Vec<_> = said.reports().iter().map(|r| r["output"].clone()).collect();
    assert_eq!(sums, [1, 3, 7], "{said:#?}");
}

const FILLER: &str = r#"
import os
def handler(event, context):
    if event == "fill":
        with open("/tmp/big", "wb", buffering=0) as file:
            while True: file.write(b"x" * 65536)
    if event == "many":
        for number in range(100000): open(f"/tmp/{number}", "x").close()
    for name in os.listdir("/tmp"): os.unlink("/tmp/" + name)
    return "fine"
"#;

#[test]
fn a_full_tmp_is_told_in_one_line_and_the_next_input_works() {
    for how in ["fill", "many"] {
        let inputs = format!("\"good\"\n\"{how}\"\n\"good\"\n");
        let said = stream(FILLER, "tmp = \"1MiB\"\n", &inputs);
        if !has_private_root() {
            return expect_none(&said);
        }
        let reports = said.reports();
        let error = &reports[1]["error"];
        assert_eq!(error["blame"], "function", "{said:#?}");
        assert_eq!(error["function"], "f", "{said:#?}");
        assert_eq!(error["error"], "OSError", "{said:#?}");
        let line = said.failure();
        assert!(
            line.contains("No space left on device") && line.contains("`tmp` in keylane.toml"),
            "{line}"
        );
        for at in [0, 2] {
            assert_eq!(reports[at]["output"], "fine", "{said:#?}");
        }
    }
}

#[test]
fn a_function_that_asks_for_no_tmp_has_none() {
    let body = "import os\ndef handler(event, context): return os.path.exists('/tmp')\n";
    let said = stream(body, "tmp = 0\n", "0\n");
    assert_eq!(
        said.reports()[0]["output"],
        !has_private_root(),
        "{said:#?}"
    );
}

#[test]
fn doctor_says_what_is_lost_where_there_is_no_root_of_its_own() {
    let said = run(["doctor"]);
    assert!(said.out.contains("mounts"), "{}", said.out);
    if !has_private_root() {
        assert!(
            said.out.contains("lost:") && said.out.contains("/tmp"),
            "{}",
            said.out
        );
    }
}
