//! Names and contents of files. Landlock decides about the paths that can be opened, and read-only
//! mounts, where the host allows them, about what can be changed.

use super::rule::{NO, PLAIN_RENAME, SUCCEEDS, YES};
use super::{Row, row};
use crate::syscall::Group::Files;

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    row(2,   "open",       Files, NO,  YES,          "Landlock decides about the path; older programs use this form."),
    row(4,   "stat",       Files, NO,  YES,          "Sees names and sizes, never contents; Landlock does not cover it."),
    row(6,   "lstat",      Files, NO,  YES,          "Sees names and sizes, as stat."),
    row(21,  "access",     Files, NO,  YES,          "Sees whether a name exists; ld.so asks."),
    row(74,  "fsync",      Files, NO,  SUCCEEDS,     "All that an instance writes is memory, which has no disk to wait for; through a file that it only reads it would make the host's disk write."),
    row(75,  "fdatasync",  Files, NO,  SUCCEEDS,     "As fsync: nothing of /tmp outlives its function."),
    row(77,  "ftruncate",  Files, YES, YES,          "A lane sizes the memfds that it makes; an instance, files that it opened for writing."),
    row(79,  "getcwd",     Files, NO,  YES,          "Its own directory."),
    row(80,  "chdir",      Files, NO,  YES,          "Its own directory; Landlock decides what can be opened there."),
    row(82,  "rename",     Files, NO,  YES,          "In its private /tmp: Landlock and the read-only mounts decide about the paths."),
    row(83,  "mkdir",      Files, NO,  YES,          "In its private /tmp, as rename."),
    row(84,  "rmdir",      Files, NO,  YES,          "In its private /tmp, as rename."),
    row(87,  "unlink",     Files, NO,  YES,          "In its private /tmp, as rename."),
    row(89,  "readlink",   Files, NO,  YES,          "Reads a link's text."),
    row(217, "getdents64", Files, NO,  YES,          "Lists a directory that Landlock let it open."),
    row(221, "fadvise64",  Files, NO,  YES,          "A hint about a file that the caller holds."),
    row(257, "openat",     Files, NO,  YES,          "Landlock decides about the path."),
    row(258, "mkdirat",    Files, NO,  YES,          "In its private /tmp, as rename."),
    row(262, "newfstatat", Files, YES, YES,          "Sees names and sizes, never contents."),
    row(263, "unlinkat",   Files, NO,  YES,          "In its private /tmp, as rename."),
    row(264, "renameat",   Files, NO,  YES,          "In its private /tmp, as rename."),
    row(267, "readlinkat", Files, NO,  YES,          "Reads a link's text."),
    row(269, "faccessat",  Files, NO,  YES,          "Sees whether a name exists."),
    row(316, "renameat2",  Files, NO,  PLAIN_RENAME, "In its private /tmp, as rename; not leaving a device node behind."),
    row(332, "statx",      Files, YES, YES,          "Sees names and sizes, never contents."),
    row(439, "faccessat2", Files, NO,  YES,          "Sees whether a name exists."),
];
