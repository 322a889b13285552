//! What the shared definitions promise, held against the kernel, the build and the documents.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

#[cfg(test)]
mod dependencies;
#[cfg(test)]
mod document;
#[cfg(test)]
mod lane;
#[cfg(test)]
mod network;
#[cfg(test)]
mod numbers;
#[cfg(test)]
mod profiles;
#[cfg(test)]
mod rows;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod switches;
