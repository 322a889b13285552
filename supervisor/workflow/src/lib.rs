//! The States Language: syntax, check, data flow, step. Pure.
#![forbid(unsafe_code)]

mod definition;
mod expression;
mod fault;
mod json;
mod path;
mod random;
mod time;

pub use definition::{Definition, Problem, Severity};
pub use fault::TaskError;
pub use json::{Data, JsonFault, Text};
