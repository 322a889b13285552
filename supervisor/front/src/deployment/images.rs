//! The programs that this one carries; `build.rs` makes them.

use keylane_sys::body;
use std::io;
use std::os::fd::OwnedFd;

const SPAWNER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/keylane-spawner"));
const LANE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/keylane-lane"));
const LAUNCHER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/keylane-launcher"));

/// The programs as sealed memfds, ready to be executed.
#[derive(Debug)]
pub(super) struct Images {
    pub(super) spawner: OwnedFd,
    pub(super) lane: OwnedFd,
    pub(super) launcher: OwnedFd,
}

impl Images {
    /// Copies the programs into sealed memory.
    pub(super) fn seal() -> io::Result<Images> {
        Ok(Images {
            spawner: body::sealed("keylane-spawner", SPAWNER)?,
            lane: body::sealed("keylane-lane", LANE)?,
            launcher: body::sealed("keylane-launcher", LAUNCHER)?,
        })
    }
}
