//! The rows. Sorted by number; the numbers are those of `syscall_64.tbl`, which a contract test
//! compares with the header that the C library ships.

use super::{Condition, Group, IMAGE_DESCRIPTOR, Row, Rule, Test, Width};
use Group::{Core, Events, Facts, Files, Pairs, Threads, Timers};
use Rule::{Allow, AllowIf, Answer};

/// No rule: refused with EPERM.
const NO: Option<Rule> = None;
const YES: Option<Rule> = Some(Allow);

const fn int(argument: u8, test: Test) -> Condition {
    Condition {
        argument,
        width: Width::Int,
        test,
    }
}

const fn long(argument: u8, test: Test) -> Condition {
    Condition {
        argument,
        width: Width::Long,
        test,
    }
}

const EPERM: u16 = 1;
const ENOSYS: u16 = 38;

/// PROT_EXEC.
const NOT_EXECUTABLE: Option<Rule> = Some(AllowIf(&[&[int(2, Test::Lacks(4))]]));
/// Clock numbers 0 to 11: a negative one names another process's CPU clock (clock_gettime(2)).
const OWN_CLOCKS: Option<Rule> = Some(AllowIf(&[&[int(0, Test::AtMost(11))]]));
/// AF_UNIX, and of the socket types without bit 1: SOCK_STREAM (1) and SOCK_SEQPACKET (5). A datagram
/// socket (2, and 3, which AF_UNIX takes for 2) sends to any address that sendmsg names, though it
/// is one of a pair: to every socket with a path on the host, /dev/log for one (unix(7)).
const UNIX_PAIR: Option<Rule> = Some(AllowIf(&[&[int(0, Test::Is(1)), int(1, Test::Lacks(2))]]));
/// AT_EMPTY_PATH.
const OUR_IMAGE: Option<Rule> = Some(AllowIf(&[&[
    int(0, Test::Is(IMAGE_DESCRIPTOR as u64)),
    int(4, Test::Is(0x1000)),
]]));
/// CLONE_NEW*, CLONE_PIDFD, CLONE_PTRACE, CLONE_PARENT, CLONE_UNTRACED, CLONE_INTO_CGROUP: threads and plain
/// forks have none of them.
const PLAIN_CLONE: Option<Rule> = Some(AllowIf(&[&[long(
    0,
    Test::Lacks(0x2_7E80_0000 | 0x0002_0000 | 0x8000 | 0x1000 | 0x2000 | 0x80),
)]]));
/// As [`PLAIN_CLONE`], and none of CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_SIGHAND, CLONE_VFORK, CLONE_THREAD:
/// a fork, which a zygote needs for its workers.
const FORK_ONLY: Option<Rule> = Some(AllowIf(&[&[long(
    0,
    Test::Lacks(0x2_7E80_0000 | 0x0002_0000 | 0x8000 | 0x1000 | 0x2000 | 0x80 | 0x0001_4F00),
)]]));
/// CLONE_VM|FS|FILES|SIGHAND|THREAD|SYSVSEM|SETTLS|PARENT_SETTID|CHILD_CLEARTID: pthread_create.
const THREAD_ONLY: Option<Rule> = Some(AllowIf(&[&[long(0, Test::Is(0x3D_0F00))]]));
/// F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL without O_ASYNC, F_DUPFD_CLOEXEC, F_GETPIPE_SZ,
/// F_GET_SEALS. Not F_SETOWN and F_SETSIG, which send signals to others without kill().
const OWN_FCNTL: Option<Rule> = Some(AllowIf(&[
    &[int(1, Test::AtMost(3))],
    &[int(1, Test::Is(4)), int(2, Test::Lacks(0o20000))],
    &[int(1, Test::Is(1030))],
    &[int(1, Test::Is(1032))],
    &[int(1, Test::Is(1034))],
]));
/// As for instances, and F_ADD_SEALS.
const LANE_FCNTL: Option<Rule> = Some(AllowIf(&[
    &[int(1, Test::AtMost(3))],
    &[int(1, Test::Is(4)), int(2, Test::Lacks(0o20000))],
    &[int(1, Test::Is(1030))],
    &[int(1, Test::Is(1033))],
    &[int(1, Test::Is(1034))],
]));
/// TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX.
const HARMLESS_IOCTL: Option<Rule> = Some(AllowIf(&[
    &[int(1, Test::Is(0x5401))],
    &[int(1, Test::Is(0x5413))],
    &[int(1, Test::Is(0x541B))],
    &[int(1, Test::Is(0x5421))],
    &[int(1, Test::Is(0x5450))],
    &[int(1, Test::Is(0x5451))],
]));
/// MADV_NORMAL to MADV_DONTNEED, FREE, DONTFORK, DOFORK, HUGEPAGE, NOHUGEPAGE, DONTDUMP, DODUMP,
/// WIPEONFORK, KEEPONFORK. Not MERGEABLE (a timing channel), REMOVE, HWPOISON, PAGEOUT.
const PLAIN_ADVICE: Option<Rule> = Some(AllowIf(&[
    &[int(2, Test::AtMost(4))],
    &[int(2, Test::Is(8))],
    &[int(2, Test::Is(10))],
    &[int(2, Test::Is(11))],
    &[int(2, Test::Is(14))],
    &[int(2, Test::Is(15))],
    &[int(2, Test::Is(16))],
    &[int(2, Test::Is(17))],
    &[int(2, Test::Is(18))],
    &[int(2, Test::Is(19))],
]));
/// PR_SET_NAME, PR_GET_NAME, PR_CAPBSET_READ, PR_GET_NO_NEW_PRIVS, PR_SET_PDEATHSIG with
/// SIGKILL, PR_SET_DUMPABLE with 0.
const OWN_PRCTL: Option<Rule> = Some(AllowIf(&[
    &[int(0, Test::Is(15))],
    &[int(0, Test::Is(16))],
    &[int(0, Test::Is(23))],
    &[int(0, Test::Is(39))],
    &[int(0, Test::Is(1)), long(1, Test::Is(9))],
    &[int(0, Test::Is(4)), long(1, Test::Is(0))],
]));
/// PR_SET_NAME, and PR_SET_DUMPABLE with 0.
const LANE_PRCTL: Option<Rule> = Some(AllowIf(&[
    &[int(0, Test::Is(15))],
    &[int(0, Test::Is(4)), long(1, Test::Is(0))],
]));
/// ARCH_SET_FS, ARCH_GET_FS.
const FS_BASE: Option<Rule> = Some(AllowIf(&[
    &[int(0, Test::Is(0x1002))],
    &[int(0, Test::Is(0x1003))],
]));
/// The caller itself, and no new limit.
const OWN_LIMITS_QUERY: Option<Rule> =
    Some(AllowIf(&[&[int(0, Test::Is(0)), long(2, Test::Is(0))]]));
const NO_ADDRESS: Option<Rule> = Some(AllowIf(&[&[long(4, Test::Is(0))]]));

/// Without RENAME_WHITEOUT, which makes a device node.
const PLAIN_RENAME: Option<Rule> = Some(AllowIf(&[&[int(4, Test::Lacks(4))]]));

/// CLONE_THREAD and nothing else: no-op or EINVAL (unshare(2)).
const ALONE: Option<Rule> = Some(AllowIf(&[&[long(0, Test::Is(0x0001_0000))]]));

const fn row(
    number: u16,
    name: &'static str,
    group: Group,
    lane: Option<Rule>,
    instance: Option<Rule>,
    reason: &'static str,
) -> Row {
    Row {
        name,
        number,
        group,
        without: None,
        lane,
        instance,
        reason,
    }
}

/// A row that a profile without the group still has, with the narrower rule `without`.
const fn narrowed(
    number: u16,
    name: &'static str,
    group: Group,
    lane: Option<Rule>,
    instance: Option<Rule>,
    without: Option<Rule>,
    reason: &'static str,
) -> Row {
    Row {
        without,
        ..row(number, name, group, lane, instance, reason)
    }
}

/// Calls that open files, and the argument that holds their flags: on Landlock ABI 2 their
/// `O_TRUNC` is refused by the filter.
pub const TRUNCATING: &[(&str, u8)] = &[("open", 1), ("openat", 2)];

/// Calls that change what folders hold or how long a file is. Instances have them where they have a
/// private `/tmp`, and nowhere else: elsewhere Landlock would be their only wall.
pub const WRITING: &[&str] = &[
    "ftruncate",
    "rename",
    "mkdir",
    "rmdir",
    "unlink",
    "mkdirat",
    "unlinkat",
    "renameat",
    "renameat2",
];

/// The table.
pub const TABLE: &[Row] = &[
    row(
        0,
        "read",
        Core,
        YES,
        YES,
        "Reads a descriptor that the caller holds.",
    ),
    row(
        1,
        "write",
        Core,
        YES,
        YES,
        "Writes a descriptor that the caller holds: its output pipes.",
    ),
    row(
        2,
        "open",
        Files,
        NO,
        YES,
        "Landlock decides about the path; older programs use this form.",
    ),
    row(
        3,
        "close",
        Core,
        YES,
        YES,
        "Closes the caller's own descriptor.",
    ),
    row(
        4,
        "stat",
        Files,
        NO,
        YES,
        "Sees names and sizes, never contents; Landlock does not cover it.",
    ),
    row(
        5,
        "fstat",
        Core,
        YES,
        YES,
        "Describes a descriptor that the caller holds.",
    ),
    row(6, "lstat", Files, NO, YES, "Sees names and sizes, as stat."),
    row(
        7,
        "poll",
        Core,
        YES,
        YES,
        "Waits on the caller's descriptors.",
    ),
    row(
        8,
        "lseek",
        Core,
        NO,
        YES,
        "Moves in a file that the caller holds.",
    ),
    row(
        9,
        "mmap",
        Core,
        NOT_EXECUTABLE,
        YES,
        "Own memory; nothing else lives in an instance's address space. A lane maps no code.",
    ),
    row(
        10,
        "mprotect",
        Core,
        NOT_EXECUTABLE,
        YES,
        "Own memory, as mmap.",
    ),
    row(
        11,
        "munmap",
        Core,
        YES,
        YES,
        "Changes the caller's own memory only.",
    ),
    row(12, "brk", Core, YES, YES, "Own memory, under RLIMIT_AS."),
    row(
        13,
        "rt_sigaction",
        Core,
        YES,
        YES,
        "Own handlers in an own process.",
    ),
    row(
        14,
        "rt_sigprocmask",
        Core,
        YES,
        YES,
        "Own mask; SIGKILL cannot be blocked.",
    ),
    row(
        15,
        "rt_sigreturn",
        Core,
        YES,
        YES,
        "Returns from an own handler.",
    ),
    row(
        16,
        "ioctl",
        Core,
        NO,
        HARMLESS_IOCTL,
        "isatty and non-blocking mode; terminals are never passed in, and TIOCSTI is not listed.",
    ),
    row(
        17,
        "pread64",
        Core,
        YES,
        YES,
        "Reads a descriptor that the caller holds.",
    ),
    row(
        18,
        "pwrite64",
        Core,
        NO,
        YES,
        "Writes a descriptor that the caller holds.",
    ),
    row(
        19,
        "readv",
        Core,
        NO,
        YES,
        "Reads a descriptor that the caller holds.",
    ),
    row(
        20,
        "writev",
        Core,
        YES,
        YES,
        "Writes a descriptor that the caller holds.",
    ),
    row(
        21,
        "access",
        Files,
        NO,
        YES,
        "Sees whether a name exists; ld.so asks.",
    ),
    row(
        22,
        "pipe",
        Events,
        NO,
        YES,
        "A pipe to itself; RLIMIT_NOFILE bounds how many.",
    ),
    row(
        23,
        "select",
        Events,
        NO,
        YES,
        "Waits on the caller's descriptors.",
    ),
    row(
        24,
        "sched_yield",
        Core,
        YES,
        YES,
        "Gives up the rest of a time slice.",
    ),
    row(
        25,
        "mremap",
        Core,
        YES,
        YES,
        "Changes the caller's own memory only.",
    ),
    row(
        26,
        "msync",
        Core,
        NO,
        YES,
        "Own memory, and files of its own, which are memory.",
    ),
    row(
        28,
        "madvise",
        Core,
        PLAIN_ADVICE,
        PLAIN_ADVICE,
        "Allocators give memory back with it.",
    ),
    row(
        32,
        "dup",
        Core,
        NO,
        YES,
        "Copies the caller's own descriptor.",
    ),
    row(
        33,
        "dup2",
        Core,
        NO,
        YES,
        "Copies the caller's own descriptor.",
    ),
    row(
        34,
        "pause",
        Timers,
        NO,
        YES,
        "Waits; the deadline still counts.",
    ),
    row(
        35,
        "nanosleep",
        Core,
        YES,
        YES,
        "Waits; the deadline still counts.",
    ),
    row(36, "getitimer", Timers, NO, YES, "Its own timer."),
    row(
        37,
        "alarm",
        Timers,
        NO,
        YES,
        "A signal to the caller itself.",
    ),
    row(
        38,
        "setitimer",
        Timers,
        NO,
        YES,
        "A signal to the caller itself.",
    ),
    row(
        39,
        "getpid",
        Core,
        YES,
        YES,
        "Tells the caller its own number.",
    ),
    row(
        44,
        "sendto",
        Core,
        NO_ADDRESS,
        NO_ADDRESS,
        "On a socket pair, to its other end: with an address it would be connect in disguise.",
    ),
    row(
        45,
        "recvfrom",
        Pairs,
        NO,
        YES,
        "Reads a socket that the caller holds.",
    ),
    row(
        46,
        "sendmsg",
        Core,
        YES,
        NO,
        "Messages with descriptors. Refused to instances: the address and the descriptors lie in \
         memory where a filter cannot see them, and descriptors in flight count against the user.",
    ),
    row(47, "recvmsg", Core, YES, YES, "Messages from the spawner."),
    row(
        48,
        "shutdown",
        Pairs,
        NO,
        YES,
        "Closes a direction of the caller's own socket.",
    ),
    row(
        51,
        "getsockname",
        Pairs,
        NO,
        YES,
        "Describes a socket that the caller holds.",
    ),
    row(
        53,
        "socketpair",
        Pairs,
        UNIX_PAIR,
        UNIX_PAIR,
        "AF_UNIX streams and packets only: two ends that the caller holds, and no datagrams.",
    ),
    row(
        55,
        "getsockopt",
        Core,
        NO,
        YES,
        "Describes a socket that the caller holds.",
    ),
    narrowed(
        56,
        "clone",
        Threads,
        THREAD_ONLY,
        PLAIN_CLONE,
        FORK_ONLY,
        "Threads, and the zygote's fork; RLIMIT_NPROC bounds both. No namespace flags.",
    ),
    row(60, "exit", Core, YES, YES, "Ends the caller's thread."),
    row(
        61,
        "wait4",
        Core,
        NO,
        YES,
        "The zygote's wait for its workers.",
    ),
    row(
        63,
        "uname",
        Facts,
        NO,
        YES,
        "Kernel's name, which the tenant may know.",
    ),
    row(
        72,
        "fcntl",
        Core,
        LANE_FCNTL,
        OWN_FCNTL,
        "Flags and copies of own descriptors; not owners and signals, leases or locks.",
    ),
    row(
        74,
        "fsync",
        Files,
        NO,
        Some(Answer(0)),
        "All that an instance writes is memory, which has no disk to wait for; through a file that it \
         only reads it would make the host's disk write.",
    ),
    row(
        75,
        "fdatasync",
        Files,
        NO,
        Some(Answer(0)),
        "As fsync: nothing of /tmp outlives its function.",
    ),
    row(
        77,
        "ftruncate",
        Files,
        YES,
        YES,
        "A lane sizes the memfds that it makes; an instance, files that it opened for writing.",
    ),
    row(79, "getcwd", Files, NO, YES, "Its own directory."),
    row(
        80,
        "chdir",
        Files,
        NO,
        YES,
        "Its own directory; Landlock decides what can be opened there.",
    ),
    row(
        82,
        "rename",
        Files,
        NO,
        YES,
        "In its private /tmp: Landlock and the read-only mounts decide about the paths.",
    ),
    row(
        83,
        "mkdir",
        Files,
        NO,
        YES,
        "In its private /tmp, as rename.",
    ),
    row(
        84,
        "rmdir",
        Files,
        NO,
        YES,
        "In its private /tmp, as rename.",
    ),
    row(
        87,
        "unlink",
        Files,
        NO,
        YES,
        "In its private /tmp, as rename.",
    ),
    row(89, "readlink", Files, NO, YES, "Reads a link's text."),
    row(
        95,
        "umask",
        Core,
        NO,
        YES,
        "Own mask, for files of its own.",
    ),
    row(96, "gettimeofday", Core, YES, YES, "The time of day."),
    row(97, "getrlimit", Core, NO, YES, "Its own limits."),
    row(
        98,
        "getrusage",
        Facts,
        NO,
        YES,
        "Tells the caller its own usage.",
    ),
    narrowed(
        99,
        "sysinfo",
        Facts,
        NO,
        YES,
        Some(Answer(EPERM)),
        "Memory and load of the host: named in CAVEATS. The C library asks at every start and goes on without.",
    ),
    row(
        100,
        "times",
        Facts,
        NO,
        YES,
        "Tells the caller its own usage.",
    ),
    row(102, "getuid", Core, NO, YES, "Tells the caller who it is."),
    row(104, "getgid", Core, NO, YES, "Tells the caller who it is."),
    row(107, "geteuid", Core, NO, YES, "Tells the caller who it is."),
    row(108, "getegid", Core, NO, YES, "Tells the caller who it is."),
    row(110, "getppid", Core, NO, YES, "Its parent's number."),
    row(111, "getpgrp", Core, NO, YES, "Its process group."),
    row(
        115,
        "getgroups",
        Core,
        NO,
        YES,
        "Tells the caller who it is.",
    ),
    row(
        118,
        "getresuid",
        Core,
        NO,
        YES,
        "Tells the caller who it is.",
    ),
    row(
        120,
        "getresgid",
        Core,
        NO,
        YES,
        "Tells the caller who it is.",
    ),
    row(
        127,
        "rt_sigpending",
        Timers,
        NO,
        YES,
        "Signals to the caller itself.",
    ),
    row(
        128,
        "rt_sigtimedwait",
        Timers,
        NO,
        YES,
        "Signals to the caller itself.",
    ),
    row(
        130,
        "rt_sigsuspend",
        Timers,
        NO,
        YES,
        "Signals to the caller itself.",
    ),
    row(
        131,
        "sigaltstack",
        Core,
        YES,
        YES,
        "Own stack for own handlers.",
    ),
    row(
        157,
        "prctl",
        Core,
        LANE_PRCTL,
        OWN_PRCTL,
        "Thread names, and SIGKILL when the parent dies; everything else is refused.",
    ),
    row(
        158,
        "arch_prctl",
        Core,
        FS_BASE,
        FS_BASE,
        "Thread-local storage.",
    ),
    row(
        186,
        "gettid",
        Core,
        YES,
        YES,
        "Tells the caller its own number.",
    ),
    row(201, "time", Core, NO, YES, "The time of day."),
    row(
        202,
        "futex",
        Core,
        YES,
        YES,
        "Waits on own or shared memory; wakes are hints for the lane.",
    ),
    row(
        204,
        "sched_getaffinity",
        Core,
        YES,
        YES,
        "How many processors; changing them is refused.",
    ),
    row(
        213,
        "epoll_create",
        Events,
        NO,
        YES,
        "Waits on the caller's descriptors.",
    ),
    row(
        217,
        "getdents64",
        Files,
        NO,
        YES,
        "Lists a directory that Landlock let it open.",
    ),
    row(
        218,
        "set_tid_address",
        Core,
        YES,
        YES,
        "Own memory, in an own address space.",
    ),
    row(
        219,
        "restart_syscall",
        Core,
        YES,
        YES,
        "The kernel's own continuation of a wait that a stop or a freeze interrupted.",
    ),
    row(
        221,
        "fadvise64",
        Files,
        NO,
        YES,
        "A hint about a file that the caller holds.",
    ),
    row(
        228,
        "clock_gettime",
        Core,
        OWN_CLOCKS,
        OWN_CLOCKS,
        "The time; not other processes' CPU clocks.",
    ),
    row(
        229,
        "clock_getres",
        Core,
        OWN_CLOCKS,
        OWN_CLOCKS,
        "As clock_gettime.",
    ),
    row(
        230,
        "clock_nanosleep",
        Core,
        OWN_CLOCKS,
        OWN_CLOCKS,
        "Waits; the deadline still counts.",
    ),
    row(
        231,
        "exit_group",
        Core,
        YES,
        YES,
        "Ends the caller's process.",
    ),
    row(
        232,
        "epoll_wait",
        Events,
        YES,
        YES,
        "Waits on the caller's descriptors.",
    ),
    row(
        233,
        "epoll_ctl",
        Events,
        YES,
        YES,
        "Waits on the caller's descriptors.",
    ),
    row(
        247,
        "waitid",
        Core,
        NO,
        YES,
        "The zygote's wait for its workers.",
    ),
    row(
        257,
        "openat",
        Files,
        NO,
        YES,
        "Landlock decides about the path.",
    ),
    row(
        258,
        "mkdirat",
        Files,
        NO,
        YES,
        "In its private /tmp, as rename.",
    ),
    row(
        262,
        "newfstatat",
        Files,
        YES,
        YES,
        "Sees names and sizes, never contents.",
    ),
    row(
        263,
        "unlinkat",
        Files,
        NO,
        YES,
        "In its private /tmp, as rename.",
    ),
    row(
        264,
        "renameat",
        Files,
        NO,
        YES,
        "In its private /tmp, as rename.",
    ),
    row(267, "readlinkat", Files, NO, YES, "Reads a link's text."),
    row(
        269,
        "faccessat",
        Files,
        NO,
        YES,
        "Sees whether a name exists.",
    ),
    row(
        270,
        "pselect6",
        Events,
        NO,
        YES,
        "Waits on the caller's descriptors.",
    ),
    row(
        271,
        "ppoll",
        Core,
        YES,
        YES,
        "Waits on the caller's descriptors.",
    ),
    row(
        272,
        "unshare",
        Core,
        NO,
        ALONE,
        "With CLONE_THREAD alone it changes nothing and tells whether the caller has one thread.",
    ),
    row(
        273,
        "set_robust_list",
        Core,
        YES,
        YES,
        "Own memory, in an own address space.",
    ),
    row(
        281,
        "epoll_pwait",
        Events,
        YES,
        YES,
        "Waits on the caller's descriptors.",
    ),
    row(
        289,
        "signalfd4",
        Events,
        NO,
        YES,
        "Own signals as a descriptor.",
    ),
    row(290, "eventfd2", Events, YES, YES, "A counter of its own."),
    row(
        291,
        "epoll_create1",
        Events,
        YES,
        YES,
        "Waits on the caller's descriptors.",
    ),
    row(
        292,
        "dup3",
        Core,
        NO,
        YES,
        "Copies the caller's own descriptor.",
    ),
    row(
        293,
        "pipe2",
        Events,
        NO,
        YES,
        "A pipe to itself; RLIMIT_NOFILE bounds how many.",
    ),
    row(
        295,
        "preadv",
        Core,
        NO,
        YES,
        "Reads a descriptor that the caller holds.",
    ),
    row(
        302,
        "prlimit64",
        Core,
        OWN_LIMITS_QUERY,
        OWN_LIMITS_QUERY,
        "Its own limits, as a question; another process's limits need no kill() to do harm.",
    ),
    row(309, "getcpu", Facts, NO, YES, "Which processor it runs on."),
    row(
        316,
        "renameat2",
        Files,
        NO,
        PLAIN_RENAME,
        "In its private /tmp, as rename; not leaving a device node behind.",
    ),
    row(318, "getrandom", Core, YES, YES, "Random bytes."),
    row(
        319,
        "memfd_create",
        Core,
        YES,
        NO,
        "A lane makes channels and bodies. Refused to instances: RLIMIT_AS does not count memfds.",
    ),
    row(
        322,
        "execveat",
        Core,
        OUR_IMAGE,
        OUR_IMAGE,
        "The jail's last step. Later the descriptor is gone; a program that a tenant runs through \
         that number stays in this jail and gains nothing.",
    ),
    row(
        332,
        "statx",
        Files,
        YES,
        YES,
        "Sees names and sizes, never contents.",
    ),
    row(
        334,
        "rseq",
        Core,
        YES,
        YES,
        "Own memory, in an own address space.",
    ),
    row(
        435,
        "clone3",
        Core,
        Some(Answer(ENOSYS)),
        Some(Answer(ENOSYS)),
        "Its flags lie in memory where a filter cannot see them; the C library falls back to clone.",
    ),
    row(
        436,
        "close_range",
        Core,
        NO,
        YES,
        "Closes the caller's own descriptors.",
    ),
    row(
        439,
        "faccessat2",
        Files,
        NO,
        YES,
        "Sees whether a name exists.",
    ),
];
