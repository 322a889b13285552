//! What crosses a boundary between two processes of Keylane.
//!
//! `channel` is the shared memory between a lane and one instance; `message` is everything that
//! travels over a socket pair; `wire` is the envelope of those messages. An attacker who owns an
//! instance controls every byte of its channel and of its zygote's socket; one who has escaped
//! into a lane controls every message that the lane sends.

pub mod channel;
pub mod message;
pub mod wire;
