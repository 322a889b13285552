//! The JSON Schema of keylane.toml accepts what `validate` accepts and refuses what it refuses.
//!
//! The schema is read by a small reader of its own, in Python, with Python's TOML parser. Every key
//! meets every value of one pool, so that a key which only one of the two sides knows is noticed.
//!
//! What passing does not show: values beyond the pool, and amounts written as text that are out of
//! their range, which a schema cannot refuse.

use keylane_tests::project::Project;
use keylane_tests::{PYTHON, checkout, finish_with, run};
use serde_json::{Value, json};
use std::process::{Command, Stdio};

const WORKFLOW: [(&str, &str); 3] = [
    ("name", "\"t\""),
    ("definition", "\"workflow.asl.json\""),
    ("input", "\"input.json\""),
];
const FUNCTION: [(&str, &str); 16] = [
    ("runtime", "\"python3.11\""),
    ("path", "\"functions/f\""),
    ("handler", "\"f.handler\""),
    ("build", "\"c\""),
    ("include", "[\"data\"]"),
    ("requirements", "\"needs.txt\""),
    ("profile", "\"python\""),
    ("ports", "[443]"),
    ("payload", "\"1MiB\""),
    ("memory", "\"1GiB\""),
    ("timeout", "5"),
    ("processes", "16"),
    ("descriptors", "64"),
    ("cpu", "50"),
    ("tmp", "\"4MiB\""),
    ("reuse", "\"warm\""),
];
/// As in [`FUNCTION`], of a native function.
const NATIVE: [(&str, &str); 4] = [
    ("runtime", "\"native\""),
    ("path", "\"functions/f\""),
    ("handler", "\"lib/libf.so:f\""),
    ("build", "\"c\""),
];
/// What each key is given in turn.
const POOL: [&str; 49] = [
    "true",
    "0",
    "1",
    "-1",
    "3",
    "4",
    "16",
    "31",
    "32",
    "4096",
    "4097",
    "65536",
    "65535",
    "1073741824",
    "1073741825",
    "86400",
    "86401",
    "0.001",
    "0.0004",
    "2.5",
    "nan",
    "inf",
    "\"\"",
    "\"x\"",
    "\"a b\"",
    "\"a.b\"",
    "\"a.b.c_1\"",
    "\"1.b\"",
    "\"a..b\"",
    "\"16MiB\"",
    "\"16 MiB\"",
    "\"16XB\"",
    "\"100000\"",
    "\".\"",
    "\"./\"",
    "\"./a\"",
    "\"a/../b\"",
    "\"..a/b\"",
    "\"/etc\"",
    "\"a\\u0007b\"",
    "\"python3.11\"",
    "\"native\"",
    "\"c\"",
    "\"libf.so:f\"",
    "\"libf.so:1\"",
    "[]",
    "[\"data\"]",
    "[1]",
    "{ a = 1 }",
];

fn manifest(workflow: &[(&str, &str)], functions: &[(&str, &[(&str, &str)])]) -> String {
    let mut text = String::new();
    let mut table = |name: &str, keys: &[(&str, &str)]| {
        text.push_str(&format!("[{name}]\n"));
        for (key, value) in keys {
            text.push_str(&format!("{key} = {value}\n"));
        }
    };
    table("workflow", workflow);
    for (name, keys) in functions {
        table(&format!("functions.{name}"), keys);
    }
    text
}

/// `keys` with one value replaced, or without the key.
fn changed<'k>(
    keys: &[(&'k str, &'k str)],
    at: usize,
    value: Option<&'k str>,
) -> Vec<(&'k str, &'k str)> {
    let mut keys = keys.to_vec();
    match value {
        Some(value) => keys[at].1 = value,
        None => drop(keys.remove(at)),
    }
    keys
}

/// Every text that both sides judge.
fn texts() -> Vec<String> {
    let mut texts = vec![
        manifest(&WORKFLOW, &[("f", &FUNCTION)]),
        manifest(&WORKFLOW, &[]),
        manifest(&WORKFLOW, &[("f", &FUNCTION), ("g-2_H", &FUNCTION)]),
        manifest(&WORKFLOW, &[("\"a b\"", &FUNCTION)]),
        format!("functions = {{}}\n{}", manifest(&WORKFLOW, &[])),
        format!("functions = 1\n{}", manifest(&WORKFLOW, &[])),
        format!("more = 1\n{}", manifest(&WORKFLOW, &[("f", &FUNCTION)])),
        String::new(),
    ];
    let values = || POOL.iter().map(|value| Some(*value)).chain([None]);
    for at in 0..WORKFLOW.len() {
        texts.extend(values().map(|v| manifest(&changed(&WORKFLOW, at, v), &[("f", &FUNCTION)])));
    }
    for at in 0..FUNCTION.len() {
        texts.extend(values().map(|v| manifest(&WORKFLOW, &[("f", &changed(&FUNCTION, at, v))])));
    }
    for at in 0..NATIVE.len() {
        texts.extend(values().map(|v| manifest(&WORKFLOW, &[("f", &changed(&NATIVE, at, v))])));
    }
    for (table, keys) in [("workflow", &WORKFLOW[..]), ("function", &FUNCTION[..])] {
        let more: Vec<_> = keys.iter().copied().chain([("unknown", "1")]).collect();
        texts.push(match table {
            "workflow" => manifest(&more, &[("f", &FUNCTION)]),
            _ => manifest(&WORKFLOW, &[("f", &more)]),
        });
    }
    texts
}

fn printed_schema() -> Value {
    let said = run(["schema"]);
    said.expect_code(0);
    said.json()
}

/// What the schema says about each text.
fn by_schema(schema: &Value, texts: &[String]) -> Vec<bool> {
    let mut reader = Command::new(PYTHON);
    reader
        .args(["-B", "-I"])
        .arg(checkout().join("tests/flow/schema.py"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let asked = json!({"schema": schema, "texts": texts});
    let said = finish_with(&mut reader, asked.to_string().as_bytes());
    said.expect_code(0);
    serde_json::from_value(said.json()).unwrap()
}

/// What `validate` says against a text itself, the project's other files apart.
fn by_validate(project: &Project, text: &str) -> Vec<String> {
    project.write("keylane.toml", text);
    let report = run(["validate", project.arg(), "--json"]).json();
    let own = |problem: &&Value| {
        // These are about the files that a function names; and the schema does not know that
        // requirements are Python's and `build` is not.
        let message = problem["message"].as_str().unwrap();
        problem["file"] == "keylane.toml"
            && problem["severity"] == "error"
            && !message.starts_with("`requirements` are Python packages")
            && !message.starts_with("`build` makes native functions")
            && !message.starts_with("function f:")
            && !message.starts_with("function g-2_H:")
    };
    let problems = report["problems"].as_array().unwrap();
    problems
        .iter()
        .filter(own)
        .map(|problem| problem["message"].to_string())
        .collect()
}

#[test]
fn the_schema_and_the_parser_accept_the_same() {
    let project = Project::empty();
    project.write("workflow.asl.json", "{}");
    let texts = texts();
    let verdicts = by_schema(&printed_schema(), &texts);
    assert_eq!(verdicts.len(), texts.len());
    let (mut good, mut beyond) = (0, 0);
    for (text, accepted) in texts.iter().zip(verdicts) {
        let problems = by_validate(&project, text);
        let only_range = problems
            .iter()
            .all(|problem| problem.contains("out of range"));
        if accepted && !problems.is_empty() && only_range {
            beyond += 1;
            continue;
        }
        assert_eq!(accepted, problems.is_empty(), "{text}\n{problems:#?}");
        good += usize::from(accepted);
    }
    assert!(good > 60, "only {good} texts were accepted");
    assert!(beyond <= 6, "{beyond} amounts out of range went unnoticed");
}

#[test]
fn the_schema_knows_the_keys_that_the_examples_here_know() {
    let schema = printed_schema();
    let names = |table: &Value| -> Vec<String> {
        let properties = table["properties"].as_object().unwrap();
        properties.keys().cloned().collect()
    };
    assert_eq!(
        names(&schema["properties"]["workflow"]),
        WORKFLOW.map(|(key, _)| key)
    );
    let function = &schema["properties"]["functions"]["additionalProperties"];
    assert_eq!(names(function), FUNCTION.map(|(key, _)| key));
}

#[test]
fn a_schema_that_forgets_a_key_would_be_noticed() {
    let mut schema = printed_schema();
    let function = &mut schema["properties"]["functions"]["additionalProperties"];
    function["properties"]
        .as_object_mut()
        .unwrap()
        .remove("timeout");
    assert_eq!(by_schema(&schema, &texts()[..1]), [false]);
}
