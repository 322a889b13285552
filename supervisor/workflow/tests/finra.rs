//! The shape of Faastlane's FINRA workflow: a Map whose items are routed to five rules.

#![cfg(test)]

mod support;

use keylane_workflow::{Data, Poll};
use serde_json::{Value, json};
use support::{definition, finish, start};

const FUNCTIONS: [&str; 7] = [
    "marketdata",
    "lastpx",
    "side",
    "trddate",
    "volume",
    "limits",
    "marginBalance",
];
const RULES: [&str; 5] = ["lastpx", "side", "trddate", "volume", "limits"];

fn finra() -> Value {
    let mut states = json!({
        "Route": {
            "Type": "Choice",
            "Choices": RULES.map(|rule| json!({
                "Variable": "$.rule", "StringEquals": rule, "Next": rule,
            })),
            "Default": "UnknownRule",
        },
        "UnknownRule": {"Type": "Fail", "Error": "UnknownRule"},
    });
    for rule in RULES {
        states[rule] = json!({"Type": "Task", "Resource": format!("function:{rule}"), "End": true});
    }
    json!({
        "StartAt": "MarketData",
        "States": {
            "MarketData": {"Type": "Task", "Resource": "marketdata", "Next": "Checks"},
            "Checks": {
                "Type": "Map",
                "ItemsPath": "$.checks",
                "ItemSelector": {
                    "rule.$": "$$.Map.Item.Value.rule",
                    "trades.$": "States.ArrayGetItem($.slices, $$.Map.Item.Value.slice)",
                },
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "INLINE"},
                    "StartAt": "Route",
                    "States": states,
                },
                "ResultPath": "$.results",
                "Next": "MarginBalance",
            },
            "MarginBalance": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": {"FunctionName": "marginBalance", "Payload.$": "$.results"},
                "OutputPath": "$.Payload",
                "End": true,
            },
        },
    })
}

/// What the functions of the workflow answer.
fn function(number: u16, event: &Value) -> support::Answer {
    Ok(match FUNCTIONS[usize::from(number)] {
        "marketdata" => {
            let slices: Vec<Value> = (0..4)
                .map(|s| {
                    json!(
                        (0..10)
                            .map(|t| json!({"id": s * 10 + t, "px": 1.50}))
                            .collect::<Vec<_>>()
                    )
                })
                .collect();
            let checks: Vec<Value> = (0..20)
                .map(|n| json!({"rule": RULES[n % 5], "slice": n % 4}))
                .collect();
            json!({"slices": slices, "checks": checks})
        }
        "marginBalance" => json!({"checks": event.as_array().map(Vec::len), "all": event}),
        rule => json!({"rule": rule, "first": event["trades"][0]["id"]}),
    })
}

#[test]
fn every_check_reaches_its_rule_with_its_slice_and_the_results_keep_their_order() {
    let definition = definition(&finra(), &FUNCTIONS);
    assert_eq!(definition.functions_used().len(), 7);
    let mut execution = start(&definition, json!({}));
    let mut calls = Vec::new();
    let output = finish(&mut execution, |number, event| {
        calls.push(FUNCTIONS[usize::from(number)]);
        function(number, event)
    })
    .expect("succeeds");
    assert_eq!(calls.len(), 22);
    assert_eq!(output["checks"], json!(20));
    for (n, result) in output["all"].as_array().expect("array").iter().enumerate() {
        assert_eq!(
            result,
            &json!({"rule": RULES[n % 5], "first": (n % 4) * 10}),
            "{n}"
        );
    }
}

#[test]
fn a_slice_reaches_its_rule_as_the_bytes_that_the_function_wrote() {
    let definition = definition(&finra(), &FUNCTIONS);
    let mut execution = start(&definition, json!({}));
    let Poll::Call(market) = execution.poll(0) else {
        panic!("marketdata first")
    };
    // Numbers and spaces that a reserialisation would change.
    let slice = r#"[ {"px":1.50,"n":12345678901234567890123} ]"#;
    let text = format!(r#"{{"slices":[{slice}],"checks":[{{"rule":"side","slice":0}}]}}"#);
    let data = Data::from_untrusted(text.into_bytes()).expect("valid");
    execution.complete(market.id, Ok(data), 1);
    let Poll::Call(check) = execution.poll(1) else {
        panic!("a check next")
    };
    assert_eq!(FUNCTIONS[usize::from(check.function)], "side");
    assert_eq!(
        check.input.text().as_str(),
        format!(r#"{{"rule":"side","trades":{slice}}}"#)
    );
}

#[test]
fn branches_start_one_by_one_and_all_of_them_can_be_pending() {
    let definition = definition(&finra(), &FUNCTIONS);
    let mut execution = start(&definition, json!({}));
    let Poll::Call(market) = execution.poll(0) else {
        panic!("marketdata first")
    };
    let answer = function(0, &Value::Null).expect("answers");
    execution.complete(market.id, Ok(Data::from_value(answer)), 1);
    let mut pending = 0;
    while let Poll::Call(_) = execution.poll(2) {
        pending += 1;
        let fan = execution.fans().remove(0);
        assert_eq!(
            (fan.started, fan.finished, fan.lendable),
            (pending, 0, 20 - pending)
        );
    }
    assert_eq!(pending, 20);
    assert!(matches!(execution.poll(3), Poll::Idle { wake_at_ns: None }));
}
