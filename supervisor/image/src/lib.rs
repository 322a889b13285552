//! What of an ELF file becomes executable, and what of that is forbidden.
//!
//! [`examine`] reads a file's program headers and searches every byte that its mapping makes
//! executable; its memory is bounded by constants, whatever the file says. [`ClosedSet::make`] makes sealed
//! images of executable pages that hold nothing forbidden. Nothing is mapped and nothing is executed.
//!
//! An attacker controls: every byte of a file, its length, and when it changes. What was read is judged, and may
//! differ from what the file holds later: a verdict counts for bytes that nobody can change any more.

#![forbid(unsafe_code)]

mod finds;
mod known;
mod make;
mod names;
mod outline;
mod set;
mod source;

pub use finds::{Across, Find, Findings, Remark, examine, runs};
pub use known::Change;
pub use make::{Draft, Image, Key, Refused, Run, Why};
pub use names::Place;
pub use outline::{ElfError, Outline, PAGE, Segment, Stack};
pub use set::{Cache, ClosedSet};
pub use source::Source;
