//! One argument of a denied call, decoded.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An argument with the name that the call's manual page gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Argument {
    /// Its name; empty for a call that is not known.
    pub name: String,
    /// Its value in words or in hexadecimal.
    pub value: String,
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.is_empty() {
            f.write_str(&self.value)
        } else {
            write!(f, "{}: {}", self.name, self.value)
        }
    }
}

/// Names of bits.
type Bits = &'static [(u64, &'static str)];

/// fcntl.h; the low two bits, the access mode, are named apart.
const OPEN: Bits = &[
    (0o100, "O_CREAT"),
    (0o200, "O_EXCL"),
    (0o400, "O_NOCTTY"),
    (0o1000, "O_TRUNC"),
    (0o2000, "O_APPEND"),
    (0o4000, "O_NONBLOCK"),
    (0o20_200_000, "O_TMPFILE"),
    (0o200_000, "O_DIRECTORY"),
    (0o400_000, "O_NOFOLLOW"),
    (0o2_000_000, "O_CLOEXEC"),
    (0o10_000_000, "O_PATH"),
];
/// sched.h.
const CLONE: Bits = &[
    (0x80, "CLONE_NEWTIME"),
    (0x100, "CLONE_VM"),
    (0x200, "CLONE_FS"),
    (0x400, "CLONE_FILES"),
    (0x800, "CLONE_SIGHAND"),
    (0x1000, "CLONE_PIDFD"),
    (0x2000, "CLONE_PTRACE"),
    (0x4000, "CLONE_VFORK"),
    (0x8000, "CLONE_PARENT"),
    (0x0001_0000, "CLONE_THREAD"),
    (0x0002_0000, "CLONE_NEWNS"),
    (0x0004_0000, "CLONE_SYSVSEM"),
    (0x0008_0000, "CLONE_SETTLS"),
    (0x0010_0000, "CLONE_PARENT_SETTID"),
    (0x0020_0000, "CLONE_CHILD_CLEARTID"),
    (0x0080_0000, "CLONE_UNTRACED"),
    (0x0100_0000, "CLONE_CHILD_SETTID"),
    (0x0200_0000, "CLONE_NEWCGROUP"),
    (0x0400_0000, "CLONE_NEWUTS"),
    (0x0800_0000, "CLONE_NEWIPC"),
    (0x1000_0000, "CLONE_NEWUSER"),
    (0x2000_0000, "CLONE_NEWPID"),
    (0x4000_0000, "CLONE_NEWNET"),
    (0x8000_0000, "CLONE_IO"),
];
/// bits/socket_type.h; the low four bits are the type.
const SOCKET: Bits = &[(0o4000, "SOCK_NONBLOCK"), (0o2_000_000, "SOCK_CLOEXEC")];
/// memfd_create(2).
const MEMFD: Bits = &[
    (1, "MFD_CLOEXEC"),
    (2, "MFD_ALLOW_SEALING"),
    (4, "MFD_HUGETLB"),
    (8, "MFD_NOEXEC_SEAL"),
    (0x10, "MFD_EXEC"),
];

/// Names of whole values.
type Values = &'static [(u64, &'static str)];

/// bits/socket.h.
const FAMILIES: Values = &[
    (0, "AF_UNSPEC"),
    (1, "AF_UNIX"),
    (2, "AF_INET"),
    (10, "AF_INET6"),
    (16, "AF_NETLINK"),
    (17, "AF_PACKET"),
    (38, "AF_ALG"),
    (40, "AF_VSOCK"),
];
const SOCKET_TYPES: Values = &[
    (1, "SOCK_STREAM"),
    (2, "SOCK_DGRAM"),
    (3, "SOCK_RAW"),
    (4, "SOCK_RDM"),
    (5, "SOCK_SEQPACKET"),
];
const ACCESS: Values = &[(0, "O_RDONLY"), (1, "O_WRONLY"), (2, "O_RDWR")];
/// linux/prctl.h.
const PRCTL: Values = &[
    (1, "PR_SET_PDEATHSIG"),
    (3, "PR_GET_DUMPABLE"),
    (4, "PR_SET_DUMPABLE"),
    (8, "PR_SET_KEEPCAPS"),
    (21, "PR_GET_SECCOMP"),
    (22, "PR_SET_SECCOMP"),
    (24, "PR_CAPBSET_DROP"),
    (29, "PR_SET_TIMERSLACK"),
    (35, "PR_SET_MM"),
    (36, "PR_SET_CHILD_SUBREAPER"),
    (38, "PR_SET_NO_NEW_PRIVS"),
    (59, "PR_SET_SYSCALL_USER_DISPATCH"),
    (65, "PR_SET_MDWE"),
    (0x5363_6d61, "PR_SET_VMA"),
    (0x5961_6d61, "PR_SET_PTRACER"),
];
/// fcntl(2).
const FCNTL: Values = &[
    (5, "F_GETLK"),
    (6, "F_SETLK"),
    (7, "F_SETLKW"),
    (8, "F_SETOWN"),
    (9, "F_GETOWN"),
    (10, "F_SETSIG"),
    (15, "F_SETOWN_EX"),
    (37, "F_OFD_SETLK"),
    (1024, "F_SETLEASE"),
    (1026, "F_NOTIFY"),
    (1031, "F_SETPIPE_SZ"),
    (1033, "F_ADD_SEALS"),
];
/// signal(7), x86_64.
const SIGNALS: Values = &[
    (0, "0"),
    (1, "SIGHUP"),
    (2, "SIGINT"),
    (3, "SIGQUIT"),
    (6, "SIGABRT"),
    (9, "SIGKILL"),
    (10, "SIGUSR1"),
    (11, "SIGSEGV"),
    (12, "SIGUSR2"),
    (13, "SIGPIPE"),
    (14, "SIGALRM"),
    (15, "SIGTERM"),
    (17, "SIGCHLD"),
    (18, "SIGCONT"),
    (19, "SIGSTOP"),
];

/// How an argument is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An `int`.
    Int,
    /// A descriptor, or the working directory.
    Descriptor,
    /// File mode bits.
    Mode,
    /// Anything else: hexadecimal.
    Hex,
    /// Flags of open(2).
    Open,
    /// Flags of clone(2) and unshare(2), with clone's signal in the low byte.
    Clone,
    /// An address family.
    Family,
    /// A socket's type.
    Socket,
    /// A signal.
    Signal,
    /// prctl(2)'s option.
    Prctl,
    /// fcntl(2)'s command.
    Fcntl,
    /// Flags of memfd_create(2).
    Memfd,
}

impl Kind {
    /// The value in words.
    pub(super) fn show(self, value: u64) -> String {
        let low = value & 0xFFFF_FFFF;
        match self {
            Kind::Int => signed(value).to_string(),
            Kind::Descriptor if signed(value) == -100 => "AT_FDCWD".to_owned(),
            Kind::Descriptor => signed(value).to_string(),
            Kind::Mode => format!("0{:o}", low & 0o7777),
            Kind::Hex => format!("{value:#x}"),
            Kind::Open => {
                let access = named(ACCESS, low & 3).unwrap_or("O_ACCMODE");
                bits(OPEN, low & !3, Some(access.to_owned()))
            }
            Kind::Clone => {
                let (flags, signal) = (value & !0x7F, value & 0x7F);
                let signal = (signal != 0)
                    .then(|| named(SIGNALS, signal).map_or(format!("{signal:#x}"), str::to_owned));
                bits(CLONE, flags, signal)
            }
            Kind::Socket => {
                let kind = named(SOCKET_TYPES, low & 0xF);
                let kind = kind.map_or_else(|| (low & 0xF).to_string(), str::to_owned);
                bits(SOCKET, low & !0xF, Some(kind))
            }
            Kind::Memfd => bits(MEMFD, low, None),
            Kind::Family => whole(FAMILIES, low),
            Kind::Signal => whole(SIGNALS, low),
            Kind::Prctl => whole(PRCTL, low),
            Kind::Fcntl => whole(FCNTL, low),
        }
    }
}

/// The `int` in the low half.
fn signed(value: u64) -> i32 {
    let [a, b, c, d, ..] = value.to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}

fn named(values: Values, value: u64) -> Option<&'static str> {
    let found = values.iter().find(|(known, _)| *known == value);
    found.map(|(_, name)| *name)
}

fn whole(values: Values, value: u64) -> String {
    named(values, value).map_or_else(|| signed(value).to_string(), str::to_owned)
}

/// The names of the bits that are set, after `first`; what has no name as a number.
fn bits(names: Bits, value: u64, first: Option<String>) -> String {
    let mut left = value;
    let mut shown: Vec<String> = first.into_iter().collect();
    for (bit, name) in names {
        if left & bit == *bit {
            left &= !bit;
            shown.push((*name).to_owned());
        }
    }
    if left != 0 || shown.is_empty() {
        shown.push(format!("{left:#x}"));
    }
    shown.join("|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_have_their_names_and_the_rest_stays_a_number() {
        assert_eq!(Kind::Open.show(0o1101), "O_WRONLY|O_CREAT|O_TRUNC");
        assert_eq!(Kind::Open.show(1 << 30), "O_RDONLY|0x40000000");
        assert_eq!(Kind::Clone.show(0x1000_0011), "SIGCHLD|CLONE_NEWUSER");
        assert_eq!(Kind::Clone.show(0), "0x0");
        assert_eq!(Kind::Descriptor.show(0xFFFF_FF9C), "AT_FDCWD");
        assert_eq!(Kind::Descriptor.show(u64::MAX), "-1");
        assert_eq!(Kind::Family.show(99), "99");
        assert_eq!(Kind::Mode.show(0o644), "0644");
    }
}
