//! The JSON that goes in and out of an execution.

use super::node::{Node, Tree};
use super::scan::{JsonFault, validate};
use super::text::Text;
use super::value;
use keylane_policy::limit::JSON_DEPTH;
use serde_json::Value;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// A JSON value; a clone costs no copy. Text that only passes through is neither parsed again nor
/// written again.
#[derive(Clone)]
pub struct Data {
    pub(crate) node: Node,
    value: OnceLock<Arc<Value>>,
}

impl Data {
    /// Validates foreign bytes, without building a tree, and keeps them. Accepted is exactly one
    /// JSON value: UTF-8, at most `JSON_DEPTH` levels, no NaN or Infinity, every number within a
    /// double's range, no lone surrogates, no member named twice.
    pub fn from_untrusted(text: Vec<u8>) -> Result<Data, JsonFault> {
        Data::within(text, JSON_DEPTH)
    }

    /// The same with other bounds on nesting.
    pub(crate) fn within(text: Vec<u8>, levels: usize) -> Result<Data, JsonFault> {
        let text = String::from_utf8(text).map_err(|error| {
            let offset = error.utf8_error().valid_up_to();
            JsonFault::new(offset, "these bytes are not UTF-8")
        })?;
        let learned = validate(&text, levels)?;
        let text = Text::whole(text, learned.spans);
        Ok(Data::from_node(Tree::from_text(text, learned.depth)))
    }

    /// A value that the host made.
    pub fn from_value(value: Value) -> Data {
        let node = value::from_value(&value);
        Data {
            node,
            value: OnceLock::from(Arc::new(value)),
        }
    }

    pub(crate) fn from_node(node: Node) -> Data {
        Data {
            node,
            value: OnceLock::new(),
        }
    }

    /// The JSON text.
    pub fn text(&self) -> Text {
        self.node.text()
    }

    /// Bytes of its text, without writing it; an estimate from below while nobody wrote it.
    pub fn size(&self) -> usize {
        self.node.size()
    }

    /// The value as a tree of `serde_json`.
    pub fn value(&self) -> &Value {
        self.value
            .get_or_init(|| Arc::new(value::to_value(&self.node)))
    }
}

impl PartialEq for Data {
    fn eq(&self, other: &Data) -> bool {
        self.node.same(&other.node)
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}
