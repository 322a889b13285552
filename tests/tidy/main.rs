//! The tree against its own rules: documents that point somewhere, code that stays where it may be.
//!
//! Needs the checkout and cargo, and nothing that is built. A rule that is written down and tested
//! nowhere else is tested here; each test says in its message which rule was broken and where.

#![forbid(unsafe_code)]

#[cfg(test)]
mod base;
#[cfg(test)]
mod claims;
#[cfg(test)]
mod dependencies;
#[cfg(test)]
mod files;
#[cfg(test)]
mod links;
#[cfg(test)]
mod markdown;
#[cfg(test)]
mod rust;
#[cfg(test)]
mod unsafety;
#[cfg(test)]
mod words;
