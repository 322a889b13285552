//! What a caller does with descriptors that it holds.

use super::rule::{HARMLESS_IOCTL, LANE_FCNTL, NO, OWN_FCNTL, YES};
use super::{Row, row};
use crate::syscall::Group::Core;

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    row(0,   "read",        Core, YES,        YES,            "Reads a descriptor that the caller holds."),
    row(1,   "write",       Core, YES,        YES,            "Writes a descriptor that the caller holds: its output pipes."),
    row(3,   "close",       Core, YES,        YES,            "Closes the caller's own descriptor."),
    row(5,   "fstat",       Core, YES,        YES,            "Describes a descriptor that the caller holds."),
    row(7,   "poll",        Core, YES,        YES,            "Waits on the caller's descriptors."),
    row(8,   "lseek",       Core, NO,         YES,            "Moves in a file that the caller holds."),
    row(16,  "ioctl",       Core, NO,         HARMLESS_IOCTL, "isatty and non-blocking mode; terminals are never passed in, and TIOCSTI is not listed."),
    row(17,  "pread64",     Core, YES,        YES,            "Reads a descriptor that the caller holds."),
    row(18,  "pwrite64",    Core, NO,         YES,            "Writes a descriptor that the caller holds."),
    row(19,  "readv",       Core, NO,         YES,            "Reads a descriptor that the caller holds."),
    row(20,  "writev",      Core, YES,        YES,            "Writes a descriptor that the caller holds."),
    row(32,  "dup",         Core, NO,         YES,            "Copies the caller's own descriptor."),
    row(33,  "dup2",        Core, NO,         YES,            "Copies the caller's own descriptor."),
    row(72,  "fcntl",       Core, LANE_FCNTL, OWN_FCNTL,      "Flags and copies of own descriptors; not owners and signals, leases or locks."),
    row(271, "ppoll",       Core, YES,        YES,            "Waits on the caller's descriptors."),
    row(292, "dup3",        Core, NO,         YES,            "Copies the caller's own descriptor."),
    row(295, "preadv",      Core, NO,         YES,            "Reads a descriptor that the caller holds."),
    row(436, "close_range", Core, NO,         YES,            "Closes the caller's own descriptors."),
];
