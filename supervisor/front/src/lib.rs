//! The front: what a person or a program talks to.
//!
//! It reads projects, stages functions' files, checks the host, renders reports. It holds no key,
//! maps no tenant memory and has no `unsafe`; lanes and functions are hostile to it, and so are
//! the files of a project.

#![forbid(unsafe_code)]

pub mod beneath;
pub mod build;
pub mod check;
pub mod cli;
pub mod deployment;
pub mod exit;
pub mod explain;
pub mod history;
pub mod host;
pub mod inspect;
pub mod isolation;
pub mod json;
pub mod learn;
pub mod operator;
pub mod problem;
pub mod project;
pub mod refusal;
pub mod render;
pub mod requirements;
pub mod run;
pub mod runtime;
pub mod scaffold;
pub mod scan;
pub mod shared_object;
pub mod source;
pub mod stage;
pub mod suggest;
#[cfg(test)]
mod testing;
pub mod timeline;
pub mod trace;
