//! The intrinsic functions on strings.

use super::call::Arguments;
use crate::fault::TaskError;
use crate::json::{Node, View};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::Digest as _;
use std::fmt::Write as _;

/// Characters that the encoding and hash functions accept; the service's limit.
const CHARACTERS: usize = 10_000;

/// A quoted argument without its escapes.
pub(super) fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(chars.next()),
            other => out.push(other),
        }
    }
    out
}

pub(super) fn format(arguments: &Arguments<'_>) -> Result<Node, TaskError> {
    let template = arguments.string(0)?;
    let mut values = arguments.values.iter().skip(1);
    let mut out = String::new();
    let mut chars = template.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(chars.next()),
            '{' if chars.peek() == Some(&'}') => {
                chars.next();
                let Some(value) = values.next() else {
                    return arguments.fail("the template has more `{}` than there are arguments");
                };
                arguments.fits(out.len().saturating_add(value.size()))?;
                plain(value, &mut out);
            }
            other => out.push(other),
        }
    }
    if values.next().is_some() {
        return arguments.fail("there are more arguments than `{}` in the template");
    }
    Ok(Node::string(out))
}

/// A value as the service writes it into a formatted string: strings bare, containers in the
/// manner of Java (`{a=[1, x]}`). Recursion is bounded by the value's depth.
fn plain(node: &Node, out: &mut String) {
    match node.view() {
        View::String(text) => out.push_str(text),
        View::Array(elements) => {
            out.push('[');
            for (place, element) in elements.iter().enumerate() {
                if place > 0 {
                    out.push_str(", ");
                }
                plain(element, out);
            }
            out.push(']');
        }
        View::Object(object) => {
            out.push('{');
            for (place, (key, value)) in object.members().iter().enumerate() {
                if place > 0 {
                    out.push_str(", ");
                }
                out.push_str(key);
                out.push('=');
                plain(value, out);
            }
            out.push('}');
        }
        View::Null | View::Bool(_) | View::Number(_) => out.push_str(node.text().as_str()),
    }
}

fn short<'a>(arguments: &'a Arguments<'_>) -> Result<&'a str, TaskError> {
    let text = arguments.string(0)?;
    if text.len() > CHARACTERS && text.chars().count() > CHARACTERS {
        return arguments.fail(format!("the string has more than {CHARACTERS} characters"));
    }
    Ok(text)
}

pub(super) fn base64_encode(arguments: &Arguments<'_>) -> Result<Node, TaskError> {
    Ok(Node::string(STANDARD.encode(short(arguments)?)))
}

pub(super) fn base64_decode(arguments: &Arguments<'_>) -> Result<Node, TaskError> {
    let decoded = STANDARD.decode(short(arguments)?).ok();
    match decoded.and_then(|bytes| String::from_utf8(bytes).ok()) {
        Some(text) => Ok(Node::string(text)),
        None => arguments.fail("the string is not base64 of UTF-8 text"),
    }
}

pub(super) fn hash(arguments: &Arguments<'_>) -> Result<Node, TaskError> {
    let text = short(arguments)?;
    let digest: Vec<u8> = match arguments.string(1)? {
        "MD5" => md5::Md5::digest(text).to_vec(),
        "SHA-1" => sha1::Sha1::digest(text).to_vec(),
        "SHA-256" => sha2::Sha256::digest(text).to_vec(),
        "SHA-384" => sha2::Sha384::digest(text).to_vec(),
        "SHA-512" => sha2::Sha512::digest(text).to_vec(),
        other => {
            return arguments.fail(format!(
                "`{other}` is none of MD5, SHA-1, SHA-256, SHA-384 and SHA-512"
            ));
        }
    };
    let mut out = String::with_capacity(digest.len() * 2);
    for byte in digest {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    Ok(Node::string(out))
}

/// Each character of the second argument separates; empty parts are left out.
pub(super) fn split(arguments: &Arguments<'_>) -> Result<Node, TaskError> {
    let (text, separators) = (arguments.string(0)?, arguments.string(1)?);
    let parts = text
        .split(|c| separators.contains(c))
        .filter(|part| !part.is_empty());
    Ok(Node::array(parts.map(Node::string).collect()))
}
