//! Finds forbidden instructions (`keylane_policy::instruction`) in bytes.
//!
//! At every offset, whatever the instructions around it are. [`each`] looks through one slice;
//! [`region`] looks through a region of address space, with the bytes of its neighbours, so that a
//! pattern of which a part lies in each is found. Pure: no I/O, no state, no allocation but for
//! borders.
//!
//! An attacker controls: every byte. Any bytes cost linear time.

#![forbid(unsafe_code)]

mod border;
mod bytes;
pub mod context;

pub use border::{Neighbours, Place, is_open, region};
pub use bytes::each;
