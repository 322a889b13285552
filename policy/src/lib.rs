//! What Keylane decides, apart from what it does.
//!
//! This crate owns every layout, message, limit and rule that two processes of Keylane must
//! agree on. It performs no I/O, calls no C library and holds no `unsafe`; whatever is here can
//! be tested on any host. Values that come from another process enter through one constructor
//! that checks them (`decode`, `TryFrom`), and there is no second way in.

#![forbid(unsafe_code)]

pub mod abi;
pub mod blame;
pub mod confine;
pub mod denial;
pub mod history;
pub mod identity;
pub mod instruction;
pub mod kernel;
pub mod limit;
pub mod memory;
pub mod part;
pub mod profile;
pub mod report;
pub mod reuse;
pub mod spread;
pub mod syscall;
