//! A function writes over its channel: lengths, kinds, sequence numbers, everything, all the time.
//!
//! The lane must neither crash nor believe; what a function can forge is its own answer, which it
//! may choose anyway (the control).

use crate::hostile::Hostile;
use serde_json::json;

const EVIL: &str = r#"
import kit, os, time
def handler(event, context):
    if event == "nothing":
        return "nothing"
    channel = kit.Channel()
    asked = channel.word(kit.REQUEST_SEQUENCE)
    if event["attack"] == "answer":
        lie = event["lie"]
        channel.answer(asked + lie.get("ahead", 0), kind=lie.get("kind", 1), length=lie.get("length"))
        time.sleep(1000)
    if event["attack"] == "early":
        # Answers requests that were not made yet, and goes on doing so from a child.
        if os.fork() == 0:
            for ahead in range(1 << 30):
                channel.answer(channel.word(kit.REQUEST_SEQUENCE) + ahead % 3)
        return "answered early"
    if event["attack"] == "scribble":
        first, last = event["range"]
        if last is None:
            last = kit.PAGE + 2 * channel.capacity
        if os.fork() == 0:
            noise = os.urandom(last - first)
            while True:
                kit.ctypes.memmove(channel.at + first, noise, len(noise))
        time.sleep(0.1)
        return "scribbled"
"#;

fn hostile() -> Hostile {
    Hostile::deploy(EVIL, "timeout = 5\npayload = \"64KiB\"\n")
}

#[test]
fn the_channel_is_found_and_a_well_formed_answer_is_believed() {
    let mut hostile = hostile();
    let report = hostile.attack(&json!({"attack": "answer", "lie": {}}));
    assert_eq!(
        report["output"], "forged",
        "the attacks below do not reach the channel: {report}"
    );
}

#[test]
fn a_response_that_claims_more_than_the_channel_holds_is_refused() {
    let mut hostile = hostile();
    for length in [65_537, 1 << 20, u64::MAX / 2, u64::MAX] {
        let report = hostile.attack(&json!({"attack": "answer", "lie": {"length": length}}));
        assert_eq!(report["error"]["error"], "Lambda.Unknown", "{report}");
        let cause = report["error"]["cause"].as_str().unwrap();
        assert!(cause.contains(&format!("claims {length} bytes")), "{cause}");
        Hostile::expect_own_fault(&report);
        hostile.expect_healed();
    }
    hostile.expect_unharmed();
}

#[test]
fn a_response_of_an_unknown_kind_is_refused() {
    let mut hostile = hostile();
    for kind in [0u32, 3, 0x8000_0000, u32::MAX] {
        let report = hostile.attack(&json!({"attack": "answer", "lie": {"kind": kind}}));
        assert_eq!(report["error"]["error"], "Lambda.Unknown", "{report}");
        let cause = report["error"]["cause"].as_str().unwrap();
        assert!(
            cause.contains(&format!("unknown response kind {kind}")),
            "{cause}"
        );
        hostile.expect_healed();
    }
    hostile.expect_unharmed();
}

#[test]
fn an_answer_to_another_request_is_not_taken_for_this_one() {
    let mut hostile = hostile();
    for ahead in [-1i64, 1, 1000, 1 << 31] {
        let report = hostile.attack(&json!({"attack": "answer", "lie": {"ahead": ahead}}));
        assert_eq!(
            report["error"]["error"], "States.Timeout",
            "ahead {ahead}: {report}"
        );
        hostile.expect_healed();
    }
    hostile.expect_unharmed();
}

#[test]
fn answers_before_the_question_fool_nobody_but_the_function_itself() {
    let mut hostile = hostile();
    Hostile::expect_own_fault(&hostile.attack(&json!({"attack": "early"})));
    for _ in 0..20 {
        let report = hostile.attack(&json!("nothing"));
        Hostile::expect_own_fault(&report);
        if report["status"] == "succeeded" {
            let output = &report["output"];
            assert!(output == "nothing" || output == "forged", "{report}");
        }
        hostile.expect_unharmed();
    }
}

#[test]
fn noise_over_header_and_bodies_while_the_lane_reads_harms_nobody() {
    // The header's two groups of words, a body, everything at once.
    let header = [0, 4096];
    let request = [64, 88];
    let response = [128, 144];
    for range in [
        json!(header),
        json!(request),
        json!(response),
        json!([4096, null]),
        json!([0, null]),
    ] {
        let mut hostile = hostile();
        Hostile::expect_own_fault(&hostile.attack(&json!({"attack": "scribble", "range": range})));
        for _ in 0..5 {
            Hostile::expect_own_fault(&hostile.attack(&json!("nothing")));
            hostile.expect_unharmed();
        }
    }
}
