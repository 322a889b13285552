//! Everything that a person or a program reads of Keylane is written here.
//!
//! An attacker controls: the texts inside reports, failures, problems and output. Each of them
//! passes [`escape`] on its way out.

pub mod denial;
pub mod duration;
pub mod escape;
pub mod failure;
pub mod output;
pub mod pretty;
pub mod report;
pub mod screen;
pub mod table;
#[cfg(test)]
mod tests;
