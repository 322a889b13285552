//! Everything that a person sees is written here.
//!
//! An attacker controls: the texts inside reports, failures, problems and output. Each of them
//! passes [`escape`] on its way out.

pub mod escape;
