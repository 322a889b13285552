//! Laws of the data flow, on values, paths and templates made from a fixed sequence of numbers.

#![cfg(test)]

mod support;

use serde_json::{Value, json};
use support::{pure, single};

/// A sequence of choices.
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("fits") % bound
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 5 } else { 8 }) {
            0 => Value::Null,
            1 => json!(self.below(9)),
            2 => json!(0.25 * f64::from(u8::try_from(self.below(99)).expect("small"))),
            3 => json!(["x", "é\u{1F600}", "", "$.a"][self.below(4)]),
            4 => json!(self.below(2) == 0),
            5 => {
                let length = self.below(4);
                json!(
                    (0..length)
                        .map(|_| self.value(depth - 1))
                        .collect::<Vec<_>>()
                )
            }
            _ => {
                let mut members = serde_json::Map::new();
                for _ in 0..self.below(4) {
                    members.insert(self.name().to_owned(), self.value(depth - 1));
                }
                Value::Object(members)
            }
        }
    }

    fn name(&mut self) -> &'static str {
        ["a", "b", "c", "d e"][self.below(4)]
    }

    /// A path of names and indices: its text and its JSON pointer.
    fn path(&mut self) -> (String, Vec<Step>) {
        let mut text = "$".to_owned();
        let mut steps = Vec::new();
        for _ in 0..self.below(4) {
            if self.below(3) == 0 {
                let index = self.below(3);
                text.push_str(&format!("[{index}]"));
                steps.push(Step::Index(index));
            } else {
                let name = self.name();
                text.push_str(&format!("['{name}']"));
                steps.push(Step::Name(name));
            }
        }
        (text, steps)
    }
}

enum Step {
    Name(&'static str),
    Index(usize),
}

fn get<'v>(value: &'v Value, steps: &[Step]) -> Option<&'v Value> {
    steps.iter().try_fold(value, |value, step| match step {
        Step::Name(name) => value.as_object()?.get(*name),
        Step::Index(index) => value.as_array()?.get(*index),
    })
}

/// What a ResultPath does: names are made where nothing or null is, indices must be there.
fn put(into: Option<Value>, steps: &[Step], result: Value) -> Option<Value> {
    let Some((step, rest)) = steps.split_first() else {
        return Some(result);
    };
    match (step, into) {
        (Step::Name(name), None | Some(Value::Null)) => {
            Some(json!({ *name: put(None, rest, result)? }))
        }
        (Step::Name(name), Some(Value::Object(mut members))) => {
            let inner = put(members.get(*name).cloned(), rest, result)?;
            members.insert((*name).to_owned(), inner);
            Some(Value::Object(members))
        }
        (Step::Index(index), Some(Value::Array(mut elements))) => {
            let inner = put(Some(elements.get(*index)?.clone()), rest, result)?;
            elements[*index] = inner;
            Some(Value::Array(elements))
        }
        _ => None,
    }
}

#[test]
fn a_result_path_puts_the_result_there_and_changes_nothing_else() {
    let mut draws = Draws(1);
    let mut fits = 0;
    for _ in 0..3000 {
        let (input, result) = (draws.value(3), draws.value(2));
        let (path, steps) = draws.path();
        let state = json!({"Type": "Pass", "Result": result, "ResultPath": path});
        let outcome = pure(single(state), input.clone()).map_err(|failed| failed.error);
        let expected = put(Some(input.clone()), &steps, result)
            .ok_or_else(|| "States.ResultPathMatchFailure".to_owned());
        fits += usize::from(expected.is_ok());
        assert_eq!(outcome, expected, "{path} of {input}");
    }
    assert!((500..2500).contains(&fits), "{fits}");
}

#[test]
fn paths_select_the_same_in_every_field_that_takes_one() {
    let mut draws = Draws(2);
    let mut found = 0;
    for _ in 0..1000 {
        let input = draws.value(3);
        let (path, steps) = draws.path();
        let expected = get(&input, &steps).cloned();
        found += usize::from(expected.is_some());
        let expected = expected.ok_or_else(|| "States.Runtime".to_owned());
        let run = |state: Value| pure(single(state), input.clone()).map_err(|failed| failed.error);
        let input_path = run(json!({"Type": "Pass", "InputPath": path}));
        let output_path = run(json!({"Type": "Pass", "OutputPath": path}));
        let template = run(json!({"Type": "Pass", "Parameters": {"x": [{"y.$": path}]}}));
        let called =
            run(json!({"Type": "Pass", "Parameters": {"r.$": format!("States.Array({path})")}}));
        assert_eq!(input_path, expected, "{path} of {input}");
        assert_eq!(output_path, expected, "{path} of {input}");
        let wrapped = expected.clone().map(|value| json!({"x": [{"y": value}]}));
        assert_eq!(template, wrapped, "{path} of {input}");
        assert_eq!(
            called,
            expected.map(|value| json!({"r": [value]})),
            "{path} of {input}"
        );
    }
    assert!((200..900).contains(&found), "{found}");
}

#[test]
fn intrinsic_functions_undo_each_other() {
    let mut draws = Draws(3);
    for _ in 0..1000 {
        let input = json!({"v": draws.value(3), "k": draws.value(2), "n": 1 + draws.below(4)});
        let state = json!({"Type": "Pass", "Parameters": {
            "json.$": "States.StringToJson(States.JsonToString($.v))",
            "base64.$": "States.Base64Decode(States.Base64Encode(States.JsonToString($.v)))",
            "plain.$": "States.JsonToString($.v)",
            "parts.$": "States.ArrayPartition(States.Array($.v, $.k, $.v), $.n)",
            "unique.$": "States.ArrayUnique(States.Array($.v, $.k, $.v))",
            "has.$": "States.ArrayContains(States.Array($.k, $.v), $.v)",
            "range.$": "States.ArrayLength(States.ArrayRange(1, $.n, 1))",
        }});
        let output = pure(single(state), input.clone()).expect("it runs");
        assert_eq!(output["json"], input["v"], "{input}");
        assert_eq!(output["base64"], output["plain"], "{input}");
        let parts = output["parts"].as_array().expect("parts");
        let joined: Vec<Value> = parts
            .iter()
            .flat_map(|part| part.as_array().expect("part").clone())
            .collect();
        assert_eq!(
            json!(joined),
            json!([input["v"], input["k"], input["v"]]),
            "{input}"
        );
        let distinct = if input["v"] == input["k"] { 1 } else { 2 };
        assert_eq!(
            output["unique"].as_array().map(Vec::len),
            Some(distinct),
            "{input}"
        );
        assert_eq!(output["has"], json!(true), "{input}");
        assert_eq!(output["range"], input["n"], "{input}");
    }
}
