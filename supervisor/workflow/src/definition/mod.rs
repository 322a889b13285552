//! A workflow's definition: from text to a checked program, with every mistake at its place.
//!
//! The text comes from a tenant. Checking is linear in it but for suggestions, which look at short
//! names only; nothing is executed. What passes has no dangling transition, no unknown function
//! and no field that the interpreter would ignore in silence.

mod checker;
mod choice;
mod fan;
mod fields;
mod graph;
mod machine;
mod model;
mod problem;
mod retry;
mod state;
mod suggest;
mod syntax;
mod task;
mod values;
mod variables;

pub use model::Definition;
pub use problem::{Problem, Severity};

pub(crate) use model::{
    Amount, Catcher, Comparator, Kind, Map, Operand, ResultPlace, Retrier, Rule, Select, Span,
    State, Target, Task, Test, Wait, Words,
};
pub(crate) use suggest::nearest;
pub use task::{function_name, resource_function};
