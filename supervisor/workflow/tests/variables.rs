//! Variables, by hand: moto fails on `Assign`, so each case names the documented rule that it holds
//! to. The rules are those of the service's page on passing data with variables, from memory.

#![cfg(test)]

mod support;

use keylane_workflow::{Context, Data, Definition, Execution};
use serde_json::{Value, json};
use support::{fail, pure, run};

/// Runs states that start at "A" without functions.
fn output(states: Value, input: Value) -> Result<Value, String> {
    pure(json!({"StartAt": "A", "States": states}), input).map_err(|failed| failed.error)
}

fn show(names: &[&str]) -> Value {
    let members = names
        .iter()
        .map(|name| (format!("{name}.$"), json!(format!("${name}"))));
    json!({"Type": "Pass", "End": true, "Parameters": members.collect::<serde_json::Map<_, _>>()})
}

#[test]
fn what_variables_hold_follows_the_documented_rules() {
    let set = |assign: Value| json!({"Type": "Pass", "Assign": assign, "Next": "B"});
    let cases = [
        (
            "an expression of an Assign sees the values from before the state",
            json!({
                "A": set(json!({"x": 1, "y": 2})),
                "B": {"Type": "Pass", "Assign": {"x.$": "$y", "y.$": "$x"}, "Next": "C"},
                "C": show(&["x", "y"]),
            }),
            json!({"x": 2, "y": 1}),
        ),
        (
            "a state's own fields see the values from before its Assign",
            json!({
                "A": set(json!({"x": "old"})),
                "B": {"Type": "Pass", "Parameters": {"seen.$": "$x"}, "Assign": {"x": "new"},
                      "Next": "C"},
                "C": {"Type": "Pass", "Parameters": {"seen.$": "$.seen", "x.$": "$x"}, "End": true},
            }),
            json!({"seen": "old", "x": "new"}),
        ),
        (
            "an Assign sees the result, not the output that ResultPath makes of it",
            json!({
                "A": {"Type": "Pass", "Result": {"r": 1}, "ResultPath": null,
                      "Assign": {"x.$": "$.r"}, "Next": "B"},
                "B": show(&["x"]),
            }),
            json!({"x": 1}),
        ),
        (
            "a value may be any JSON, whole objects and lists too, and a part can be read",
            json!({
                "A": set(json!({"x": {"deep": [1, {"n": null}]}})),
                "B": {"Type": "Pass", "End": true,
                      "Parameters": {"all.$": "$x", "part.$": "$x.deep[1].n", "first.$": "$x.deep[0]"}},
            }),
            json!({"all": {"deep": [1, {"n": null}]}, "part": null, "first": 1}),
        ),
        (
            "an inner scope reads the outer's variables; what it assigns under a new name ends with it",
            json!({
                "A": set(json!({"x": 10})),
                "B": {"Type": "Map", "ItemsPath": "$", "Next": "C", "ItemProcessor": {
                    "StartAt": "I", "States": {
                        "I": {"Type": "Pass", "Assign": {"sum.$": "States.MathAdd($x, $)"}, "Next": "J"},
                        "J": {"Type": "Pass", "Parameters": {"sum.$": "$sum"}, "OutputPath": "$.sum",
                              "End": true}}}},
                "C": {"Type": "Pass", "End": true, "Parameters": {"sums.$": "$", "x.$": "$x"}},
            }),
            json!({"sums": [11, 12], "x": 10}),
        ),
        (
            "an Assign of a Map or Parallel sees the results and writes the outer scope",
            json!({
                "A": {"Type": "Parallel", "Assign": {"x.$": "$[1]"}, "Next": "B", "Branches": [
                    {"StartAt": "L", "States": {"L": {"Type": "Pass", "Result": "l", "End": true}}},
                    {"StartAt": "R", "States": {"R": {"Type": "Pass", "Result": "r", "End": true}}}]},
                "B": show(&["x"]),
            }),
            json!({"x": "r"}),
        ),
    ];
    for (rule, states, expected) in cases {
        assert_eq!(output(states, json!([1, 2])), Ok(expected), "{rule}");
    }
}

#[test]
fn a_variable_that_was_never_assigned_fails_the_state() {
    let never = json!({"A": show(&["never"])});
    assert_eq!(output(never, json!({})), Err("States.Runtime".to_owned()));
    let sibling = json!({
        "A": {"Type": "Parallel", "End": true, "Branches": [
            {"StartAt": "L", "States": {"L": {"Type": "Pass", "Assign": {"mine": 1}, "End": true}}},
            {"StartAt": "W", "States": {
                "W": {"Type": "Wait", "Seconds": 1, "Next": "R"}, "R": show(&["mine"])}}]},
    });
    // Branches see the scope around them, never each other's.
    assert_eq!(output(sibling, json!({})), Err("States.Runtime".to_owned()));
}

#[test]
fn a_failed_attempt_assigns_nothing_and_a_catchers_assign_sees_the_error() {
    let text = json!({"StartAt": "A", "States": {
        "A": {"Type": "Pass", "Assign": {"x": "before", "e": "none"}, "Next": "T"},
        "T": {"Type": "Task", "Resource": "f", "Assign": {"x": "after"}, "Next": "Z",
              "Catch": [{"ErrorEquals": ["E"], "Assign": {"e.$": "$.Error"}, "Next": "Z"}]},
        "Z": show(&["x", "e"]),
    }});
    let caught = run(text.clone(), json!({}), |_| fail("E", "why"));
    assert_eq!(caught, Ok(json!({"x": "before", "e": "E"})));
    let went_well = run(text, json!({}), |_| Ok(json!(1)));
    assert_eq!(went_well, Ok(json!({"x": "after", "e": "none"})));
}

/// What the check says of a definition's variables, each at its pointer.
fn told(states: Value) -> Vec<(String, String)> {
    let text = json!({"StartAt": "A", "States": states}).to_string();
    let problems = Definition::check(text.as_bytes(), &["f".to_owned()]).err();
    let problems = problems.unwrap_or_default();
    problems
        .into_iter()
        .map(|p| (p.pointer, p.message))
        .collect()
}

#[test]
fn an_inner_scope_cannot_assign_under_the_name_of_an_outer_ones_variable() {
    let inner = |assign: Value| json!({"Type": "Pass", "Assign": assign, "End": true});
    let fan = |assign: Value| {
        json!({
            "A": {"Type": "Parallel", "Next": "B", "Branches": [
                {"StartAt": "L", "States": {"L": {
                    "Type": "Map", "ItemsPath": "$", "End": true, "ItemProcessor": {
                        "StartAt": "I", "States": {"I": inner(assign)}}}}},
                {"StartAt": "R", "States": {"R": inner(json!({"mine": 1}))}}]},
            // Assigned after the inner scope: the name is taken all the same.
            "B": {"Type": "Pass", "Assign": {"x": 1}, "End": true},
        })
    };
    let [(pointer, message)] = &told(fan(json!({"x.$": "$"})))[..] else {
        panic!("one problem is expected");
    };
    let deep = "/States/A/Branches/0/States/L/ItemProcessor/States/I/Assign/x.$";
    assert_eq!(pointer, deep);
    assert!(
        message.starts_with("\"x\" is a variable of the states around"),
        "{message}"
    );
    // Scopes beside each other may use one name.
    assert_eq!(told(fan(json!({"mine": 2}))), []);
    let catcher = json!({"A": {"Type": "Pass", "Assign": {"e": 1}, "Next": "P"},
        "P": {"Type": "Parallel", "End": true, "Branches": [{"StartAt": "T", "States": {
            "T": {"Type": "Task", "Resource": "f", "End": true, "Catch": [
                {"ErrorEquals": ["E"], "Assign": {"e": 2}, "Next": "Z"}]},
            "Z": {"Type": "Succeed"}}}]}});
    assert_eq!(told(catcher).len(), 1);
}

#[test]
fn names_of_variables_are_identifiers_of_at_most_eighty_characters() {
    let named = |name: &str| {
        let assign = json!({name: 1});
        told(json!({"A": {"Type": "Pass", "Assign": assign, "End": true}})).len()
    };
    let long = "n".repeat(80);
    for good in ["x", "aB_9", "gr\u{f6}\u{df}e", "\u{6f22}", &long] {
        assert_eq!(named(good), 0, "{good}");
    }
    for bad in [
        "",
        "9x",
        "_x",
        "a-b",
        "a b",
        "a.b",
        "$x",
        "states",
        &format!("{long}n"),
    ] {
        assert_eq!(named(bad), 1, "{bad}");
    }
}

#[test]
fn variables_together_have_a_limit_and_what_is_assigned_anew_counts_once() {
    let run = |states: Value| {
        let definition = support::definition(&json!({"StartAt": "A", "States": states}), &[]);
        let context = Context {
            data_limit: 1000,
            ..Context::default()
        };
        let input = Data::from_value(json!("v".repeat(900)));
        let mut execution = Execution::new(definition, context, input);
        let ended = support::finish(&mut execution, |_, _| unreachable!("there is no function"));
        ended.map_err(|failed| failed.error)
    };
    let set = |name: String, next: &str| json!({"Type": "Pass", "Assign": {format!("{name}.$"): "$"}, "Next": next});
    // Forty times a state's data: forty-four of these fit, forty-five do not.
    let chain = |count: usize, name: &dyn Fn(usize) -> String| {
        let mut states = serde_json::Map::new();
        for at in 0..count {
            let state = if at == 0 {
                "A".to_owned()
            } else {
                format!("S{at}")
            };
            let next = if at + 1 == count {
                "Z".to_owned()
            } else {
                format!("S{}", at + 1)
            };
            states.insert(state, set(name(at), &next));
        }
        states.insert("Z".to_owned(), json!({"Type": "Succeed"}));
        Value::Object(states)
    };
    let each = |at: usize| format!("v{at}");
    assert_eq!(run(chain(44, &each)).err(), None);
    assert_eq!(
        run(chain(45, &each)).unwrap_err(),
        "States.DataLimitExceeded"
    );
    assert_eq!(run(chain(200, &|_| "same".to_owned())).err(), None);
    // The variables of a branch that is over are gone, and so are their bytes.
    let items = vec![""; 100];
    let map = json!({
        "A": {"Type": "Pass", "Result": {"items": items, "v": "v".repeat(420)}, "Next": "M"},
        "M": {"Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": 1, "ResultPath": null,
              "End": true, "ItemSelector": {"v.$": "$.v"}, "ItemProcessor": {
                "StartAt": "I", "States": {
                    "I": {"Type": "Pass", "Assign": {"mine.$": "$.v"}, "OutputPath": null,
                          "End": true}}}},
    });
    assert_eq!(run(map).err(), None);
    // One Assign, as one state's data.
    let both = json!({"A": {"Type": "Pass", "Assign": {"x.$": "$", "y.$": "$"}, "End": true}});
    assert_eq!(run(both).unwrap_err(), "States.DataLimitExceeded");
}
