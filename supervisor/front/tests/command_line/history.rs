//! `run` with a history, `--trace`, `--timeline`, and `inspect` on what came of it.

use super::command::{Answer, Project, keylane, keylane_in};
use std::process::Stdio;

const RETRIED: &str = r#"{"StartAt": "Fan", "States": {
  "Fan": {"Type": "Map", "ItemsPath": "$.items", "ResultPath": "$.fan", "Next": "Greet",
    "ItemProcessor": {"StartAt": "One <b>", "States": {
      "One <b>": {"Type": "Task", "Resource": "greet", "End": true}}}},
  "Greet": {"Type": "Task", "Resource": "greet", "End": true,
    "Retry": [{"ErrorEquals": ["ValueError"], "IntervalSeconds": 1, "MaxAttempts": 1}]}}}"#;

const FUNCTION: &str = "\
def handler(event, context):
    if isinstance(event, int):
        return event
    raise ValueError(\"no <price>\")
";

fn project() -> Project {
    let project = Project::new();
    project.write("workflow.asl.json", RETRIED);
    project.write("functions/greet/greet.py", FUNCTION);
    project
}

fn run(project: &Project, options: &[&str]) -> Answer {
    let mut arguments = vec![
        "run",
        project.shown(),
        "--input",
        "{\"items\": [1, 2, 3, 4]}",
    ];
    arguments.extend(options);
    keylane(&arguments)
}

#[test]
fn a_failed_run_is_recorded_drawn_traced_and_explained() {
    let project = project();
    let path = |name: &str| project.path().join(name).to_string_lossy().into_owned();
    let (trace, svg, saved) = (path("t.json"), path("t.svg"), path("report.json"));
    let answer = run(&project, &["--json", "--trace", &trace, "--timeline", &svg]).expect(1);
    let report = answer.json();
    let types: Vec<&str> = report["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        types[..3],
        ["ExecutionStarted", "MapStateEntered", "MapStateStarted"]
    );
    assert_eq!(
        types
            .iter()
            .filter(|kind| **kind == "MapIterationSucceeded")
            .count(),
        4
    );
    assert_eq!(
        types[types.len() - 8..],
        [
            "TaskStateEntered",
            "LambdaFunctionScheduled",
            "LambdaFunctionStarted",
            "LambdaFunctionFailed",
            "LambdaFunctionScheduled",
            "LambdaFunctionStarted",
            "LambdaFunctionFailed",
            "ExecutionFailed"
        ]
    );
    assert_eq!(report["events_dropped"], 0);

    let drawn = std::fs::read_to_string(&svg).unwrap();
    assert!(drawn.starts_with("<svg ") && drawn.ends_with("</svg>\n"));
    assert!(drawn.contains("One &lt;b&gt;") && drawn.contains("pause before retry 1"));
    assert!(!drawn.contains("<b>") && !drawn.contains("<price>"));
    let traced = std::fs::read_to_string(&trace).unwrap();
    let traced: Vec<serde_json::Value> = serde_json::from_str(&traced).unwrap();
    assert!(traced.iter().any(|event| event["cat"] == "retry"));
    let calls = traced.iter().filter(|event| event["cat"] == "call");
    assert_eq!(calls.count(), 6);

    std::fs::write(&saved, &answer.out).unwrap();
    let told = keylane(&["inspect", &saved]).expect(0).out;
    for part in [
        "small failed after",
        "\"Greet\" (Task)",
        "ValueError: no <price>",
        "\"fan\":[1,2,3,4]",
        "attempt 2: greet failed",
        "1 retry was used up",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
    let told = keylane(&["inspect", &saved, "--json"]).expect(0).json();
    assert_eq!(told["failed"]["function"], "greet");
    let left: Vec<_> = std::fs::read_dir(project.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("partial"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn a_stream_has_events_only_where_json_asks_for_them() {
    for (options, recorded) in [
        (&["--stream"][..], false),
        (&["--stream", "--json"][..], true),
    ] {
        let project = project();
        let (reader, mut writer) = std::io::pipe().unwrap();
        std::io::Write::write_all(&mut writer, b"{\"items\": []}\n").unwrap();
        drop(writer);
        let mut arguments = vec!["run", project.shown()];
        arguments.extend(options);
        let answer = keylane_in(&arguments, Stdio::from(reader), project.path()).expect(1);
        assert_eq!(answer.json()["events"].is_array(), recorded);
    }
}

#[test]
fn a_picture_that_cannot_be_written_refuses_the_run_before_it_starts() {
    let project = project();
    for option in ["--trace", "--timeline"] {
        let answer = run(&project, &[option, "/nonexistent/t"]).expect(2);
        let first = answer.err.lines().next().unwrap();
        assert!(
            first.contains(&format!("writing {option} /nonexistent/t")),
            "{first}"
        );
        assert!(answer.err.contains("what to do:"), "{}", answer.err);
        assert!(!answer.err.contains("ValueError"), "{}", answer.err);
    }
    let both = project.path().join("t").to_string_lossy().into_owned();
    run(&project, &["--trace", &both, "--timeline", &both]).expect(2);
    run(&project, &["--stream", "--trace", &both]).expect(2);
}

#[test]
fn what_is_no_report_is_refused_in_one_line_with_advice() {
    let project = Project::new();
    project.write("bad.json", "{\"status\": \"f\u{1b}[2Jailed\"}");
    let bad = project
        .path()
        .join("bad.json")
        .to_string_lossy()
        .into_owned();
    for path in [bad.as_str(), "/nonexistent", "/dev/zero", "/"] {
        let answer = keylane(&["inspect", path]).expect(2);
        assert_eq!(answer.out, "");
        assert_eq!(answer.err.lines().count(), 2, "{}", answer.err);
        assert!(
            answer.err.contains("what to do: give a file"),
            "{}",
            answer.err
        );
    }
}
