//! Clocks and waiting.

use super::rule::{NO, OWN_CLOCKS, YES};
use super::{Row, row};
use crate::syscall::Group::Core;

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    row(35,  "nanosleep",       Core, YES,        YES,        "Waits; the deadline still counts."),
    row(96,  "gettimeofday",    Core, YES,        YES,        "The time of day."),
    row(201, "time",            Core, NO,         YES,        "The time of day."),
    row(228, "clock_gettime",   Core, OWN_CLOCKS, OWN_CLOCKS, "The time; not other processes' CPU clocks."),
    row(229, "clock_getres",    Core, OWN_CLOCKS, OWN_CLOCKS, "As clock_gettime."),
    row(230, "clock_nanosleep", Core, OWN_CLOCKS, OWN_CLOCKS, "Waits; the deadline still counts."),
];
