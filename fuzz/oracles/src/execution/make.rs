//! Definitions from bytes: chains of states that lead to the next one or back, with everything that
//! the interpreter has.

use crate::bytes::Bytes;
use serde_json::{Map, Value, json};

const PATHS: [&str; 12] = [
    "$",
    "$.n",
    "$.s",
    "$.a.b",
    "$.a.b[0]",
    "$.items",
    "$.items[*].k",
    "$.items[?(@.k > 1)]",
    "$.none",
    "$.z",
    "$$.Execution.Input.n",
    "$$.State.RetryCount",
];
const CALLS: [&str; 10] = [
    "States.Format('{}-{}', $.n, $.s)",
    "States.Array($.n, $.z, 'x')",
    "States.ArrayRange(0, $.n, 1)",
    "States.MathAdd($.n, 1)",
    "States.JsonToString($)",
    "States.StringToJson($.s)",
    "States.ArrayPartition($.items, 2)",
    "States.Hash($.s, 'SHA-256')",
    "States.UUID()",
    "States.ArrayGetItem($.items, $.n)",
];
const PLACES: [&str; 5] = ["$", "$.r", "$.a.r", "$.a.b[1]", "$.s.x"];

/// A definition whose functions are `f` and `g`, and which the check accepts.
pub fn definition(bytes: &mut Bytes<'_>) -> Value {
    let mut maker = Maker { names: 0, depth: 0 };
    let mut whole = maker.machine(bytes, 2);
    if bytes.below(4) == 3 {
        set(&mut whole, "TimeoutSeconds", json!(1 + bytes.below(5)));
    }
    whole
}

/// Puts a member into an object.
fn set(state: &mut Value, name: &str, value: Value) {
    if let Some(members) = state.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

/// Gives names that no other state has, and variables that no scope around their own has.
struct Maker {
    names: u32,
    /// How many scopes are still possible within the one that is made.
    depth: u8,
}

impl Maker {
    fn machine(&mut self, bytes: &mut Bytes<'_>, depth: u8) -> Value {
        let names: Vec<String> = (0..=bytes.below(4))
            .map(|_| {
                self.names += 1;
                format!("S{}", self.names)
            })
            .collect();
        let mut states = Map::new();
        let around = std::mem::replace(&mut self.depth, depth);
        for (place, name) in names.iter().enumerate() {
            let next = names.get(place + 1).map(String::as_str);
            let state = self.state(bytes, depth, next, &names);
            states.insert(name.clone(), state);
        }
        self.depth = around;
        json!({"StartAt": names.first(), "States": states})
    }

    /// A state that leads to the next one, or is an end where there is none.
    fn state(
        &mut self,
        bytes: &mut Bytes<'_>,
        depth: u8,
        next: Option<&str>,
        all: &[String],
    ) -> Value {
        let kinds = match (next, depth) {
            (None, 0) => &["Pass", "Task", "Succeed", "Fail", "Wait"][..],
            (None, _) => &["Pass", "Task", "Succeed", "Fail", "Wait", "Map", "Parallel"],
            (Some(_), 0) => &["Pass", "Task", "Wait", "Choice"],
            (Some(_), _) => &["Pass", "Task", "Wait", "Choice", "Map", "Parallel"],
        };
        let kind = bytes.pick("Pass", kinds);
        let mut state = json!({"Type": kind});
        match (kind, next) {
            ("Succeed" | "Fail" | "Choice", _) => {}
            (_, Some(next)) => set(&mut state, "Next", json!(next)),
            (_, None) => set(&mut state, "End", json!(true)),
        }
        if kind != "Fail" && bytes.below(4) == 3 {
            set(&mut state, "InputPath", json!(self.path(bytes)));
        }
        if kind != "Fail" && bytes.below(6) == 5 {
            set(&mut state, "OutputPath", json!(self.path(bytes)));
        }
        match kind {
            "Fail" => set(
                &mut state,
                "Error",
                json!(bytes.pick("E", &["F", "States.Timeout"])),
            ),
            "Wait" => match bytes.below(4) {
                0 => set(&mut state, "SecondsPath", json!("$.n")),
                1 => set(&mut state, "Timestamp", json!("1970-01-01T00:00:02Z")),
                _ => set(&mut state, "Seconds", json!(bytes.below(4))),
            },
            "Choice" => {
                // Back or forth: a loop is bounded by the polls.
                let to = all.get(bytes.below(all.len())).map_or("", String::as_str);
                let mut rule = self.rule(bytes, 2);
                set(&mut rule, "Next", json!(to));
                set(&mut state, "Choices", json!([rule]));
                set(&mut state, "Default", json!(next));
            }
            "Pass" => {
                if bytes.below(2) == 1 {
                    set(&mut state, "Parameters", self.template(bytes, 2));
                }
                set(&mut state, "ResultPath", json!(bytes.pick("$.r", &PLACES)));
                self.assign(bytes, &mut state);
            }
            "Task" => {
                set(&mut state, "Resource", json!(bytes.pick("f", &["g"])));
                if bytes.below(3) == 2 {
                    set(&mut state, "TimeoutSeconds", json!(1 + bytes.below(3)));
                }
                self.work(bytes, &mut state, next);
            }
            "Map" => {
                set(
                    &mut state,
                    "ItemsPath",
                    json!(bytes.pick("$.items", &["$.a.b", "$.n", "$.items[*].k"])),
                );
                if bytes.below(2) == 1 {
                    set(
                        &mut state,
                        "ItemSelector",
                        json!({"n.$": "$$.Map.Item.Index", "s": "f", "items.$": "$.items", "a.$": "$.a"}),
                    );
                }
                set(&mut state, "MaxConcurrency", json!(bytes.below(3)));
                if bytes.below(3) == 2 {
                    set(&mut state, "ToleratedFailureCount", json!(bytes.below(3)));
                }
                set(&mut state, "ItemProcessor", self.machine(bytes, depth - 1));
                self.work(bytes, &mut state, next);
            }
            "Parallel" => {
                let branches: Vec<Value> = (0..=bytes.below(3))
                    .map(|_| self.machine(bytes, depth - 1))
                    .collect();
                set(&mut state, "Branches", json!(branches));
                self.work(bytes, &mut state, next);
            }
            _ => {}
        }
        state
    }

    /// What Task, Map and Parallel have in common.
    fn work(&mut self, bytes: &mut Bytes<'_>, state: &mut Value, next: Option<&str>) {
        if state.get("Type") != Some(&json!("Map")) && bytes.below(3) == 2 {
            set(state, "Parameters", self.template(bytes, 1));
        }
        if bytes.below(4) == 3 {
            set(
                state,
                "ResultSelector",
                json!({"all.$": "$", "one.$": bytes.pick("$", &["$[0]", "$.c"])}),
            );
        }
        set(state, "ResultPath", json!(bytes.pick("$.r", &PLACES)));
        if bytes.below(2) == 1 {
            let errors = bytes.pick("E", &["States.ALL", "States.TaskFailed", "States.Timeout"]);
            set(
                state,
                "Retry",
                json!([{
                    "ErrorEquals": [errors], "MaxAttempts": bytes.below(3), "BackoffRate": 1.5,
                    "JitterStrategy": bytes.pick("NONE", &["FULL"]),
                }]),
            );
        }
        if let (Some(next), 1) = (next, bytes.below(2)) {
            let errors = bytes.pick(
                "E",
                &[
                    "States.ALL",
                    "States.TaskFailed",
                    "States.DataLimitExceeded",
                ],
            );
            let place = bytes.pick("$.e", &PLACES);
            set(
                state,
                "Catch",
                json!([{"ErrorEquals": [errors], "ResultPath": place, "Next": next}]),
            );
        }
        self.assign(bytes, state);
    }

    fn assign(&mut self, bytes: &mut Bytes<'_>, state: &mut Value) {
        if bytes.below(4) == 3 {
            let depth = self.depth;
            let assigned = json!({
                format!("x{depth}"): bytes.byte(), format!("y{depth}.$"): self.path(bytes),
            });
            set(state, "Assign", assigned);
        }
    }

    fn path(&mut self, bytes: &mut Bytes<'_>) -> &'static str {
        bytes.pick("$", &PATHS)
    }

    fn template(&mut self, bytes: &mut Bytes<'_>, depth: u8) -> Value {
        let mut members = Map::new();
        for name in ["n", "s", "items", "a"].iter().take(1 + bytes.below(4)) {
            let (name, value) = match bytes.below(6) {
                0 => ((*name).to_owned(), json!(bytes.byte())),
                1 => (format!("{name}.$"), json!(bytes.pick("$.n", &CALLS))),
                2 if depth > 0 => ((*name).to_owned(), self.template(bytes, depth - 1)),
                3 if depth > 0 => (
                    (*name).to_owned(),
                    json!([self.template(bytes, depth - 1), null]),
                ),
                4 => (
                    format!("{name}.$"),
                    json!(bytes.pick("$.n", &["$x2", "$y2", "$x1", "$y0"])),
                ),
                _ => (format!("{name}.$"), json!(self.path(bytes))),
            };
            members.insert(name, value);
        }
        Value::Object(members)
    }

    fn rule(&mut self, bytes: &mut Bytes<'_>, depth: u8) -> Value {
        match bytes.below(8) {
            0 if depth > 0 => json!({"Not": self.rule(bytes, depth - 1)}),
            1 if depth > 0 => {
                json!({"And": [self.rule(bytes, depth - 1), self.rule(bytes, depth - 1)]})
            }
            2 if depth > 0 => {
                json!({"Or": [self.rule(bytes, depth - 1), self.rule(bytes, depth - 1)]})
            }
            3 => json!({"Variable": self.path(bytes), "NumericLessThan": bytes.byte() % 7}),
            4 => {
                json!({"Variable": self.path(bytes), "StringMatches": bytes.pick("*", &["h*", "?"])})
            }
            5 => json!({"Variable": self.path(bytes), "IsPresent": bytes.below(2) == 1}),
            6 => json!({"Variable": "$.n", "NumericEqualsPath": self.path(bytes)}),
            _ => json!({"Variable": self.path(bytes), "IsNull": false}),
        }
    }
}
