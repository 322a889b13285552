//! Signals and timers of the caller itself.

use super::rule::{NO, YES};
use super::{Row, row};
use crate::syscall::Group::{Core, Timers};

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    row(13,  "rt_sigaction",    Core,   YES, YES, "Own handlers in an own process."),
    row(14,  "rt_sigprocmask",  Core,   YES, YES, "Own mask; SIGKILL cannot be blocked."),
    row(15,  "rt_sigreturn",    Core,   YES, YES, "Returns from an own handler."),
    row(34,  "pause",           Timers, NO,  YES, "Waits; the deadline still counts."),
    row(36,  "getitimer",       Timers, NO,  YES, "Its own timer."),
    row(37,  "alarm",           Timers, NO,  YES, "A signal to the caller itself."),
    row(38,  "setitimer",       Timers, NO,  YES, "A signal to the caller itself."),
    row(127, "rt_sigpending",   Timers, NO,  YES, "Signals to the caller itself."),
    row(128, "rt_sigtimedwait", Timers, NO,  YES, "Signals to the caller itself."),
    row(130, "rt_sigsuspend",   Timers, NO,  YES, "Signals to the caller itself."),
    row(131, "sigaltstack",     Core,   YES, YES, "Own stack for own handlers."),
];
