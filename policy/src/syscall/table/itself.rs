//! Questions about the caller, and about the host.

use super::rule::{ANSWERS_EPERM, NO, OWN_LIMITS_QUERY, YES};
use super::{Row, narrowed, row};
use crate::syscall::Group::{Core, Facts};

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    row(39,  "getpid",    Core,  YES,              YES,              "Tells the caller its own number."),
    row(63,  "uname",     Facts, NO,               YES,              "Kernel's name, which the tenant may know."),
    row(95,  "umask",     Core,  NO,               YES,              "Own mask, for files of its own."),
    row(97,  "getrlimit", Core,  NO,               YES,              "Its own limits."),
    row(98,  "getrusage", Facts, NO,               YES,              "Tells the caller its own usage."),
    narrowed(99,  "sysinfo",   Facts, NO,               YES,              ANSWERS_EPERM, "Memory and load of the host: named in CAVEATS. The C library asks at every start and goes on without."),
    row(100, "times",     Facts, NO,               YES,              "Tells the caller its own usage."),
    row(102, "getuid",    Core,  NO,               YES,              "Tells the caller who it is."),
    row(104, "getgid",    Core,  NO,               YES,              "Tells the caller who it is."),
    row(107, "geteuid",   Core,  NO,               YES,              "Tells the caller who it is."),
    row(108, "getegid",   Core,  NO,               YES,              "Tells the caller who it is."),
    row(110, "getppid",   Core,  NO,               YES,              "Its parent's number."),
    row(111, "getpgrp",   Core,  NO,               YES,              "Its process group."),
    row(115, "getgroups", Core,  NO,               YES,              "Tells the caller who it is."),
    row(118, "getresuid", Core,  NO,               YES,              "Tells the caller who it is."),
    row(120, "getresgid", Core,  NO,               YES,              "Tells the caller who it is."),
    row(186, "gettid",    Core,  YES,              YES,              "Tells the caller its own number."),
    row(302, "prlimit64", Core,  OWN_LIMITS_QUERY, OWN_LIMITS_QUERY, "Its own limits, as a question; another process's limits need no kill() to do harm."),
    row(309, "getcpu",    Facts, NO,               YES,              "Which processor it runs on."),
    row(318, "getrandom", Core,  YES,              YES,              "Random bytes."),
];
