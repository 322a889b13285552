//! JSON that is validated once, parsed only where something looks inside, and written only where
//! no text exists yet.
//!
//! An attacker (a function's result, an execution's input, a definition) controls every byte that
//! enters through [`Data::from_untrusted`]. What passes is exactly one JSON value in UTF-8 whose
//! numbers fit a double, whose strings are Unicode, whose objects name each member once, and whose
//! nesting stays within `JSON_DEPTH`; so two readers of the same bytes read the same value.
//!
//! A value is a tree of shared nodes. A node knows its text, or its members, or both; each is made
//! from the other when it is first asked for. Cloning a node costs nothing, and writing a node
//! whose text is known is a copy of that text.

mod data;
mod node;
mod number;
mod parse;
mod scan;
pub(crate) mod spot;
mod text;
mod value;
mod write;

pub use data::Data;
pub use scan::JsonFault;
pub use text::Text;

pub(crate) use node::{Node, Object, View};
pub(crate) use number::Number;
pub(crate) use write::write_string;
