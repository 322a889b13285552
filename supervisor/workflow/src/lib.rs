//! The States Language: syntax, check, data flow, step. Pure.
//!
//! [`Definition::check`] turns a definition into a program, or tells everything that is wrong with
//! it. [`Execution`] runs the program without threads, clocks or I/O: its host polls it, carries
//! out the calls that it asks for, and tells it how they ended and what time it is. Data goes
//! through as [`Data`], parsed only where the definition looks inside.
//!
//! docs/STATES-LANGUAGE.md says what is supported, what is missing, where this departs from the
//! service, and how it compares with other interpreters and validators.
#![forbid(unsafe_code)]

mod definition;
mod expression;
mod fault;
mod json;
mod path;
mod random;
mod run;
mod time;

pub use definition::{Definition, Problem, Severity, function_name, resource_function};
pub use fault::TaskError;
pub use json::{Data, JsonFault, Text};
pub use run::{
    Call, CallId, Context, Detail, Event, Execution, Failed, Fan, FanId, Loan, LoanBranch, Poll,
};
pub use time::format as timestamp;
