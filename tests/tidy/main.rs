//! The tree against its own rules: documents that point somewhere, code that stays where it may be.
//!
//! Needs the checkout and cargo, and nothing that is built. A rule that is written down and tested
//! nowhere else is tested here; each test says in its message which rule was broken and where.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod base;
mod claims;
mod dependencies;
mod files;
mod links;
mod markdown;
mod rust;
mod unsafety;
mod words;
