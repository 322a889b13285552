//! To and from `serde_json`'s values, for hosts that like them.

use super::node::{Node, View};
use super::number::Number;
use serde_json::{Map, Value};

/// The value as `serde_json` holds it. Recursion is bounded by the value's depth.
pub(super) fn to_value(node: &Node) -> Value {
    match node.view() {
        View::Null => Value::Null,
        View::Bool(value) => Value::Bool(value),
        View::Number(number) => to_number(number),
        View::String(text) => Value::String(text.to_owned()),
        View::Array(elements) => Value::Array(elements.iter().map(to_value).collect()),
        View::Object(object) => {
            let members = object.members().iter();
            Value::Object(
                members
                    .map(|(k, v)| (k.to_string(), to_value(v)))
                    .collect::<Map<_, _>>(),
            )
        }
    }
}

fn to_number(number: &Number) -> Value {
    let text = match number {
        Number::Int(int) => return Value::from(*int),
        Number::Text(text) => text,
    };
    match text.parse::<u64>() {
        Ok(int) => Value::from(int),
        Err(_) => Value::from(number.as_f64()),
    }
}

/// The node of a value that a host made.
pub(super) fn from_value(value: &Value) -> Node {
    match value {
        Value::Null => Node::Null,
        Value::Bool(value) => Node::Bool(*value),
        Value::Number(number) => Node::Number(Number::read(&number.to_string())),
        Value::String(text) => Node::string(text.as_str()),
        Value::Array(elements) => Node::array(elements.iter().map(from_value).collect()),
        Value::Object(members) => {
            let members = members.iter();
            Node::object(
                members
                    .map(|(k, v)| (k.as_str().into(), from_value(v)))
                    .collect(),
            )
        }
    }
}
