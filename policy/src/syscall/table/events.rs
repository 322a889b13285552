//! Waiting on many descriptors, and pipes and counters to wait on.

use super::rule::{ANSWERS_EPERM, NO, YES};
use super::{Row, narrowed, row};
use crate::syscall::Group::Events;

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    row(22,  "pipe",          Events, NO,  YES, "A pipe to itself; RLIMIT_NOFILE bounds how many."),
    row(23,  "select",        Events, NO,  YES, "Waits on the caller's descriptors."),
    row(213, "epoll_create",  Events, NO,  YES, "Waits on the caller's descriptors."),
    row(232, "epoll_wait",    Events, YES, YES, "Waits on the caller's descriptors."),
    row(233, "epoll_ctl",     Events, YES, YES, "Waits on the caller's descriptors."),
    row(270, "pselect6",      Events, NO,  YES, "Waits on the caller's descriptors."),
    row(281, "epoll_pwait",   Events, YES, YES, "Waits on the caller's descriptors."),
    row(289, "signalfd4",     Events, NO,  YES, "Own signals as a descriptor."),
    row(290, "eventfd2",      Events, YES, YES, "A counter of its own."),
    narrowed(291, "epoll_create1", Events, YES, YES, ANSWERS_EPERM, "Waits on the caller's descriptors. Python's selectors try it when they are imported, with subprocess for one, and go on without."),
    row(293, "pipe2",         Events, NO,  YES, "A pipe to itself; RLIMIT_NOFILE bounds how many."),
];
