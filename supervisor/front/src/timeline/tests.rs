//! Pictures of made-up runs.

use super::{Caption, timeline};
use crate::history::spans::{Spans, spans};
use crate::history::tests::{assembled, map};
use keylane_policy::history::{Excerpt, What};

fn caption() -> Caption {
    Caption {
        title: "finra".into(),
        summary: "succeeded in 1 s · 3 calls · 2 lanes".into(),
        succeeded: true,
        error: None,
        missing: None,
    }
}

/// Tags, with a check that they nest: a small reader of the subset of XML that is written.
fn tags(svg: &str) -> Vec<String> {
    let mut open: Vec<String> = Vec::new();
    let mut all = Vec::new();
    let mut rest = svg;
    while let Some((text, after)) = rest.split_once('<') {
        assert!(
            !text.contains('>') || open.last().is_some_and(|tag| tag == "style"),
            "{text}"
        );
        let (tag, after) = after.split_once('>').expect("a tag that ends");
        let name = tag
            .trim_start_matches('/')
            .split([' ', '/'])
            .next()
            .unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop().as_deref(), Some(name));
        } else {
            all.push(name.to_owned());
            if !tag.ends_with('/') {
                open.push(name.to_owned());
            }
        }
        rest = after;
    }
    assert_eq!(open, Vec::<String>::new());
    all
}

#[test]
fn a_picture_has_a_row_for_each_state_and_lane_with_calls_pauses_and_sums() {
    let svg = timeline(&caption(), &spans(&assembled(map(), false)));
    tags(&svg);
    for part in [
        "<title>finra: succeeded",
        ">a Map<",
        ">a Task<",
        ">lane 0<",
        ">lane 1<",
        "2 branches",
        "pause before retry 1",
        "call of f, attempt 2 on lane 1: 10 ns",
        "Boom: because",
    ] {
        assert!(svg.contains(part), "{part}\n{svg}");
    }
}

#[test]
fn hostile_names_stay_text() {
    let mut spans = spans(&assembled(map(), false));
    let hostile = "</title></text><script>alert(1)</script><!--\u{1b}[2J\u{0}\u{202e}]]>&lt;";
    for visit in &mut spans.visits {
        visit.state = hostile.into();
        visit.pointer = format!("/States/{hostile}/{}", visit.kind);
        for call in &mut visit.calls {
            call.function = hostile.into();
            call.error = Some((hostile.into(), hostile.into()));
        }
    }
    let caption = Caption {
        title: hostile.into(),
        summary: hostile.into(),
        error: Some(hostile.into()),
        missing: Some(hostile.into()),
        succeeded: false,
    };
    let svg = timeline(&caption, &spans);
    let known = [
        "svg", "title", "style", "defs", "pattern", "rect", "circle", "text", "path",
    ];
    for tag in tags(&svg) {
        assert!(known.contains(&tag.as_str()), "{tag}");
    }
    assert!(!svg.chars().any(|c| c.is_control() && c != '\n'));
    assert!(!svg.contains('\u{202e}'));
    let trace = crate::trace::trace(hostile, &spans);
    assert!(serde_json::from_str::<Vec<serde_json::Value>>(&trace).is_ok());
    assert!(!trace.chars().any(|c| c.is_control() && c != '\n'));
}

fn many(branches: u64) -> Spans {
    let data = || Excerpt {
        bytes: 1,
        text: None,
    };
    let mut records = vec![
        (0, 0, 0, 1, What::Entered { input: data() }),
        (
            0,
            0,
            0,
            1,
            What::FanStarted {
                fan: 0,
                total: branches,
            },
        ),
    ];
    for n in 0..branches {
        let (at, lane, branch) = (1 + n * 10, u16::try_from(n % 3).unwrap(), n + 1);
        records.extend([
            (
                at,
                lane,
                branch,
                1,
                What::BranchStarted { fan: 0, index: n },
            ),
            (at, lane, branch, 0, What::Entered { input: data() }),
            (
                at,
                lane,
                branch,
                0,
                What::Scheduled {
                    function: 0,
                    input: data(),
                },
            ),
            (
                at + 9,
                lane,
                branch,
                0,
                What::Ended {
                    function: 0,
                    error: None,
                },
            ),
            (
                at + 9,
                lane,
                branch,
                0,
                What::Exited {
                    output: data(),
                    caught: false,
                },
            ),
            (
                at + 9,
                lane,
                branch,
                1,
                What::BranchEnded {
                    fan: 0,
                    index: n,
                    failed: false,
                },
            ),
        ]);
    }
    spans(&assembled(records, false))
}

#[test]
fn a_thousand_branches_and_ten_thousand_make_a_picture_of_the_same_size() {
    let thousand = timeline(&caption(), &many(1_000));
    let more = timeline(&caption(), &many(10_000));
    assert!(thousand.len() < 1_500_000, "{}", thousand.len());
    assert!(more.len() < 1_500_000, "{}", more.len());
    assert!(more.contains(">3334 × "), "branches of lane 0");
    assert!(more.contains("together: "));
}

#[test]
fn a_run_without_events_is_a_picture_without_rows() {
    tags(&timeline(&caption(), &Spans::default()));
}
