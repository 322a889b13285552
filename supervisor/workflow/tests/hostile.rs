//! Definitions and data made to hurt: nothing panics, everything ends or can be ended.

#![cfg(test)]

mod support;

use keylane_workflow::{Data, Definition, Execution, Poll};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use support::{START, definition, problems, pure, single, start};

#[test]
fn states_that_lead_to_each_other_for_ever_give_the_host_its_turn() {
    let text = json!({"StartAt": "A", "States": {
        "A": {"Type": "Pass", "Next": "C"},
        "C": {"Type": "Choice", "Default": "A", "Choices": [
            {"Variable": "$.never", "IsPresent": true, "Next": "E"}]},
        "E": {"Type": "Succeed"},
    }});
    let definition = definition(&text, &[]);
    let mut execution = start(&definition, json!({}));
    for _ in 0..20 {
        assert!(
            matches!(execution.poll(START + 5), Poll::Idle { wake_at_ns: Some(at) } if at == START + 5)
        );
        assert!(execution.take_events().len() <= 2000);
    }
}

#[test]
fn a_branch_that_never_rests_lets_its_siblings_go_on() {
    let text = json!({"StartAt": "P", "States": {"P": {"Type": "Parallel", "End": true, "Branches": [
        {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Choice",
            "Choices": [{"Variable": "$.x", "IsPresent": true, "Next": "Z"}], "Default": "A"},
            "Z": {"Type": "Succeed"}}},
        {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1, "Next": "F"},
            "F": {"Type": "Fail", "Error": "Enough"}}},
    ]}}});
    let definition = definition(&text, &[]);
    let mut execution = start(&definition, json!({}));
    // The endless branch comes first; the other must get to its Wait, and out of it.
    let mut polls = 0;
    while !matches!(execution.poll(START + polls * 100_000_000), Poll::Done) {
        polls += 1;
        assert!(polls < 100, "the second branch starves");
    }
    assert_eq!(
        execution.outcome().expect("over").expect_err("fails").error,
        "Enough"
    );
}

#[test]
fn deep_and_broken_definitions_are_refused() {
    let nested =
        |open: &str, close: &str, n: usize| format!("{}{}", open.repeat(n), close.repeat(n));
    for text in [
        nested("[", "]", 1_000_000),
        nested("{\"a\":", "}", 1_000_000),
        "[".repeat(3_000_000),
        nested(
            "{\"StartAt\":\"A\",\"States\":{\"A\":{\"Type\":\"Parallel\",\"Branches\":[",
            "]}}}",
            60,
        ),
        format!(
            "{{\"StartAt\":\"A\",\"States\":{{\"A\":{{\"Type\":\"Wait\",\"Seconds\":{}}}}}}}",
            "9".repeat(400)
        ),
        format!(
            "{{\"StartAt\":\"A\",\"States\":{{\"A\":{{\"Type\":\"Wait\",\"Seconds\":1e{}}}}}}}",
            "9".repeat(400)
        ),
        " ".repeat(5_000_000),
    ] {
        assert!(!problems(&text, &[]).is_empty());
    }
}

#[test]
fn numbers_at_the_edges_are_refused_or_harmless() {
    for number in [
        "1e308",
        "-1e308",
        "1e-320",
        "99999999.5",
        "-0",
        "18446744073709551616",
    ] {
        let text = format!(
            "{{\"StartAt\":\"A\",\"States\":{{\"A\":{{\"Type\":\"Wait\",\"Seconds\":{number},\"End\":true}}}}}}"
        );
        problems(&text, &[]);
        let input: Value = serde_json::from_str(&format!("{{\"n\":{number}}}")).expect("JSON");
        let wait = json!({"Type": "Wait", "SecondsPath": "$.n"});
        let definition = definition(&single(wait), &[]);
        start(&definition, input.clone()).poll(u64::MAX);
        for call in [
            "States.MathAdd($.n, 1)",
            "States.ArrayRange($.n, $.n, $.n)",
            "States.MathRandom(0, $.n)",
        ] {
            let state = json!({"Type": "Pass", "Parameters": {"r.$": call}});
            let _ = pure(single(state), input.clone());
        }
    }
    let definition = definition(&single(json!({"Type": "Wait", "Seconds": 99_999_999})), &[]);
    let mut execution = start(&definition, json!({}));
    assert!(matches!(execution.poll(u64::MAX - 1), Poll::Idle { .. }));
    assert!(matches!(execution.poll(u64::MAX), Poll::Done));
}

#[test]
fn a_definition_with_tens_of_thousands_of_mistakes_is_answered_soon() {
    let since = Instant::now();
    let states: Vec<String> = (0..20_000)
        .map(|n| format!("\"State{n}\":{{\"Type\":\"Pass\",\"Nxt\":1,\"Next\":\"Stat{n}\"}}"))
        .collect();
    let text = format!("{{\"StartAt\":\"x\",\"States\":{{{}}}}}", states.join(","));
    let found = problems(&text, &[]);
    assert!((100..=1000).contains(&found.len()), "{}", found.len());
    assert!(
        since.elapsed() < Duration::from_secs(20),
        "{:?}",
        since.elapsed()
    );
}

#[test]
fn a_template_under_a_long_name_is_checked_in_time_for_its_length() {
    let since = Instant::now();
    let members: Vec<String> = (0..100_000).map(|n| format!("\"m{n}\":1")).collect();
    let text = format!(
        "{{\"StartAt\":\"A\",\"States\":{{\"A\":{{\"Type\":\"Pass\",\"End\":true,\"Parameters\":\
         {{\"{}\":{{{}}}}}}}}}}}",
        "k".repeat(1_000_000),
        members.join(",")
    );
    assert!(problems(&text, &[]).is_empty());
    assert!(
        since.elapsed() < Duration::from_secs(20),
        "{:?}",
        since.elapsed()
    );
}

#[test]
fn small_parts_of_large_data_are_kept_in_time_for_their_own_length() {
    let since = Instant::now();
    let item = format!("{{\"long\":\"{}\"}}", "x".repeat(300));
    let input = format!("[{}]", vec![item; 30_000].join(","));
    let input = Data::from_untrusted(input.into_bytes()).expect("valid");
    let text = json!({"StartAt": "M", "States": {"M": {"Type": "Map", "End": true, "ItemProcessor": {
        "StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}}}}});
    let context = keylane_workflow::Context::default();
    let mut execution = Execution::new(definition(&text, &[]), context, input.clone());
    while !matches!(execution.poll(START), Poll::Done) {}
    assert!(execution.outcome().expect("over").expect("succeeds") == &input);
    assert!(
        since.elapsed() < Duration::from_secs(20),
        "{:?}",
        since.elapsed()
    );
}

#[test]
fn paths_that_multiply_their_matches_are_stopped() {
    let mut input = json!(1);
    for _ in 0..60 {
        input = json!([input, 1]);
    }
    let path = format!("$..{}", "*..".repeat(40).trim_end_matches('.'));
    let since = Instant::now();
    let state = json!({"Type": "Pass", "Parameters": {"r.$": path}});
    let failed = pure(single(state), input).expect_err("fails");
    assert_eq!(failed.error, "States.Runtime");
    assert!(
        since.elapsed() < Duration::from_secs(20),
        "{:?}",
        since.elapsed()
    );
}

#[test]
fn filters_in_filters_are_stopped() {
    let items: Vec<Value> = (0..200).map(|n| json!({ "x": n })).collect();
    let mut filter = "@.x > 500".to_owned();
    for _ in 0..6 {
        filter = format!("$.items[?({filter})] == 1");
    }
    let since = Instant::now();
    let state = json!({"Type": "Pass", "Parameters": {"r.$": format!("$.items[?({filter})]")}});
    let failed = pure(single(state), json!({ "items": items })).expect_err("fails");
    assert_eq!(failed.error, "States.Runtime");
    assert!(
        since.elapsed() < Duration::from_secs(60),
        "{:?}",
        since.elapsed()
    );
}

#[test]
fn results_that_together_are_too_large_fail_before_they_fill_the_memory() {
    let text = json!({"StartAt": "M", "States": {"M": {"Type": "Map", "End": true, "ItemProcessor": {
        "StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "f", "End": true}}}}}});
    let definition = definition(&text, &["f"]);
    let mut execution = start(&definition, json!((0..1000).collect::<Vec<u32>>()));
    let big = json!("x".repeat(1_000_000));
    let mut calls = 0;
    let failed = support::finish(&mut execution, |_, _| {
        calls += 1;
        Ok(big.clone())
    });
    assert_eq!(failed.expect_err("fails").error, "States.DataLimitExceeded");
    assert_eq!(calls, 17);
}

#[test]
fn a_template_string_that_multiplies_its_arguments_is_stopped() {
    let call = format!(
        "States.Format('{}'{})",
        "{}".repeat(5000),
        ", $.s".repeat(5000)
    );
    let state = json!({"Type": "Pass", "Parameters": {"r.$": call}});
    let failed = pure(single(state), json!({"s": "x".repeat(100_000)})).expect_err("fails");
    assert_eq!(failed.error, "States.IntrinsicFailure");
}

#[test]
fn mutated_definitions_never_panic_neither_checked_nor_run() {
    let seed = json!({"StartAt": "A", "TimeoutSeconds": 9, "States": {
        "A": {"Type": "Task", "Resource": "f", "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 2,
            "BackoffRate": 1.5}], "ResultPath": "$.a[0]", "Next": "C"},
        "C": {"Type": "Choice", "Choices": [{"And": [{"Variable": "$.a", "IsPresent": true},
            {"Not": {"Variable": "$.n", "NumericLessThan": 3}}], "Next": "M"}], "Default": "W"},
        "W": {"Type": "Wait", "SecondsPath": "$.n", "Next": "M"},
        "M": {"Type": "Map", "ItemsPath": "$.items[?(@.x > 1)]", "MaxConcurrency": 2,
            "ItemSelector": {"v.$": "$$.Map.Item.Value", "f.$": "States.Format('{}', $.n)"},
            "ItemProcessor": {"StartAt": "P", "States": {"P": {"Type": "Pass", "Assign": {"x.$": "$.v"},
                "End": true}}}, "Catch": [{"ErrorEquals": ["E"], "Next": "X"}], "Next": "X"},
        "X": {"Type": "Succeed", "OutputPath": "$[0]"},
    }})
    .to_string();
    let mut state = 3_u64;
    let mut draw = |bound: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("fits") % bound
    };
    let pieces = [
        "\"", "{", "}", "[", "]", ":", ",", "$", "..", "*", "-1", "1e9", "null", "\\u0000", "@",
        "'", "(",
    ];
    let mut accepted = 0;
    for round in 0..6000 {
        let mut text = seed.clone();
        for _ in 0..=draw(2) {
            let from = draw(text.len());
            let to = (from + draw(6)).min(text.len());
            let piece = pieces[draw(pieces.len())];
            if round % 2 == 0 {
                text.replace_range(from..to, piece)
            } else {
                text.replace_range(from..to, "")
            }
        }
        let Ok((definition, _)) = Definition::check(text.as_bytes(), &["f".to_owned()]) else {
            continue;
        };
        accepted += 1;
        let input = Data::from_value(json!({"n": 2, "items": [{"x": 1}, {"x": 2}], "a": [0]}));
        let mut execution = Execution::new(
            definition.into(),
            keylane_workflow::Context::default(),
            input,
        );
        let mut now = 0;
        for _ in 0..200 {
            match execution.poll(now) {
                Poll::Call(call) => execution.complete(call.id, Ok(call.input), now),
                Poll::Idle { wake_at_ns } => now = wake_at_ns.unwrap_or(now + 1),
                Poll::Cancel(_) => {}
                Poll::Done => break,
            }
        }
    }
    assert!(accepted > 100, "{accepted}");
}
