//! Own memory.

use super::rule::{ANSWERS_ENOSYS, NO, NOT_EXECUTABLE, PLAIN_ADVICE, PLAIN_MEMFD, YES};
use super::{Row, row};
use crate::syscall::Group::Core;

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    row(9,   "mmap",         Core, NOT_EXECUTABLE, YES,          "Own memory; nothing else lives in an instance's address space. A lane maps no code."),
    row(10,  "mprotect",     Core, NOT_EXECUTABLE, YES,          "Own memory, as mmap."),
    row(11,  "munmap",       Core, YES,            YES,          "Changes the caller's own memory only."),
    row(12,  "brk",          Core, YES,            YES,          "Own memory, under RLIMIT_AS."),
    row(25,  "mremap",       Core, YES,            YES,          "Changes the caller's own memory only."),
    row(26,  "msync",        Core, NO,             YES,          "Own memory, and files of its own, which are memory."),
    row(28,  "madvise",      Core, PLAIN_ADVICE,   PLAIN_ADVICE, "Allocators give memory back with it."),
    row(237, "mbind",        Core, NO,             ANSWERS_ENOSYS, "Memory policy for several memory nodes. OpenBLAS asks for it when numpy is imported, and goes on without."),
    row(319, "memfd_create", Core, YES,            PLAIN_MEMFD,  "A lane makes channels and bodies. Instances only where a control group counts their memory: RLIMIT_AS does not count memfds, and a group does not count huge pages."),
];
