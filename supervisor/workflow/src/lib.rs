//! The States Language: syntax, check, data flow, step. Pure.
//!
//! [`Definition::check`] turns a definition into a program, or tells everything that is wrong with
//! it. [`Execution`] runs the program without threads, clocks or I/O: its host polls it, carries
//! out the calls that it asks for, and tells it how they ended and what time it is. Data goes
//! through as [`Data`], parsed only where the definition looks inside.
//!
//! # What is supported
//! The States Language in JSONPath mode: the eight states with their fields, inline Map, Retry and
//! Catch, `Assign` and variables, the context object, the eighteen intrinsic functions. JSONata and
//! distributed Map are refused by the check; so are resources other than functions, `Task.Token`
//! callbacks among them.
//!
//! # Where the service leaves room, or this departs from it
//! - `HeartbeatSeconds` and its Path form are checked and evaluated; nothing enforces them, as a
//!   function (like one of the service's) has no way to send a heartbeat.
//! - `ToleratedFailure...` work in an inline Map. An item whose failure is tolerated leaves an object
//!   with `Error` and `Cause` in its place of the result.
//! - Paths have the service's flavour (Jayway's) without a step in slices, without functions but
//!   `length()` as the last step, and with the filter operators `==`, `!=`, `<`, `<=`, `>`, `>=`,
//!   `in`, `nin`, `&&`, `||`, `!`; the check refuses others by name.
//! - State data may have as many bytes as [`Context::data_limit`] says, by default sixty-four times
//!   the service's, and `JSON_DEPTH` levels; beyond, a state fails with `States.DataLimitExceeded`.
//!   That error can be caught by its own name only, `States.Runtime` not at all.
//! - A failed intrinsic function is `States.IntrinsicFailure`, a path that selects nothing
//!   `States.Runtime`, a Choice without a match `States.NoChoiceMatched`.
//! - Unreachable states, a Choice without `Default` and `Credentials` are warnings.
//! - Random numbers follow from [`Context::seed`]: they are reproducible, not secret.
//!
//! `tests/oracle/` records what moto's interpreter and two published validators answer to several
//! hundred definitions, with a reason for each difference.
#![forbid(unsafe_code)]

mod definition;
mod expression;
mod fault;
mod json;
mod path;
mod random;
mod run;
mod time;

pub use definition::{Definition, Problem, Severity};
pub use fault::TaskError;
pub use json::{Data, JsonFault, Text};
pub use run::{
    Call, CallId, Context, Detail, Event, Execution, Failed, Fan, FanId, Loan, LoanBranch, Poll,
};
pub use time::format as timestamp;
