//! What the check says about definitions that are wrong.

#![cfg(test)]

mod support;

use keylane_workflow::{Problem, Severity};
use serde_json::{Value, json};
use support::{problems, single};

/// The only problem of a definition with one such state.
fn one(state: Value) -> Problem {
    let mut found = problems(&single(state.clone()).to_string(), &["lastpx", "side"]);
    assert_eq!(found.len(), 1, "{state}: {found:#?}");
    found.remove(0)
}

#[test]
fn all_problems_are_told_at_once_by_position_with_their_place_and_what_was_meant() {
    let text = r#"{
  "Comment": "five mistakes",
  "StartAt": "Frist",
  "States": {
    "First": {
      "Type": "Task",
      "Resource": "lastpxx",
      "ResultPaht": "$.r",
      "Next": "Secnd"
    },
    "Second": { "Type": "Wiat", "Seconds": 3, "End": true }
  }
}"#;
    let found = problems(text, &["lastpx", "side"]);
    let told: Vec<(u32, u32, &str, &str, &str)> = found
        .iter()
        .map(|p| {
            let suggestion = p.suggestion.as_deref().unwrap_or("");
            (
                p.line,
                p.column,
                p.pointer.as_str(),
                p.message.as_str(),
                suggestion,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (
                3,
                14,
                "/StartAt",
                "`StartAt` names the state \"Frist\", which is not there",
                "did you mean \"First\"?"
            ),
            (
                7,
                19,
                "/States/First/Resource",
                "the project defines no function \"lastpxx\"",
                "did you mean \"lastpx\"?"
            ),
            (
                8,
                7,
                "/States/First/ResultPaht",
                "a Task state has no field `ResultPaht`",
                "did you mean `ResultPath`?"
            ),
            (
                9,
                15,
                "/States/First/Next",
                "`Next` names the state \"Secnd\", which is not there",
                "did you mean \"Second\"?"
            ),
            (
                11,
                25,
                "/States/Second/Type",
                "there is no state type \"Wiat\"",
                "did you mean `Wait`?"
            ),
        ]
    );
    assert_eq!(found[2].excerpt, "\"ResultPaht\": \"$.r\",\n^");
    assert!(
        found
            .iter()
            .all(|problem| problem.severity == Severity::Error)
    );
    assert_eq!(
        found[3].to_string(),
        "9:15: error: `Next` names the state \"Secnd\", which is not there; did you mean \"Second\"?"
    );
}

#[test]
fn each_mistake_of_a_single_state_is_told_at_its_field() {
    let task = |fields: Value| {
        let mut state = json!({"Type": "Task", "Resource": "side"});
        for (key, value) in fields.as_object().expect("fields") {
            state[key] = value.clone();
        }
        state
    };
    let map = |fields: Value| {
        let mut state = json!({"Type": "Map", "ItemProcessor":
            {"StartAt": "X", "States": {"X": {"Type": "Succeed"}}}});
        for (key, value) in fields.as_object().expect("fields") {
            state[key] = value.clone();
        }
        state
    };
    for (state, pointer, words) in [
        (json!({"Type": "Task"}), "", "needs a `Resource`"),
        (
            task(json!({"Resource": 7})),
            "/Resource",
            "must be a string, not a number",
        ),
        (
            task(json!({"Resource": "arn:aws:states:::sqs:sendMessage"})),
            "/Resource",
            "is no function",
        ),
        (
            task(json!({"Resource": "arn:aws:states:::lambda:invoke"})),
            "/Resource",
            "needs `Parameters`",
        ),
        (
            task(json!({"TimeoutSeconds": 0})),
            "/TimeoutSeconds",
            "whole number from 1",
        ),
        (
            task(json!({"TimeoutSeconds": 1.5})),
            "/TimeoutSeconds",
            "a whole number",
        ),
        (
            task(json!({"TimeoutSeconds": "9"})),
            "/TimeoutSeconds",
            "must be a number, not a string",
        ),
        (
            task(json!({"TimeoutSeconds": 5, "TimeoutSecondsPath": "$.t"})),
            "/TimeoutSecondsPath",
            "cannot stand beside",
        ),
        (
            task(json!({"TimeoutSeconds": 5, "HeartbeatSeconds": 5})),
            "/HeartbeatSeconds",
            "less than",
        ),
        (
            task(json!({"InputPath": 3})),
            "/InputPath",
            "a path or null",
        ),
        (
            task(json!({"ResultPath": "$.a[*]"})),
            "/ResultPath",
            "where to put the result",
        ),
        (
            task(json!({"ResultPath": "$$.x"})),
            "/ResultPath",
            "where to put the result",
        ),
        (
            task(json!({"Parameters": {"a.$": 5}})),
            "/Parameters/a.$",
            "must be a path or a call",
        ),
        (
            task(json!({"Parameters": {"a.$": "$.x", "a": 1}})),
            "/Parameters/a",
            "same member",
        ),
        (task(json!({"Retry": {}})), "/Retry", "must be an array"),
        (
            task(json!({"Retry": [{}]})),
            "/Retry/0",
            "`ErrorEquals` is missing",
        ),
        (
            task(json!({"Retry": [{"ErrorEquals": []}]})),
            "/Retry/0/ErrorEquals",
            "at least one",
        ),
        (
            task(json!({"Retry": [{"ErrorEquals": ["States.ALL", "E"]}]})),
            "/Retry/0/ErrorEquals",
            "alone",
        ),
        (
            task(json!({"Retry": [{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["E"]}]})),
            "/Retry/0/ErrorEquals",
            "last element",
        ),
        (
            task(json!({"Retry": [{"ErrorEquals": ["States.Tiemout"]}]})),
            "/Retry/0/ErrorEquals",
            "the language has no error",
        ),
        (
            task(json!({"Retry": [{"ErrorEquals": ["E"], "BackoffRate": 0.5}]})),
            "/Retry/0/BackoffRate",
            "from 1",
        ),
        (
            task(json!({"Retry": [{"ErrorEquals": ["E"], "IntervalSeconds": 0}]})),
            "/Retry/0/IntervalSeconds",
            "from 1",
        ),
        (
            task(json!({"Retry": [{"ErrorEquals": ["E"], "MaxAttempts": -1}]})),
            "/Retry/0/MaxAttempts",
            "from 0",
        ),
        (
            task(json!({"Retry": [{"ErrorEquals": ["E"], "MaxDelaySeconds": 1}]})),
            "/Retry/0/MaxDelaySeconds",
            "more than",
        ),
        (
            task(json!({"Retry": [{"ErrorEquals": ["E"], "JitterStrategy": "HALF"}]})),
            "/Retry/0/JitterStrategy",
            "FULL or NONE",
        ),
        (
            task(json!({"Catch": [{"ErrorEquals": ["E"]}]})),
            "/Catch/0",
            "needs `Next`",
        ),
        (
            task(json!({"Catch": [{"ErrorEquals": ["E"], "Next": "None"}]})),
            "/Catch/0/Next",
            "not there",
        ),
        (
            task(json!({"Assign": {"1x": 1}})),
            "/Assign/1x",
            "cannot name a variable",
        ),
        (task(json!({"Arguments": {}})), "/Arguments", "JSONata"),
        (
            task(json!({"QueryLanguage": "JSONata"})),
            "/QueryLanguage",
            "JSONata is not supported",
        ),
        (
            task(json!({"Branches": []})),
            "/Branches",
            "Parallel states have it",
        ),
        (
            task(json!({"Credentials": {}})),
            "/Credentials",
            "means nothing here",
        ),
        (
            map(json!({"ItemReader": {}})),
            "/ItemReader",
            "distributed Map",
        ),
        (
            map(json!({"ResultWriter": {}})),
            "/ResultWriter",
            "distributed Map",
        ),
        (
            map(json!({"MaxConcurrency": -1})),
            "/MaxConcurrency",
            "from 0",
        ),
        (
            map(json!({"ToleratedFailurePercentage": 101})),
            "/ToleratedFailurePercentage",
            "to 100",
        ),
        (
            map(json!({"ItemSelector": {}, "Parameters": {}})),
            "/Parameters",
            "not both",
        ),
        (
            json!({"Type": "Map", "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED"},
                "StartAt": "X", "States": {"X": {"Type": "Succeed"}}}}),
            "/ItemProcessor/ProcessorConfig/Mode",
            "DISTRIBUTED is not supported",
        ),
        (json!({"Type": "Map"}), "", "needs an `ItemProcessor`"),
        (
            json!({"Type": "Parallel", "Branches": []}),
            "/Branches",
            "at least one branch",
        ),
        (json!({"Type": "Parallel"}), "", "needs `Branches`"),
        (json!({"Type": "Wait"}), "", "how long"),
        (
            json!({"Type": "Wait", "Seconds": 1, "Timestamp": "x"}),
            "/Timestamp",
            "beside `Seconds`",
        ),
        (
            json!({"Type": "Wait", "Timestamp": "tomorrow"}),
            "/Timestamp",
            "timestamp such as",
        ),
        (
            json!({"Type": "Pass", "Retry": []}),
            "/Retry",
            "Task, Parallel and Map states have it",
        ),
        (
            json!({"Type": "Fail", "Error": "a", "ErrorPath": "$.a"}),
            "/ErrorPath",
            "beside",
        ),
        (
            json!({"Type": "Succeed", "Next": "S"}),
            "/Next",
            "a Succeed state has no field",
        ),
        (json!({"Type": "Pass", "Next": "S"}), "/End", "not both"),
        (json!({"Type": 5}), "/Type", "must be a string"),
        (json!({}), "", "no `Type`"),
    ] {
        let problem = one(state.clone());
        assert_eq!(
            problem.pointer,
            format!("/States/S{pointer}"),
            "{state}: {problem:?}"
        );
        let text = format!(
            "{} {}",
            problem.message,
            problem.suggestion.clone().unwrap_or_default()
        );
        assert!(text.contains(words), "{state}: {text}");
    }
}

fn choice(rule: Value) -> Vec<String> {
    let text = json!({"StartAt": "C", "States": {
        "C": {"Type": "Choice", "Choices": [rule], "Default": "E"}, "E": {"Type": "Succeed"}}});
    problems(&text.to_string(), &[])
        .into_iter()
        .map(|p| format!("{} {}", p.pointer, p.message))
        .collect()
}

#[test]
fn mistakes_in_choice_rules_are_told() {
    for (rule, words) in [
        (
            json!({"Variable": "$.a", "StringEqual": "x", "Next": "E"}),
            "/0/StringEqual `StringEqual` is no comparator",
        ),
        (
            json!({"Variable": "$.a", "StringEquals": 5, "Next": "E"}),
            "/0/StringEquals `StringEquals` must be a string",
        ),
        (
            json!({"Variable": "$.a", "NumericEquals": "5", "Next": "E"}),
            "must be a number",
        ),
        (
            json!({"Variable": "$.a", "IsNull": "x", "Next": "E"}),
            "must be true or false",
        ),
        (
            json!({"Variable": "$.a", "TimestampEquals": "x", "Next": "E"}),
            "timestamp such as",
        ),
        (
            json!({"Variable": "a", "IsNull": true, "Next": "E"}),
            "/0/Variable `Variable` is not a path",
        ),
        (json!({"IsNull": true, "Next": "E"}), "needs a `Variable`"),
        (json!({"Variable": "$.a", "Next": "E"}), "compares nothing"),
        (
            json!({"Variable": "$.a", "IsNull": true}),
            "a rule needs `Next`",
        ),
        (
            json!({"Variable": "$.a", "IsNull": true, "IsString": true, "Next": "E"}),
            "one comparison",
        ),
        (json!({"And": [], "Next": "E"}), "at least one rule"),
        (
            json!({"Not": {"Variable": "$.a", "IsNull": true, "Next": "E"}, "Next": "E"}),
            "outermost rule",
        ),
        (json!({"Condition": "{% true %}", "Next": "E"}), "JSONata"),
    ] {
        let found = choice(rule.clone());
        assert!(
            found.len() == 1 && found[0].contains(words),
            "{rule}: {found:?}"
        );
    }
}

#[test]
fn mistakes_of_the_whole_and_of_transitions_are_told() {
    let pass = json!({"Type": "Pass", "End": true});
    let inner = json!({"StartAt": "I", "States": {"I": {"Type": "Pass", "Next": "A"}}});
    for (text, pointer, words) in [
        (
            json!([]),
            "",
            "a definition must be an object, not an array",
        ),
        (json!({"States": {"A": pass}}), "", "`StartAt` is missing"),
        (json!({"StartAt": "A"}), "", "`States` is missing"),
        (
            json!({"StartAt": "A", "States": {}}),
            "/States",
            "holds no state",
        ),
        (
            json!({"StartAt": "A", "States": {"A": {"Type": "Pass"}}}),
            "/States/A",
            "leads nowhere",
        ),
        (
            json!({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "A"}}}),
            "/States",
            "no terminal state",
        ),
        (
            json!({"StartAt": "A", "Versoin": "1.0", "States": {"A": pass}}),
            "/Versoin",
            "no field",
        ),
        (
            json!({"StartAt": "A", "Version": "2", "States": {"A": pass}}),
            "/Version",
            "1.0",
        ),
        (
            json!({"StartAt": "A", "QueryLanguage": "JSONata", "States": {"A": pass}}),
            "/QueryLanguage",
            "JSONata",
        ),
        (
            json!({"StartAt": "A", "TimeoutSeconds": 0, "States": {"A": pass}}),
            "/TimeoutSeconds",
            "from 1",
        ),
        (
            json!({"StartAt": "A", "States": {"A": {"Type": "Parallel", "Branches": [inner], "End": true}}}),
            "/States/A/Branches/0/States/I/Next",
            "not there",
        ),
        (
            json!({"StartAt": "A", "States": {"A": {"Type": "Parallel", "End": true, "Branches": [
                {"StartAt": "A", "States": {"A": pass}}]}}}),
            "/States/A/Branches/0/States/A",
            "a second state is named",
        ),
    ] {
        let found = problems(&text.to_string(), &[]);
        let told = found
            .iter()
            .any(|p| p.pointer == pointer && p.message.contains(words));
        assert!(told, "{text}: {found:#?}");
        assert!(
            found.iter().all(|p| p.severity == Severity::Error),
            "{found:#?}"
        );
    }
    let long = json!({"StartAt": "A", "States": {"A": pass, "x".repeat(81): pass}});
    assert!(
        problems(&long.to_string(), &[])[0]
            .message
            .contains("1 to 80 characters")
    );
}

#[test]
fn what_can_run_but_hardly_means_what_it_says_is_a_warning() {
    let text = json!({"StartAt": "C", "States": {
        "C": {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": true, "Next": "E"}]},
        "E": {"Type": "Succeed"},
        "Lost": {"Type": "Pass", "Next": "E"},
    }});
    let found = problems(&text.to_string(), &[]);
    let told: Vec<(&str, Severity)> = found
        .iter()
        .map(|p| (p.pointer.as_str(), p.severity))
        .collect();
    assert_eq!(
        told,
        [
            ("/States/C", Severity::Warning),
            ("/States/Lost", Severity::Warning)
        ]
    );
    assert!(keylane_workflow::Definition::check(text.to_string().as_bytes(), &[]).is_ok());
}

#[test]
fn text_that_is_no_json_is_told_at_its_place() {
    for (text, line, column, words) in [
        (
            "{\n  \"StartAt\": \"A\",\n  oops\n}",
            3,
            3,
            "this is not JSON: expected a member's name",
        ),
        ("", 1, 1, "the text ends"),
        ("{} x", 1, 4, "follows"),
    ] {
        let found = problems(text, &[]);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].line, found[0].column), (line, column));
        assert!(found[0].message.contains(words), "{found:?}");
    }
    let twice = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","End":true,"End":false}}}"#;
    let found = problems(twice, &[]);
    assert_eq!(
        (found.len(), found[0].pointer.as_str(), found[0].column),
        (1, "/States/A/End", 56)
    );
    let invalid = keylane_workflow::Definition::check(b"{\"StartAt\": \"\xff\"}", &[]);
    assert!(
        invalid.is_err_and(|found| found[0].message.contains("UTF-8") && found[0].column == 14)
    );
}

#[test]
fn the_functions_that_may_be_called_are_known() {
    let check = |resource: &str, parameters: Value| {
        let state = json!({"Type": "Task", "Resource": resource, "Parameters": parameters});
        let definition = support::definition(&single(state), &["lastpx", "side"]);
        definition
            .functions_used()
            .iter()
            .copied()
            .collect::<Vec<u16>>()
    };
    assert_eq!(check("side", json!({})), [1]);
    let invoke = "arn:aws:states:::lambda:invoke";
    assert_eq!(
        check(invoke, json!({"FunctionName": "lastpx:$LATEST"})),
        [0]
    );
    assert_eq!(check(invoke, json!({"FunctionName.$": "$.f"})), [0, 1]);
}
