//! The programs: what each tries, and how it has to end. Names are those of the Python files beside.

/// How an attack has to end, besides that nobody else notices it.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// Refused: the call's error is one of these.
    Refused(&'static str),
    /// What of a sweep gets through is exactly this, as JSON, or a part of it.
    Only(&'static str),
    /// The call ends, well or with an error that is the function's own.
    Own,
    /// The call fails, and the fault is the function's.
    OwnFault,
    /// The function answers: what it did is its own affair.
    Answers,
}
use End::{Answers, Only, Own, OwnFault, Refused};

const PERM: End = Refused("EPERM");
const FILE: End = Refused("EACCES EPERM ENOENT EROFS ENXIO ENAMETOOLONG EXDEV ETXTBSY");

/// Raw calls (`calls.py`).
#[rustfmt::skip]
pub(super) const CALLS: &[(&str, End)] = &[
    ("remap_file_pages", PERM), ("move_pages of init", PERM), ("migrate_pages of init", PERM),
    ("mbind", Refused("EPERM ENOSYS")), ("set_mempolicy", Refused("EPERM ENOSYS")), ("process_mrelease", PERM), ("pidfd_send_signal", PERM),
    ("rt_tgsigqueueinfo", PERM), ("io_setup", PERM), ("lsm_set_self_attr", PERM), ("statmount", PERM),
    ("listmount", PERM), ("map_shadow_stack", PERM), ("mseal", PERM), ("futex_waitv", PERM),
    ("futex_requeue", PERM), ("sched_setattr for deadline", PERM), ("splice its code into a pipe", PERM),
    ("tee", PERM), ("copy_file_range", PERM), ("sendfile", PERM), ("mmap at address 0", Refused("EPERM EACCES")),
    ("sync_file_range", PERM), ("readahead", PERM), ("process_vm_writev with no vector", PERM),
    ("ustat", PERM), ("getcpu of others by getaffinity", PERM), ("cachestat", PERM),
    ("set_mempolicy_home_node", PERM), ("quotactl_fd", PERM), ("uselib", PERM), ("vhangup", PERM),
    ("sysfs", PERM), ("kexec_file_load", PERM), ("restart_syscall with nothing to restart", PERM),
    // Names and two queries of its own process.
    ("every prctl", Only("[15, 16, 23, 39]")),
    ("every arch_prctl", Only(r#"["0x1003"]"#)),
    // F_DUPFD to F_SETFL, F_DUPFD_CLOEXEC, F_GETPIPE_SZ, F_GET_SEALS.
    ("every fcntl", Only("[0, 1, 2, 3, 4, 1030, 1032, 1034]")),
    ("every ioctl of eleven kinds", Only(r#"["0x5401", "0x5413", "0x541b", "0x5421", "0x5450", "0x5451"]"#)),
    ("every advice", Only("[0, 1, 2, 3, 4, 8, 10, 11, 14, 15, 16, 17, 18, 19]")),
    // CLONE_IO alone, which shares a context of the disk's queue with a child of its own; none of
    // CLONE_PIDFD, PTRACE, PARENT, the namespaces, UNTRACED.
    ("forks with flags", Only("[31]")),
    ("numbers beyond the newest row", Only("[]")),
    ("x32's own numbers", Only("[]")),
    ("numbers with a sign", Only("[]")),
    ("high halves", Only("[]")),
];

/// Files (`paths.py`).
#[rustfmt::skip]
pub(super) const PATHS: &[(&str, End)] = &[
    ("spellings of secrets", Only("[]")),
    ("secrets beneath folders", Only("[]")),
    ("a tower of folders", Answers),
    ("a symlink in tmp", FILE), ("a hard link to its code", FILE), ("a hard link between its own files", FILE),
    ("its code moved to tmp", FILE), ("its code replaced from tmp", FILE),
    ("a file without a name, then a name", Refused("EACCES EPERM ENOENT EROFS EOPNOTSUPP")),
    ("an executable in tmp", FILE), ("a program run from tmp", FILE), ("a fifo in tmp", FILE),
    ("a device in tmp", FILE), ("a socket in tmp", FILE), ("its tree as a folder for files", FILE),
    ("the terminal's master", FILE), ("shared memory by path", FILE), ("message queues by path", FILE),
    ("writing its own program", FILE), ("the userfaultfd device", FILE), ("kernel memory", FILE),
    ("writing /dev/zero", FILE), ("seeding the host's random numbers", FILE),
    ("a path of a million bytes", FILE), ("a folder of descriptors as the working one", FILE),
    ("O_PATH of the root", FILE), ("set-user-id files with odd names", Own),
];

/// A process that is its own (`inside.py`).
#[rustfmt::skip]
pub(super) const INSIDE: &[(&str, End)] = &[
    // The channel.
    ("a length beyond the channel", OwnFault), ("a length of one more than fits", OwnFault),
    ("a length with a sign", OwnFault), ("a kind that is none", OwnFault), ("an answer of no bytes", OwnFault),
    ("an answer to the next call", OwnFault), ("an answer to a call long ago", OwnFault),
    ("an answer to the call in half a cycle", OwnFault), ("an answer that is no UTF-8", OwnFault),
    ("an answer with a key twice", OwnFault), ("an answer with a number beyond a double", OwnFault),
    ("an answer with a lone surrogate", OwnFault), ("an answer with two values", OwnFault),
    ("an answer that opens and never closes", OwnFault), ("an error whose body is none", OwnFault),
    ("an error by a name of the platform, forged", OwnFault), ("a body that changes while it is read", Own),
    ("a header that is overwritten", Own), ("a storm of wakes", Own),
    ("a robust list over the channel", Own), ("a cleared thread id in the channel", Own),
    // Descriptors.
    ("closing everything", Own), ("standard output over every descriptor", Own),
    ("a flood into the liveness socket", Own), ("shutting every socket down", Own),
    ("all descriptors in use", Own), ("closing its output", Own),
    // The process.
    ("unmapping itself", OwnFault), ("a stack that grows into everything", Own),
    ("a handler for every signal", Own), ("other modules for the next call", Own),
    ("an alarm left behind", Own), ("a profiler left behind", Own), ("an endless exit handler", Own),
    ("finalizers that sleep", Own), ("every signal blocked", Own), ("a tracer left behind", Own),
    // Words.
    ("an error named as the platform's", OwnFault), ("an error named with escapes", OwnFault),
    ("an error named by a megabyte", OwnFault), ("an error that has no words", OwnFault),
    ("an error of megabytes", OwnFault), ("an error that is no exception of Python's", OwnFault),
    ("keys that are equal and are not", OwnFault), ("a result deeper than the stack", OwnFault),
    ("a number of many digits", Own), ("a number that is none", OwnFault),
    ("a result that contains itself", OwnFault), ("words that paint the terminal", Answers),
];

/// The zygote's socket (`inside.py`): a zygote that talks nonsense is ended, so each has a deployment of its
/// own.
#[rustfmt::skip]
pub(super) const WIRE: &[(&str, End)] = &[
    ("every variant that there is not", Own), ("every version that there is not", Own),
    ("loaded, a thousand times", Own), ("numbers longer than numbers are", Own),
    ("the greeting of the last worker there can be", Own), ("every beginning of a message", Own),
    ("noise", Own), ("lengths that lie", Own),
];

/// Calls that get through outside of a jail whoever makes them, so that the refusal inside is the jail's.
pub(super) const OPEN_OUTSIDE: &[&str] = &[
    "mbind",
    "set_mempolicy",
    "io_setup",
    "futex_waitv",
    "sync_file_range",
    "readahead",
    "ustat",
    "sysfs",
    "tee",
    "sendfile",
];
