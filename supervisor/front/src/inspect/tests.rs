//! What reports tell, honest and hostile ones.

use super::saved::parse;
use super::tell;
use crate::history::tests::{assembled, map, report};
use crate::history::{Event, History};
use crate::render::report::{Context, json};
use keylane_policy::history::{Excerpt, What};
use serde_json::Value;

fn saved(events: Vec<Event>, failed: bool) -> String {
    let history = History { events, dropped: 0 };
    let context = Context {
        asked: "run finra",
        workflow: "finra",
        lanes: 2,
        wall_ns: 200,
        history: Some(&history),
        denials: None,
    };
    json(&report(failed), &context, false).unwrap()
}

fn told(report: &str) -> String {
    tell(&parse(report.as_bytes()).unwrap(), false).unwrap()
}

fn failing() -> Vec<Event> {
    let input = || Excerpt {
        bytes: 99_999,
        text: Some("{\"price\": -1".into()),
    };
    let error = || Some(("Boom".to_owned(), "because".to_owned()));
    let scheduled = || What::Scheduled {
        function: 0,
        input: input(),
    };
    let words = || ("Boom".to_owned(), "because".to_owned());
    let (error_name, cause) = words();
    let retried = What::Retried {
        error: error_name,
        cause,
        attempt: 1,
        again_ns: 1040,
    };
    let (error_name, cause) = words();
    let failed = What::Failed {
        error: error_name,
        cause,
    };
    assembled(
        vec![
            (0, 0, 0, 1, What::Entered { input: input() }),
            (0, 0, 0, 1, What::FanStarted { fan: 0, total: 20 }),
            (1, 1, 5, 1, What::BranchStarted { fan: 0, index: 17 }),
            (1, 1, 5, 0, What::Entered { input: input() }),
            (1, 1, 5, 0, scheduled()),
            (
                9,
                1,
                5,
                0,
                What::Ended {
                    function: 0,
                    error: error(),
                },
            ),
            (9, 1, 5, 0, retried),
            (40, 1, 5, 0, scheduled()),
            (
                50,
                1,
                5,
                0,
                What::Ended {
                    function: 0,
                    error: error(),
                },
            ),
            (50, 1, 5, 0, failed.clone()),
            (
                50,
                1,
                5,
                1,
                What::BranchEnded {
                    fan: 0,
                    index: 17,
                    failed: true,
                },
            ),
            (
                51,
                0,
                0,
                1,
                What::FanEnded {
                    fan: 0,
                    failed: true,
                },
            ),
            (51, 0, 0, 1, failed),
        ],
        true,
    )
}

#[test]
fn a_failed_run_shows_the_step_its_input_and_the_chain() {
    let text = told(&saved(failing(), true));
    for line in [
        "  state     \"a Task\" (Task)\n",
        "  in        Map \"a Map\" #17\n",
        "  at        /States/Task\n",
        "  function  f on lane 1\n",
        "  error     Boom: because\n",
        "  fault of  the function\n",
        "  input     {\"price\": -1\n",
        "(99999 bytes in all)",
        "  1 ns    entered Task \"a Task\"\n",
        "  9 ns    attempt 1: f failed after 8 ns with Boom\n",
        "  9 ns    pause of 31 ns before retry 1\n",
        "  50 ns   attempt 2: f failed after 10 ns with Boom\n",
        "  50 ns   \"a Task\" failed: 1 retry was used up, nothing caught it\n",
        "Map \"a Map\" #17 failed with it\n",
        "the execution failed\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let document = tell(&parse(saved(failing(), true).as_bytes()).unwrap(), true).unwrap();
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["failed"]["within"][0], "Map \"a Map\" #17");
    assert_eq!(document["failed"]["lane"], 1);
    assert_eq!(document["chain"].as_array().unwrap().len(), 7);
    let manual = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/CLI.md"));
    let parts = [
        &document,
        &document["failed"],
        &document["chain"][0],
        &document["slowest"][0],
    ];
    for field in parts
        .into_iter()
        .flat_map(|part| part.as_object().unwrap().keys())
    {
        assert!(manual.contains(&format!("`{field}`")), "{field}");
    }
}

#[test]
fn a_run_that_succeeded_shows_what_went_wrong_on_the_way_and_what_took_the_time() {
    let text = told(&saved(assembled(map(), false), false));
    assert!(text.starts_with("finra succeeded in 100 ns"), "{text}");
    assert!(
        text.contains("2 ns  a Task  1         Boom   tried again"),
        "{text}"
    );
    assert!(
        text.contains("a Task  Task  2     66 ns   58 ns    42 ns"),
        "{text}"
    );
    assert!(!text.contains("What failed"), "{text}");
}

#[test]
fn what_is_no_report_is_refused_in_one_line() {
    let good = saved(failing(), true);
    let many = format!(
        "{{\"status\": \"failed\", \"events\": [{}]}}",
        vec!["{\"id\":1,\"previousEventId\":0,\"type\":\"TaskFailed\",\"timestamp\":\"\",\"at_ns\":0}"; 80_000].join(",")
    );
    let deep = "[".repeat(1_000_000);
    for wrong in [
        "",
        "{}",
        "[]",
        "null",
        "{\"status\": \"odd\"}",
        &good[..good.len() / 2],
        "{\"status\":\"failed\",\"events\":[{\"id\":-1}]}",
        "{\"status\":\"failed\",\"events\":7}",
        "{\"status\":\"failed\",\"events\":[{\"id\":1,\"previousEventId\":0,\"type\":\"NoSuch\",\"timestamp\":\"\",\"at_ns\":0}]}",
        many.as_str(),
        deep.as_str(),
    ] {
        let error = parse(wrong.as_bytes()).expect_err(&wrong[..wrong.len().min(80)]);
        assert!(
            error.starts_with("it is no report (line ") && error.len() < 400,
            "{error}"
        );
    }
    assert!(parse(b"\xff{}").is_err());
}

#[test]
fn a_hostile_report_can_neither_paint_the_terminal_nor_fill_it() {
    let hostile = format!("\u{1b}[2J\u{202e}\r\nkeylane: fine{}", "x".repeat(100_000));
    let mut events = failing();
    for event in &mut events {
        event.details.name = event.details.name.as_ref().map(|_| hostile.clone());
        event.details.input = Some(hostile.clone());
        event.details.resource = Some(hostile.clone());
        event.details.error = Some(hostile.clone());
        event.head.at_ns = u64::MAX - event.head.at_ns;
        event.head.previous = event.head.id;
    }
    let mut report: Value = serde_json::from_str(&saved(events, true)).unwrap();
    for field in ["error", "cause", "state", "function"] {
        report["error"][field] = hostile.clone().into();
    }
    let text = told(&report.to_string());
    assert!(
        !text
            .chars()
            .any(|c| (c.is_control() && c != '\n') || c == '\u{202e}')
    );
    assert!(text.len() < 40_000, "{}", text.len());
    assert!(!text.lines().any(|line| line.starts_with("keylane:")));
}

#[test]
fn a_report_of_a_refused_run_and_one_without_history_are_told_as_that() {
    let refused = r#"{"status": "refused", "exit": 2, "problems": [], "failure":
        {"blame": "workflow", "doing": "reading", "cause": "1 error", "advice": null}}"#;
    assert!(told(refused).contains("nothing ran") && told(refused).contains("1 error"));
    let bare = told(r#"{"status": "succeeded", "workflow": "w", "events": null}"#);
    assert!(bare.contains("has no history"), "{bare}");
}
