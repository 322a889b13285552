//! Threads, forks, their ends, and what the C library sets up for them.

use super::rule::{
    ALONE, ANSWERS_ENOSYS, FORK_ONLY, FS_BASE, LANE_PRCTL, NO, OUR_IMAGE, OWN_PRCTL, PLAIN_CLONE,
    THREAD_ONLY, YES,
};
use super::{Row, narrowed, row};
use crate::syscall::Group::{Core, Threads};

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    row(24,  "sched_yield",       Core,    YES,            YES,            "Gives up the rest of a time slice."),
    narrowed(56,  "clone",             Threads, THREAD_ONLY,    PLAIN_CLONE,    FORK_ONLY, "Threads, and the zygote's fork; RLIMIT_NPROC bounds both. No namespace flags."),
    row(60,  "exit",              Core,    YES,            YES,            "Ends the caller's thread."),
    row(61,  "wait4",             Core,    NO,             YES,            "The zygote's wait for its workers."),
    row(157, "prctl",             Core,    LANE_PRCTL,     OWN_PRCTL,      "Thread names, and SIGKILL when the parent dies; everything else is refused."),
    row(158, "arch_prctl",        Core,    FS_BASE,        FS_BASE,        "Thread-local storage."),
    row(202, "futex",             Core,    YES,            YES,            "Waits on own or shared memory; wakes are hints for the lane."),
    row(204, "sched_getaffinity", Core,    YES,            YES,            "How many processors; changing them is refused."),
    row(218, "set_tid_address",   Core,    YES,            YES,            "Own memory, in an own address space."),
    row(219, "restart_syscall",   Core,    YES,            YES,            "The kernel's own continuation of a wait that a stop or a freeze interrupted."),
    row(231, "exit_group",        Core,    YES,            YES,            "Ends the caller's process."),
    row(247, "waitid",            Core,    NO,             YES,            "The zygote's wait for its workers."),
    row(272, "unshare",           Core,    NO,             ALONE,          "With CLONE_THREAD alone it changes nothing and tells whether the caller has one thread."),
    row(273, "set_robust_list",   Core,    YES,            YES,            "Own memory, in an own address space."),
    row(322, "execveat",          Core,    OUR_IMAGE,      OUR_IMAGE,      "The jail's last step. Later the descriptor is gone; a program that a tenant runs through that number stays in this jail and gains nothing."),
    row(334, "rseq",              Core,    YES,            YES,            "Own memory, in an own address space."),
    row(435, "clone3",            Core,    ANSWERS_ENOSYS, ANSWERS_ENOSYS, "Its flags lie in memory where a filter cannot see them; the C library falls back to clone."),
];
