//! What of an ELF file becomes executable, and what of that is forbidden.
//!
//! [`examine`] reads a file's program headers and searches every byte that its mapping makes
//! executable. Nothing is mapped and nothing is executed; memory is bounded by constants, whatever
//! the file says.
//!
//! An attacker controls: every byte of a file, its length, and when it changes. What was read is judged, and may
//! differ from what the file holds later: a verdict counts for bytes that nobody can change any more.

#![forbid(unsafe_code)]

mod finds;
mod names;
mod outline;
mod source;

pub use finds::{Across, Find, Findings, Remark, examine, runs};
pub use names::Place;
pub use outline::{ElfError, Outline, PAGE, Segment, Stack};
pub use source::Source;
