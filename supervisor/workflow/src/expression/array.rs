//! The intrinsic functions on arrays.

use super::call::Arguments;
use crate::fault::TaskError;
use crate::json::{Node, View, write_string};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Elements that `States.ArrayRange` may make; the service's limit.
const RANGE: usize = 1000;

pub(super) fn partition(arguments: &Arguments<'_>) -> Result<Node, TaskError> {
    let array = arguments.array(0)?;
    match usize::try_from(arguments.integer(1)?) {
        Ok(size) if size > 0 => Ok(Node::array(
            array
                .chunks(size)
                .map(|chunk| Node::array(chunk.to_vec()))
                .collect(),
        )),
        _ => arguments.fail("argument 2 must be at least 1"),
    }
}

pub(super) fn contains(arguments: &Arguments<'_>) -> Result<Node, TaskError> {
    let wanted = arguments.any(1)?;
    Ok(Node::Bool(
        arguments
            .array(0)?
            .iter()
            .any(|element| element.same(wanted)),
    ))
}

pub(super) fn range(arguments: &Arguments<'_>) -> Result<Node, TaskError> {
    let (first, last) = (arguments.integer(0)?, arguments.integer(1)?);
    let step = arguments.integer(2)?;
    if step == 0 {
        return arguments.fail("argument 3, the step, must not be 0");
    }
    let mut elements = Vec::new();
    let mut at = Some(first);
    while let Some(value) = at.filter(|at| if step > 0 { *at <= last } else { *at >= last }) {
        if elements.len() == RANGE {
            return arguments.fail(format!("a range has at most {RANGE} elements"));
        }
        elements.push(Node::int(value));
        at = value.checked_add(step);
    }
    Ok(Node::array(elements))
}

pub(super) fn get_item(arguments: &Arguments<'_>) -> Result<Node, TaskError> {
    let (array, index) = (arguments.array(0)?, arguments.integer(1)?);
    match usize::try_from(index)
        .ok()
        .and_then(|index| array.get(index))
    {
        Some(element) => Ok(element.clone()),
        None => arguments.fail(format!(
            "there is no element {index} in an array of {}",
            array.len()
        )),
    }
}

/// Keeps the first of equal elements.
pub(super) fn unique(arguments: &Arguments<'_>) -> Result<Node, TaskError> {
    let mut seen = BTreeSet::new();
    let mut kept = Vec::new();
    for element in arguments.array(0)? {
        let mut form = String::new();
        canonical(element, &mut form);
        if seen.insert(form) {
            kept.push(element.clone());
        }
    }
    Ok(Node::array(kept))
}

/// A text that equal values share. Recursion is bounded by the value's depth.
fn canonical(node: &Node, out: &mut String) {
    match node.view() {
        View::Null => out.push('n'),
        View::Bool(value) => out.push(if value { 't' } else { 'f' }),
        View::Number(number) => {
            // Writing to a String cannot fail.
            let _ = match number.as_i64() {
                Some(int) => write!(out, "{int}"),
                None => write!(out, "{:?}", number.as_f64()),
            };
        }
        View::String(text) => write_string(text, out),
        View::Array(elements) => {
            out.push('[');
            for element in elements {
                canonical(element, out);
                out.push(',');
            }
            out.push(']');
        }
        View::Object(object) => {
            let mut members: Vec<_> = object.members().iter().collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            out.push('{');
            for (key, value) in members {
                write_string(key, out);
                canonical(value, out);
                out.push(',');
            }
            out.push('}');
        }
    }
}
