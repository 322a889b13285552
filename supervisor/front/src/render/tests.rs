//! Reports of honest and of hostile lanes.

use super::report::{self, Context};
use crate::exit::Exit;
use keylane_policy::blame::Blame;
use keylane_policy::report::{ErrorReport, FanReport, FunctionCalls, Report, Status};

fn succeeded(output: &str) -> Report {
    Report {
        status: Status::Succeeded,
        output: Some(output.into()),
        error: None,
        run_ns: 120_000_000,
        fans: vec![FanReport {
            pointer: "/States/Check".into(),
            branches: 200,
            lent: 100,
            loans: 1,
            lanes: 2,
            branch_ns: Some(32_000),
            handover_ns: 61_000,
            decision: "spread: 32.0 us a branch, 61.0 us a hand-over".into(),
        }],
        functions: vec![
            FunctionCalls {
                function: "lastpx".into(),
                calls: 200,
                ..Default::default()
            },
            FunctionCalls {
                function: "margin".into(),
                calls: 1,
                ..Default::default()
            },
        ],
    }
}

fn failed(error: &str, cause: &str, blame: Blame) -> Report {
    Report {
        status: Status::Failed,
        output: None,
        error: Some(ErrorReport {
            error: error.into(),
            cause: cause.into(),
            blame,
            state: Some("Last price".into()),
            pointer: Some("/States/Last price".into()),
            function: Some("lastpx".into()),
        }),
        ..succeeded("0")
    }
}

fn context() -> Context<'static> {
    Context {
        asked: "run finra",
        workflow: "finra",
        lanes: 2,
        wall_ns: 143_000_000,
        history: None,
        denials: None,
    }
}

#[test]
fn a_summary_is_one_line_with_status_time_calls_lanes_and_the_fan_out() {
    assert_eq!(
        report::summary(&succeeded("1"), &context()),
        "finra: succeeded in 143 ms; 201 calls, 2 lanes; /States/Check: spread: 32.0 us a branch, 61.0 us a hand-over"
    );
}

#[test]
fn a_summary_stays_one_harmless_line_whatever_the_lane_says() {
    let mut hostile = succeeded("1");
    hostile.fans[0].decision = format!("x\n\x1b[2J{}", "y".repeat(100_000));
    hostile.fans.push(hostile.fans[0].clone());
    let line = report::summary(&hostile, &context());
    assert!(!line.contains(['\n', '\x1b']), "{line}");
    assert!(line.len() < 1000);
    assert!(line.ends_with("(and 1 more fan-outs)"), "{line}");
}

#[test]
fn an_exception_shows_its_class_message_and_trace_and_who_can_mend_it() {
    let cause = serde_json::json!({
        "errorType": "ValueError",
        "errorMessage": "bad price",
        "stackTrace": ["  File \"lastpx.py\", line 3, in handler\n    raise ValueError(\"bad price\")\n"],
    });
    let failed = failed("ValueError", &cause.to_string(), Blame::Function);
    assert_eq!(
        report::failure(&failed, &context()).unwrap(),
        "keylane: run finra: function \"lastpx\" in state \"Last price\": ValueError: bad price (fault of the function)\n\
         \x20 what to do: mend lastpx, or let the state catch \"ValueError\" with `Catch`\n\
         \x20   File \"lastpx.py\", line 3, in handler\n\
         \x20     raise ValueError(\"bad price\")\n\
         \x20 at: /States/Last price\n"
    );
    assert_eq!(report::exit(&failed), Exit::Failed);
}

#[test]
fn a_plain_cause_is_shown_as_it_is() {
    let failed = failed(
        "Lambda.Unknown",
        "its process exited with status 3",
        Blame::Function,
    );
    let text = report::failure(&failed, &context()).unwrap();
    assert!(
        text.contains("Lambda.Unknown: its process exited with status 3 (fault"),
        "{text}"
    );
}

#[test]
fn a_report_in_json_embeds_the_output_as_a_value_and_is_one_line_in_a_stream() {
    let report = succeeded("{\"n\":\n 12345678901234567890123, \"t\": \"\u{202e}\"}");
    for one_line in [true, false] {
        let text = report::json(&report, &context(), one_line).unwrap();
        assert_eq!(text.lines().count() == 1, one_line);
        assert!(text.contains("12345678901234567890123"), "{text}");
        assert!(
            text.contains("\\u202e") && !text.contains('\u{202e}'),
            "{text}"
        );
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["output"]["t"], "\u{202e}");
        assert_eq!(value["exit"], 0);
        assert_eq!(value["fans"][0]["handover_ns"], 61_000);
    }
}

#[test]
fn the_output_of_an_execution_is_indented_and_escaped() {
    let text = report::output(&succeeded("{\"a\":[1],\"b\":\"\u{9b}2J\"}")).unwrap();
    assert_eq!(
        text,
        "{\n  \"a\": [\n    1\n  ],\n  \"b\": \"\\u009b2J\"\n}\n"
    );
}

#[test]
fn a_lane_that_sends_something_else_than_a_report_is_not_believed() {
    let good = serde_json::to_vec(&succeeded("{}")).unwrap();
    assert_eq!(report::accept(&good).unwrap(), succeeded("{}"));
    let mut both = failed("E", "c", Blame::Function);
    both.output = Some("1".into());
    let mut neither = succeeded("1");
    neither.output = None;
    for wrong in [
        succeeded("{"),
        succeeded("NaN"),
        succeeded("{\"a\":1,\"a\":2}"),
        both,
        neither,
    ] {
        let bytes = serde_json::to_vec(&wrong).unwrap();
        assert_eq!(
            report::accept(&bytes).unwrap_err().blame,
            Blame::Bug,
            "{wrong:?}"
        );
    }
    for wrong in [&b""[..], b"{}", b"\xff", &good[..good.len() - 1]] {
        assert!(report::accept(wrong).is_err());
    }
}

#[test]
fn the_manual_names_every_field_of_a_report() {
    let manual = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/CLI.md"));
    let full = failed("E", "c", Blame::Function);
    let text = report::json(&full, &context(), true).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let parts = [
        &value,
        &value["error"],
        &value["fans"][0],
        &value["functions"][0],
    ];
    for part in parts {
        for field in part.as_object().unwrap().keys() {
            assert!(manual.contains(&format!("`{field}`")), "{field}");
        }
    }
}
