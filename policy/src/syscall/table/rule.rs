//! The rules that more than one word says, by name, with the source of their numbers.

use crate::syscall::Rule::{self, Allow, AllowIf, Answer};
use crate::syscall::{Condition, IMAGE_DESCRIPTOR, Test, Width};

/// No rule: refused with EPERM.
pub(super) const NO: Option<Rule> = None;
pub(super) const YES: Option<Rule> = Some(Allow);

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

/// EPERM at once, told to nobody.
pub(super) const ANSWERS_EPERM: Option<Rule> = Some(Answer(1));
/// As a kernel that does not have the call (ENOSYS).
pub(super) const ANSWERS_ENOSYS: Option<Rule> = Some(Answer(38));
/// Success, and nothing happens.
pub(super) const SUCCEEDS: Option<Rule> = Some(Answer(0));

/// PROT_EXEC.
pub(super) const NOT_EXECUTABLE: Option<Rule> = Some(AllowIf(&[&[int(2, Test::Lacks(4))]]));
/// Clock numbers 0 to 11: a negative one names another process's CPU clock (clock_gettime(2)).
pub(super) const OWN_CLOCKS: Option<Rule> = Some(AllowIf(&[&[int(0, Test::AtMost(11))]]));
/// AF_UNIX, and of the socket types without bit 1: SOCK_STREAM (1) and SOCK_SEQPACKET (5). A datagram
/// socket (2, and 3, which AF_UNIX takes for 2) sends to any address that sendmsg names, though it
/// is one of a pair: to every socket with a path on the host, /dev/log for one (unix(7)).
pub(super) const UNIX_PAIR: Option<Rule> =
    Some(AllowIf(&[&[int(0, Test::Is(1)), int(1, Test::Lacks(2))]]));
/// AT_EMPTY_PATH.
pub(super) const OUR_IMAGE: Option<Rule> = Some(AllowIf(&[&[
    int(0, Test::Is(IMAGE_DESCRIPTOR as u64)),
    int(4, Test::Is(0x1000)),
]]));
/// CLONE_NEW*, CLONE_PIDFD, CLONE_PTRACE, CLONE_PARENT, CLONE_UNTRACED, CLONE_INTO_CGROUP: threads and plain
/// forks have none of them.
pub(super) const PLAIN_CLONE: Option<Rule> = Some(AllowIf(&[&[long(
    0,
    Test::Lacks(0x2_7E80_0000 | 0x0002_0000 | 0x8000 | 0x1000 | 0x2000 | 0x80),
)]]));
/// As [`PLAIN_CLONE`], and none of CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_SIGHAND, CLONE_VFORK, CLONE_THREAD:
/// a fork, which a zygote needs for its workers.
pub(super) const FORK_ONLY: Option<Rule> = Some(AllowIf(&[&[long(
    0,
    Test::Lacks(0x2_7E80_0000 | 0x0002_0000 | 0x8000 | 0x1000 | 0x2000 | 0x80 | 0x0001_4F00),
)]]));
/// CLONE_VM|FS|FILES|SIGHAND|THREAD|SYSVSEM|SETTLS|PARENT_SETTID|CHILD_CLEARTID: pthread_create.
pub(super) const THREAD_ONLY: Option<Rule> = Some(AllowIf(&[&[long(0, Test::Is(0x3D_0F00))]]));
/// F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL without O_ASYNC, F_DUPFD_CLOEXEC, F_GETPIPE_SZ,
/// F_GET_SEALS. Not F_SETOWN and F_SETSIG, which send signals to others without kill().
pub(super) const OWN_FCNTL: Option<Rule> = Some(AllowIf(&[
    &[int(1, Test::AtMost(3))],
    &[int(1, Test::Is(4)), int(2, Test::Lacks(0o20000))],
    &[int(1, Test::Is(1030))],
    &[int(1, Test::Is(1032))],
    &[int(1, Test::Is(1034))],
]));
/// As for instances, and F_ADD_SEALS.
pub(super) const LANE_FCNTL: Option<Rule> = Some(AllowIf(&[
    &[int(1, Test::AtMost(3))],
    &[int(1, Test::Is(4)), int(2, Test::Lacks(0o20000))],
    &[int(1, Test::Is(1030))],
    &[int(1, Test::Is(1033))],
    &[int(1, Test::Is(1034))],
]));
/// TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX.
pub(super) const HARMLESS_IOCTL: Option<Rule> = Some(AllowIf(&[
    &[int(1, Test::Is(0x5401))],
    &[int(1, Test::Is(0x5413))],
    &[int(1, Test::Is(0x541B))],
    &[int(1, Test::Is(0x5421))],
    &[int(1, Test::Is(0x5450))],
    &[int(1, Test::Is(0x5451))],
]));
/// MADV_NORMAL to MADV_DONTNEED, FREE, DONTFORK, DOFORK, HUGEPAGE, NOHUGEPAGE, DONTDUMP, DODUMP,
/// WIPEONFORK, KEEPONFORK. Not MERGEABLE (a timing channel), REMOVE, HWPOISON, PAGEOUT.
pub(super) const PLAIN_ADVICE: Option<Rule> = Some(AllowIf(&[
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
pub(super) const OWN_PRCTL: Option<Rule> = Some(AllowIf(&[
    &[int(0, Test::Is(15))],
    &[int(0, Test::Is(16))],
    &[int(0, Test::Is(23))],
    &[int(0, Test::Is(39))],
    &[int(0, Test::Is(1)), long(1, Test::Is(9))],
    &[int(0, Test::Is(4)), long(1, Test::Is(0))],
]));
/// PR_SET_NAME, and PR_SET_DUMPABLE with 0.
pub(super) const LANE_PRCTL: Option<Rule> = Some(AllowIf(&[
    &[int(0, Test::Is(15))],
    &[int(0, Test::Is(4)), long(1, Test::Is(0))],
]));
/// ARCH_SET_FS, ARCH_GET_FS.
pub(super) const FS_BASE: Option<Rule> = Some(AllowIf(&[
    &[int(0, Test::Is(0x1002))],
    &[int(0, Test::Is(0x1003))],
]));
/// The caller itself, and no new limit.
pub(super) const OWN_LIMITS_QUERY: Option<Rule> =
    Some(AllowIf(&[&[int(0, Test::Is(0)), long(2, Test::Is(0))]]));
pub(super) const NO_ADDRESS: Option<Rule> = Some(AllowIf(&[&[long(4, Test::Is(0))]]));

/// MFD_CLOEXEC, MFD_ALLOW_SEALING, MFD_NOEXEC_SEAL, MFD_EXEC; not MFD_HUGETLB and its sizes.
pub(super) const PLAIN_MEMFD: Option<Rule> = Some(AllowIf(&[&[int(1, Test::Lacks(0xFFFF_FFE4))]]));
/// Without RENAME_WHITEOUT, which makes a device node.
pub(super) const PLAIN_RENAME: Option<Rule> = Some(AllowIf(&[&[int(4, Test::Lacks(4))]]));

/// CLONE_THREAD and nothing else: no-op or EINVAL (unshare(2)).
pub(super) const ALONE: Option<Rule> = Some(AllowIf(&[&[long(0, Test::Is(0x0001_0000))]]));

/// AF_INET (2) and AF_INET6 (10); SOCK_STREAM with or without SOCK_NONBLOCK and SOCK_CLOEXEC; protocol 0
/// or IPPROTO_TCP (6). Not IPPROTO_MPTCP and IPPROTO_SMC, whose connections Landlock does not see.
pub(super) const TCP: Option<Rule> = Some(AllowIf(&[
    &[int(0, Test::Is(2)), STREAM, int(2, Test::Is(0))],
    &[int(0, Test::Is(2)), STREAM, int(2, Test::Is(6))],
    &[int(0, Test::Is(10)), STREAM, int(2, Test::Is(0))],
    &[int(0, Test::Is(10)), STREAM, int(2, Test::Is(6))],
]));
const STREAM: Condition = int(1, Test::Masked(0xFFFF_FFFF & !0x8_0800, 1));
/// SOL_SOCKET (1): SO_KEEPALIVE, SO_RCVTIMEO, SO_SNDTIMEO. IPPROTO_TCP (6): TCP_NODELAY, TCP_KEEPIDLE,
/// TCP_KEEPINTVL, TCP_KEEPCNT, TCP_USER_TIMEOUT.
pub(super) const OWN_SOCKET_OPTIONS: Option<Rule> = Some(AllowIf(&[
    &[int(1, Test::Is(1)), int(2, Test::Is(9))],
    &[int(1, Test::Is(1)), int(2, Test::Is(20))],
    &[int(1, Test::Is(1)), int(2, Test::Is(21))],
    &[int(1, Test::Is(6)), int(2, Test::Is(1))],
    &[int(1, Test::Is(6)), int(2, Test::Is(4))],
    &[int(1, Test::Is(6)), int(2, Test::Is(5))],
    &[int(1, Test::Is(6)), int(2, Test::Is(6))],
    &[int(1, Test::Is(6)), int(2, Test::Is(18))],
]));
