//! Functions that cannot be loaded: one clear line that names the function, before anything ran.

use keylane_tests::project::Project;
use keylane_tests::{Said, run};

/// Runs a workflow whose second function is `source`.
fn load(source: &str) -> Said {
    let good = "def handler(event, context):\n    return event\n";
    let project = Project::sequence(&[("good", good), ("culprit", source)]);
    run(["run", project.arg(), "-q"])
}

/// That loading fails in one first line that names the function and says all of `parts`.
#[track_caller]
fn fails(source: &str, parts: &[&str]) -> Said {
    let said = load(source);
    said.expect_code(2);
    assert_eq!(said.out, "", "something ran");
    let line = said.failure();
    assert_eq!(
        said.first_line(),
        line,
        "something comes before the failure: {said:#?}"
    );
    for part in ["loading function \"culprit\"", "fault of the function"]
        .iter()
        .chain(parts)
    {
        assert!(
            line.contains(part),
            "the line does not say {part:?}: {line}"
        );
    }
    said
}

#[test]
fn a_syntax_error_is_told_with_its_line() {
    fails(
        "x = 1\ndef handler(e, c)\n    return 1\n",
        &["SyntaxError", "culprit.py", "line 2"],
    );
}

#[test]
fn a_missing_module_is_told_with_its_name_and_the_line_that_asks_for_it() {
    let said = fails(
        "import json\nimport no_such_module\n",
        &["ModuleNotFoundError", "no_such_module"],
    );
    assert!(said.err.contains("culprit.py\", line 2"), "{}", said.err);
}

#[test]
fn a_missing_handler_is_told_with_what_there_is() {
    fails(
        "def handle(e, c): return 1\n",
        &["HandlerNotFound", "handler", "handle"],
    );
}

#[test]
fn a_handler_that_cannot_be_called_is_told() {
    fails("handler = 5\n", &["HandlerUnusable", "int"]);
}

#[test]
fn an_exception_at_import_is_told_with_its_line() {
    let said = fails("\n\n1 / 0\n", &["ZeroDivisionError"]);
    assert!(said.err.contains("culprit.py\", line 3"), "{}", said.err);
}

#[test]
fn an_import_that_exits_is_told() {
    fails(
        "import sys\nsys.exit(4)\n",
        &["SystemExit", "exit(4)", "imported"],
    );
}

#[test]
fn an_import_that_ends_its_process_is_told_with_its_status() {
    fails("import os\nos._exit(4)\n", &["exited with status 4"]);
}

#[test]
fn an_import_that_crashes_is_told_with_its_signal() {
    fails("import ctypes\nctypes.string_at(0)\n", &["signal 11"]);
}

#[test]
fn an_import_that_leaves_threads_is_told_with_their_names() {
    fails(
        "import threading, time\n\
         threading.Thread(target=time.sleep, args=(1000,), name='left-behind', daemon=True).start()\n\
         def handler(e, c): return 1\n",
        &["ThreadsAtImport", "left-behind", "fresh-import"],
    );
}

#[test]
fn an_import_that_leaves_threads_is_no_obstacle_where_each_worker_imports_for_itself() {
    let source = "\
import threading, time
threading.Thread(target=time.sleep, args=(1000,), name='left-behind', daemon=True).start()
def handler(e, c): return [thread.name for thread in threading.enumerate()]
";
    let project = Project::sequence(&[("importer", source)]);
    project.append("reuse = \"fresh-import\"\n");
    let said = run(["run", project.arg(), "-q"]);
    said.expect_code(0);
    let names = said.json();
    assert!(
        names
            .as_array()
            .unwrap()
            .iter()
            .any(|name| name == "left-behind"),
        "{names}"
    );
}

#[test]
fn an_import_that_tells_a_false_story_cannot_blame_another_function() {
    // It speaks the launcher's protocol on the socket that it finds: whatever it says is about
    // itself. A LoadFailed in postcard: version, variant 1, three strings.
    let source = "\
import os
def text(t): return bytes([len(t)]) + t
os.write(3, bytes([1, 1]) + text(b'E') + text(b'good is to blame') + text(b''))
def handler(e, c): return 1
";
    let said = load(source);
    said.expect_code(2);
    assert!(
        said.failure().contains("function \"culprit\""),
        "{}",
        said.err
    );
}

#[test]
fn an_import_that_prints_is_shown_and_no_failure() {
    let source = "print('words at import')\ndef handler(e, c): return 1\n";
    let project = Project::sequence(&[("talker", source)]);
    let said = run(["run", project.arg()]);
    said.expect_code(0);
    assert!(
        said.err.contains("[talker] words at import"),
        "{}",
        said.err
    );
    assert_eq!(said.out.trim(), "1");
}
