//! Domains: functions as threads of this process, each behind a protection key of its own.
//!
//! [`Domains`] is taken once in the life of a process. It searches the process's own code, refuses new
//! code, takes every key, and sets address space aside: one window for each domain. Then:
//! [`admit`](Domains::admit) gives a domain a key and a window, [`give`](Domains::give) maps memory in it,
//! [`start`](Domains::start) enters it on a confined thread, [`wait`](Domains::wait) hears its answer or its end,
//! [`end`](Domains::end) takes everything back.
//!
//! Exactly one function maps memory for a domain, in `map.rs`; it asks the ledger first and sets the key.
//!
//! What it may call: `keylane_sys` and `keylane_gate`. An attacker controls: all bytes in pages that a domain may
//! write, at any time, and when and how its thread ends.

#![forbid(unsafe_code)]

mod domains;
mod error;
mod map;
mod report;
mod window;

pub use domains::{Domains, Waited};
pub use error::DomainError;
pub use keylane_policy::memory::{Domain, Key, Pages, Protection};
pub use map::What;
pub use report::{End, Owner, Report};
