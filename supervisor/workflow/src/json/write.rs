//! From values to text. What already has text is copied.

use super::node::{Node, Shape};
use std::fmt::Write as _;

/// Appends the value's text.
pub(super) fn write_node(node: &Node, out: &mut String) {
    match node {
        Node::Null => out.push_str("null"),
        Node::Bool(true) => out.push_str("true"),
        Node::Bool(false) => out.push_str("false"),
        Node::Number(number) => {
            // Writing to a String cannot fail.
            let _ = write!(out, "{number}");
        }
        Node::String(text) => write_string(text, out),
        Node::Tree(tree) => match tree.known_text() {
            Some(text) => out.push_str(text.as_str()),
            None => write_shape(tree.shape(), out),
        },
    }
}

/// Appends the text of a container. Recursion is bounded as [`Node::is_too_deep`] says.
pub(super) fn write_shape(shape: &Shape, out: &mut String) {
    match shape {
        Shape::Scalar(node) => write_node(node, out),
        Shape::Array(elements) => {
            out.push('[');
            for (place, node) in elements.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write_node(node, out);
            }
            out.push(']');
        }
        Shape::Object(object) => {
            out.push('{');
            for (place, (key, node)) in object.members().iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write_string(key, out);
                out.push(':');
                write_node(node, out);
            }
            out.push('}');
        }
    }
}

/// Appends a string with its quotes and escapes.
pub(crate) fn write_string(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(place) = rest
        .bytes()
        .position(|b| b < 0x20 || b == b'"' || b == b'\\')
    {
        let (plain, special) = rest.split_at(place);
        out.push_str(plain);
        let mut chars = special.chars();
        match chars.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some(other) => {
                let _ = write!(out, "\\u{:04x}", u32::from(other));
            }
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out.push('"');
}
