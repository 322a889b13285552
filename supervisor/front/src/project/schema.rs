//! `keylane.toml` as a JSON Schema (draft 7), for editors and other checkers.
//!
//! It accepts whatever the parser accepts and refuses what a schema can refuse. What it cannot say
//! is left to `keylane validate`: amounts written as text (`"16MiB"`) are not compared with their
//! range, and paths are counted in characters and not in bytes.

use super::key::{self, Key, Kind, Limit, Unit};
use super::quantity;
use keylane_policy::abi::message::Runtime;
use keylane_policy::limit;
use serde_json::{Map, Value, json};

/// What `keylane schema` prints.
pub fn document() -> Value {
    let mut function = table(&key::FUNCTION, "One function");
    if let Some(members) = function.as_object_mut() {
        members.insert("anyOf".into(), handlers());
    }
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "keylane.toml",
        "description": "A Keylane project: a workflow and its functions",
        "type": "object",
        "additionalProperties": false,
        "required": ["workflow", "functions"],
        "properties": {
            "workflow": table(&key::WORKFLOW, "The workflow"),
            "functions": {
                "description": "The functions, by the names that the definition calls them",
                "type": "object",
                "minProperties": 1,
                "maxProperties": limit::FUNCTIONS,
                "propertyNames": { "pattern": name_pattern() },
                "additionalProperties": function,
            },
        },
    })
}

/// Which handlers each runtime takes.
fn handlers() -> Value {
    let of = |(name, runtime): (&str, Runtime)| {
        let handler = match runtime {
            Runtime::Python => json!({ "pattern": python_handler() }),
            Runtime::Native => json!({ "pattern": native_handler() }),
        };
        json!({ "properties": { "runtime": { "enum": [name] }, "handler": handler } })
    };
    key::RUNTIMES.map(of).into()
}

/// Letters, digits and `_`, no digit first.
fn identifier() -> String {
    format!("[A-Za-z_][A-Za-z0-9_]{{0,{}}}", limit::NAME_BYTES - 1)
}

/// The rule of [`super::name::PythonHandler`].
fn python_handler() -> String {
    let identifier = identifier();
    format!("^({identifier}\\.)+{identifier}$")
}

/// The rule of [`super::name::NativeHandler`]: a path without a colon, or one with a symbol behind
/// the last colon.
fn native_handler() -> String {
    let symbol = format!("^((?!.*:)|(?=.*:{}$))", identifier());
    PATH_PATTERN.replacen('^', &symbol, 1)
}

fn table(keys: &[Key], about: &str) -> Value {
    let required: Vec<&str> = keys
        .iter()
        .filter(|key| key.example.is_some())
        .map(|key| key.name)
        .collect();
    let properties: Map<String, Value> = keys
        .iter()
        .map(|key| (key.name.to_owned(), property(key)))
        .collect();
    json!({
        "description": about,
        "type": "object",
        "additionalProperties": false,
        "required": required,
        "properties": properties,
    })
}

fn property(key: &Key) -> Value {
    let mut property = match key.kind {
        Kind::Name => json!({ "type": "string", "pattern": name_pattern() }),
        Kind::Path => path(),
        Kind::Paths => json!({ "type": "array", "minItems": 1, "items": path() }),
        // Which texts, `handlers` says.
        Kind::Handler => json!({ "type": "string" }),
        Kind::Runtime => json!({ "enum": key::RUNTIMES.map(|(name, _)| name) }),
        Kind::Compiled => json!({ "enum": key::COMPILED.map(|(name, _)| name) }),
        Kind::Reuse => json!({
            "enum": key::reuse_words(),
            "default": key::reuse_words().first(),
        }),
        Kind::Ports => json!({
            "type": "array", "minItems": 1,
            "items": { "type": "integer", "minimum": 1, "maximum": u16::MAX },
        }),
        Kind::Limit(limit) => number(limit),
    };
    let about = match key.kind {
        Kind::Limit(limit) => format!("{}, {}", key.about, range(limit)),
        _ => key.about.to_owned(),
    };
    if let Some(members) = property.as_object_mut() {
        members.insert("description".into(), about.into());
    }
    property
}

/// A number of a limit's unit; an amount of bytes may be a text as well.
fn number(limit: Limit) -> Value {
    let Limit { low, high, .. } = limit;
    match limit.unit {
        Unit::Bytes => json!({
            "anyOf": [
                { "type": "integer", "minimum": low, "maximum": high },
                { "type": "string", "pattern": "^[0-9]+\\s*(B|[KMGT]iB|[kKMG]B)?$" },
            ],
            "default": quantity::show(limit.default).replace(' ', ""),
        }),
        Unit::Milliseconds => json!({
            "type": "number",
            "minimum": low as f64 / 1000.0,
            "maximum": high / 1000,
            "default": limit.default / 1000,
        }),
        Unit::Count => json!({
            "type": "integer", "minimum": low, "maximum": high, "default": limit.default,
        }),
    }
}

/// A limit's range in words: `64 KiB to 1 GiB`, as in the manual's table.
pub(super) fn range(limit: Limit) -> String {
    match limit.unit {
        Unit::Bytes => format!(
            "{} to {}",
            quantity::show(limit.low),
            quantity::show(limit.high)
        ),
        Unit::Milliseconds => format!(
            "{} to {} seconds",
            limit.low as f64 / 1000.0,
            limit.high / 1000
        ),
        Unit::Count => format!("{} to {}", limit.low, limit.high),
    }
}

/// The rule of [`super::name::Name`].
fn name_pattern() -> String {
    format!("^[A-Za-z0-9_-]{{1,{}}}$", limit::NAME_BYTES)
}

/// The rule of [`super::name::RelativePath`]: not absolute, no part `..`, a part besides `.`, no
/// control character.
const PATH_PATTERN: &str =
    "^(?!/)(?!(.*/)?\\.\\.(/|$))(?=(.*/)?(?!\\.(/|$))[^/])[^\\u0000-\\u001f\\u007f-\\u009f]+$";

fn path() -> Value {
    json!({
        "type": "string",
        "maxLength": limit::PATH_BYTES,
        "pattern": PATH_PATTERN,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_schema_is_the_one_that_is_printed() {
        let shipped = include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../docs/keylane.schema.json"
        ));
        let printed = crate::render::report::document(&document().to_string(), false);
        assert!(
            shipped == printed,
            "write it anew: keylane schema > docs/keylane.schema.json"
        );
    }
}
