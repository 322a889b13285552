//! Connections of TCP that an instance opens itself. No `bind`, no `listen`, no `accept`, no datagrams;
//! which ports can be connected to is Landlock's word (landlock(7)), not the filter's: an address lies
//! in memory where a filter cannot see it.

use super::rule::{NO, OWN_SOCKET_OPTIONS, TCP, YES};
use super::{Row, row};
use crate::syscall::Group::Network;

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    row(41, "socket",      Network, NO, TCP,                "TCP over IPv4 and IPv6 only: no UDP, AF_UNIX, AF_NETLINK, AF_PACKET or raw socket, and no protocol that Landlock does not cover."),
    row(42, "connect",     Network, NO, YES,                "Landlock allows the ports that project and operator name; a socket of a pair is connected already."),
    row(52, "getpeername", Network, NO, YES,                "Describes a socket that the caller holds."),
    row(54, "setsockopt",  Network, NO, OWN_SOCKET_OPTIONS, "Keep-alive, time limits and TCP_NODELAY of its own socket; nothing that binds, routes or filters."),
];
