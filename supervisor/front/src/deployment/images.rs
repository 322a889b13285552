//! The programs that this one carries; `build.rs` makes them.

use keylane_sys::body;
use std::io;
use std::os::fd::OwnedFd;

const SPAWNER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/keylane-spawner"));
const LANE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/keylane-lane"));
const PYTHON: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/keylane-launcher"));
const NATIVE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/keylane-native"));

/// The programs as sealed memfds, ready to be executed.
#[derive(Debug)]
pub(super) struct Images {
    pub(super) spawner: OwnedFd,
    pub(super) lane: OwnedFd,
    /// The launcher of Python functions.
    pub(super) python: OwnedFd,
    /// The launcher of native functions.
    pub(super) native: OwnedFd,
}

impl Images {
    /// Copies the programs into sealed memory.
    pub(super) fn seal() -> io::Result<Images> {
        Ok(Images {
            spawner: body::sealed("keylane-spawner", SPAWNER)?,
            lane: body::sealed("keylane-lane", LANE)?,
            python: body::sealed("keylane-launcher", PYTHON)?,
            native: body::sealed("keylane-native", NATIVE)?,
        })
    }
}
