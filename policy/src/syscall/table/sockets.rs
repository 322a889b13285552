//! Pairs of sockets, and messages on them. There is no `socket` and no `connect` here.

use super::rule::{NO, NO_ADDRESS, UNIX_PAIR, YES};
use super::{Row, row};
use crate::syscall::Group::{Core, Pairs};

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    row(44, "sendto",      Core,  NO_ADDRESS, NO_ADDRESS, "On a socket pair, to its other end: with an address it would be connect in disguise."),
    row(45, "recvfrom",    Pairs, NO,         YES,        "Reads a socket that the caller holds."),
    row(46, "sendmsg",     Core,  YES,        NO,         "Messages with descriptors. Refused to instances: the address and the descriptors lie in memory where a filter cannot see them, and descriptors in flight count against the user."),
    row(47, "recvmsg",     Core,  YES,        YES,        "Messages from the spawner."),
    row(48, "shutdown",    Pairs, NO,         YES,        "Closes a direction of the caller's own socket."),
    row(51, "getsockname", Pairs, NO,         YES,        "Describes a socket that the caller holds."),
    row(53, "socketpair",  Pairs, UNIX_PAIR,  UNIX_PAIR,  "AF_UNIX streams and packets only: two ends that the caller holds, and no datagrams."),
    row(55, "getsockopt",  Core,  NO,         YES,        "Describes a socket that the caller holds."),
];
