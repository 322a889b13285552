//! Calls that a function is denied: each is told with its arguments and its rule, where the caller and
//! the operator look, and a flood of them harms nobody else.
//!
//! What passing does not show: that the calls are denied (the contract suite tries every row); what a
//! host does that has no listener.

use keylane_tests::project::Project;
use keylane_tests::{Said, finish, finish_with, keylane, run};
use serde_json::Value;

fn one(source: &str) -> Project {
    Project::sequence(&[("culprit", source)])
}

fn report(project: &Project) -> (Said, Value) {
    let said = run(["run", project.arg(), "--json", "--lanes", "1"]);
    let report = said.json();
    (said, report)
}

#[test]
fn a_denied_call_is_in_the_report_the_error_and_on_the_terminal() {
    let project = one("import os\ndef handler(e, c):\n    os.chmod('/tmp/\\x1b[2Jnew', 0o750)\n");
    let (said, report) = report(&project);
    said.expect_code(1);
    let denial = &report["denials"][0];
    assert_eq!(denial["function"], "culprit", "{report:#}");
    assert_eq!(denial["call"], "chmod");
    assert_eq!(denial["arguments"][1]["name"], "mode");
    assert_eq!(denial["arguments"][1]["value"], "0750");
    assert_eq!(denial["path"], "/tmp/\\x1b[2Jnew", "{report:#}");
    assert_eq!(denial["blame"], "function");
    assert_eq!(denial["times"], 1);
    for text in ["rule", "reason", "permitted_instead"] {
        assert!(denial[text].as_str().unwrap().len() > 10, "{denial:#}");
    }
    let cause: Value = serde_json::from_str(report["error"]["cause"].as_str().unwrap()).unwrap();
    assert_eq!(cause["errorType"], "PermissionError");
    let short = cause["denials"][0].as_str().unwrap();
    assert!(
        short.starts_with("chmod(path: ") && short.contains("is denied"),
        "{short}"
    );
    let line = said.err.lines().find(|line| line.contains("is denied"));
    let line = line.unwrap_or_else(|| panic!("no line tells: {said:#?}"));
    assert!(line.contains("culprit") && !line.contains('\x1b'), "{line}");
}

#[test]
fn a_catcher_sees_which_call_was_denied() {
    let definition = r#"{"StartAt": "f", "States": {
        "f": {"Type": "Task", "Resource": "f", "End": true,
              "Catch": [{"ErrorEquals": ["PermissionError"], "Next": "caught"}]},
        "caught": {"Type": "Pass", "End": true}}}"#;
    let source = "import socket\ndef handler(e, c):\n    socket.socket()\n";
    let project = Project::with(definition, &[("f", source)]);
    let said = run(["run", project.arg(), "-q"]);
    said.expect_code(0);
    let cause = said.json()["Cause"].as_str().unwrap().to_owned();
    assert!(
        cause.contains("socket(family: AF_INET, type: SOCK_STREAM|SOCK_CLOEXEC"),
        "{cause}"
    );
}

#[test]
fn what_python_does_at_its_start_and_in_an_ordinary_call_is_not_denied() {
    let source = "import argparse, asyncio, base64, collections, concurrent.futures, csv, ctypes\n\
        import datetime, decimal, email, fractions, gzip, hashlib, hmac, http.client, io, json\n\
        import logging, math, os, pathlib, pickle, random, re, select, selectors, shutil, signal\n\
        import socket, sqlite3, ssl, statistics, string, struct, subprocess, sys, tempfile\n\
        import threading, time, typing, unittest, urllib.request, uuid, xml.etree.ElementTree, zlib\n\
        def handler(e, c):\n    t = threading.Thread(target=lambda: None); t.start(); t.join()\n\
        \x20   time.sleep(0.001); os.listdir('.'); random.random(); uuid.uuid4(); datetime.datetime.now()\n\
        \x20   asyncio.run(asyncio.sleep(0)); platform = os.uname().sysname; logging.warning('x')\n\
        \x20   return [platform, hashlib.sha256(b'x').hexdigest(), json.dumps(e), os.cpu_count()]\n";
    let project = one(source);
    let mut command = keylane(["run", project.arg(), "--stream", "--json", "-q"]);
    let said = finish_with(&mut command, b"1\n2\n3\n");
    said.expect_code(0);
    for report in said.reports() {
        assert_eq!(report["denials"], Value::Array(Vec::new()), "{report:#}");
        assert_eq!(report["denials_more"], 0);
    }
}

#[test]
fn a_call_that_is_denied_while_the_function_loads_is_told() {
    let project = one("import os\nos.chmod('here', 0o700)\ndef handler(e, c):\n    return 1\n");
    let said = run(["run", project.arg()]);
    said.expect_code(2);
    assert!(
        said.err.contains("culprit\": chmod(path: \"here\""),
        "{said:#?}"
    );
}

#[test]
fn a_flood_is_counted_and_slowed_down_and_other_functions_go_on() {
    let flood = "import os, time\ndef handler(e, c):\n    made = 0\n    end = time.time() + 3\n\
        \x20   while time.time() < end:\n        try:\n            os.chmod('/x%d' % made, 0)\n\
        \x20       except PermissionError:\n            made += 1\n    return made\n";
    // Each of these calls has a worker of its own, which the spawner has to start meanwhile.
    let honest = "import os\ndef handler(e, c):\n    os._exit(0) if e == 'end' else None\n    return 'fine'\n";
    let definition = r#"{"StartAt": "both", "States": {"both": {"Type": "Parallel", "End": true, "Branches": [
        {"StartAt": "flood", "States": {"flood": {"Type": "Task", "Resource": "flood", "End": true}}},
        {"StartAt": "ends", "States": {
            "ends": {"Type": "Task", "Resource": "honest", "Parameters": "end", "Next": "again",
                     "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "again"}]},
            "again": {"Type": "Task", "Resource": "honest", "End": true}}}]}}}"#;
    let definition = definition.replace(r#""Parameters": "end", "#, r#""InputPath": "$.end", "#);
    let project = Project::with(&definition, &[("flood", flood), ("honest", honest)]);
    let mut command = keylane([
        "run",
        project.arg(),
        "--json",
        "-q",
        "--lanes",
        "2",
        "--input",
        r#"{"end": "end"}"#,
    ]);
    let said = finish(&mut command);
    said.expect_code(0);
    let report = said.json();
    assert_eq!(report["output"][1], "fine", "{report:#}");
    let made = report["output"][0].as_u64().unwrap();
    let records = report["denials"].as_array().unwrap();
    let told: u64 = records
        .iter()
        .map(|one| one["times"].as_u64().unwrap())
        .sum();
    assert_eq!(
        told + report["denials_more"].as_u64().unwrap(),
        made,
        "each denied call is told or counted, once"
    );
    assert!(records.len() <= 64, "{} records", records.len());
    assert!(made > 64, "only {made} calls: nothing was a flood");
    assert!(
        made < 20_000,
        "{made} denied calls in three seconds: nobody slowed the flood down"
    );
    assert!(
        said.out.len() < 256 * 1024,
        "a report of {} bytes",
        said.out.len()
    );
}

#[test]
fn a_path_that_is_not_there_or_has_no_end_is_no_trouble() {
    let source = "import ctypes, mmap\nlibc = ctypes.CDLL(None, use_errno=True)\n\
        def handler(e, c):\n    m = mmap.mmap(-1, 8192)\n    m[:] = b'a' * 8192\n\
        \x20   at = ctypes.addressof(ctypes.c_char.from_buffer(m))\n    made = []\n\
        \x20   for address in [0, 1, 2**47, 2**64 - 1, at, at + 8000]:\n\
        \x20       libc.syscall(90, ctypes.c_ulong(address), 0o700)\n\
        \x20       made.append(ctypes.get_errno())\n    return made\n";
    let (said, report) = report(&one(source));
    said.expect_code(0);
    assert_eq!(report["output"], serde_json::json!([1, 1, 1, 1, 1, 1]));
    let records = report["denials"].as_array().unwrap();
    assert_eq!(records.len(), 6, "{report:#}");
    let unread = records.iter().filter(|one| one["path"].is_null()).count();
    assert!(unread >= 4, "{report:#}");
    for record in records {
        let path = record["path"].as_str().unwrap_or_default();
        assert!(
            path.len() <= 512 && path.chars().all(|c| c == 'a'),
            "{path}"
        );
    }
}
