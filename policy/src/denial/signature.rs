//! What is known of denied calls' arguments (section 2 of the manual).

use super::argument::{Argument, Kind};
use super::{Notice, Pointed};
use crate::syscall::{Arguments, names};
use std::fmt::Write;

/// Calls with the names and kinds of their arguments. `path` and `address` are pointers that are
/// followed; of each call at most one. What follows the last word is not shown.
const SIGNATURES: &[(&str, &str)] = &[
    ("open", "path=path flags=open mode=mode"),
    ("openat", "dirfd=fd path=path flags=open mode=mode"),
    ("openat2", "dirfd=fd path=path"),
    ("creat", "path=path mode=mode"),
    ("truncate", "path=path length=int"),
    ("ftruncate", "fd=fd length=int"),
    ("fallocate", "fd=fd mode=hex offset=hex length=hex"),
    ("mkdir", "path=path mode=mode"),
    ("mkdirat", "dirfd=fd path=path mode=mode"),
    ("rmdir", "path=path"),
    ("unlink", "path=path"),
    ("unlinkat", "dirfd=fd path=path flags=hex"),
    ("rename", "path=path new=hex"),
    ("renameat", "dirfd=fd path=path newdirfd=fd new=hex"),
    (
        "renameat2",
        "dirfd=fd path=path newdirfd=fd new=hex flags=hex",
    ),
    ("link", "path=path new=hex"),
    ("linkat", "dirfd=fd path=path newdirfd=fd new=hex flags=hex"),
    ("symlink", "target=hex path=path"),
    ("symlinkat", "target=hex dirfd=fd path=path"),
    ("mknod", "path=path mode=mode device=hex"),
    ("mknodat", "dirfd=fd path=path mode=mode device=hex"),
    ("chmod", "path=path mode=mode"),
    ("fchmod", "fd=fd mode=mode"),
    ("fchmodat", "dirfd=fd path=path mode=mode"),
    ("fchmodat2", "dirfd=fd path=path mode=mode flags=hex"),
    ("chown", "path=path owner=int group=int"),
    ("lchown", "path=path owner=int group=int"),
    ("fchown", "fd=fd owner=int group=int"),
    (
        "fchownat",
        "dirfd=fd path=path owner=int group=int flags=hex",
    ),
    ("utime", "path=path"),
    ("utimes", "path=path"),
    ("utimensat", "dirfd=fd path=path"),
    (
        "setxattr",
        "path=path name=hex value=hex size=int flags=hex",
    ),
    (
        "lsetxattr",
        "path=path name=hex value=hex size=int flags=hex",
    ),
    ("getxattr", "path=path name=hex value=hex size=int"),
    ("lgetxattr", "path=path name=hex value=hex size=int"),
    ("listxattr", "path=path list=hex size=int"),
    ("removexattr", "path=path name=hex"),
    ("statfs", "path=path"),
    ("fstatfs", "fd=fd"),
    ("chroot", "path=path"),
    ("fchdir", "fd=fd"),
    ("fsync", "fd=fd"),
    ("fdatasync", "fd=fd"),
    ("flock", "fd=fd operation=int"),
    ("execve", "path=path argv=hex envp=hex"),
    ("execveat", "dirfd=fd path=path argv=hex envp=hex flags=hex"),
    ("fork", ""),
    ("vfork", ""),
    ("clone", "flags=clone stack=hex"),
    ("unshare", "flags=clone"),
    ("setns", "fd=fd type=hex"),
    ("mount", "source=hex path=path type=hex flags=hex"),
    ("umount2", "path=path flags=hex"),
    ("pivot_root", "path=path old=hex"),
    ("socket", "family=family type=socket protocol=int"),
    ("socketpair", "family=family type=socket protocol=int"),
    ("connect", "fd=fd address=address length=int"),
    ("bind", "fd=fd address=address length=int"),
    ("listen", "fd=fd backlog=int"),
    ("accept", "fd=fd"),
    ("accept4", "fd=fd"),
    ("setsockopt", "fd=fd level=int option=int"),
    (
        "sendto",
        "fd=fd buffer=hex length=int flags=hex address=address",
    ),
    ("sendmsg", "fd=fd message=hex flags=hex"),
    ("sendmmsg", "fd=fd messages=hex count=int flags=hex"),
    ("kill", "pid=int signal=signal"),
    ("tkill", "tid=int signal=signal"),
    ("tgkill", "pid=int tid=int signal=signal"),
    ("rt_sigqueueinfo", "pid=int signal=signal"),
    ("pidfd_open", "pid=int flags=hex"),
    ("pidfd_send_signal", "fd=fd signal=signal"),
    ("pidfd_getfd", "pidfd=fd fd=fd"),
    ("ptrace", "request=int pid=int address=hex data=hex"),
    ("process_vm_readv", "pid=int"),
    ("process_vm_writev", "pid=int"),
    ("setuid", "uid=int"),
    ("setgid", "gid=int"),
    ("setreuid", "ruid=int euid=int"),
    ("setresuid", "ruid=int euid=int suid=int"),
    ("setgroups", "count=int"),
    ("setpgid", "pid=int group=int"),
    ("setsid", ""),
    ("getpgid", "pid=int"),
    ("getsid", "pid=int"),
    ("getpriority", "which=int who=int"),
    ("setpriority", "which=int who=int priority=int"),
    ("sched_setaffinity", "pid=int size=int"),
    ("sched_setscheduler", "pid=int policy=int"),
    ("sched_getscheduler", "pid=int"),
    ("sched_getparam", "pid=int"),
    ("ioprio_set", "which=int who=int priority=int"),
    ("setrlimit", "resource=int"),
    ("prlimit64", "pid=int resource=int new=hex old=hex"),
    ("prctl", "option=prctl value=hex"),
    ("fcntl", "fd=fd command=fcntl value=hex"),
    ("ioctl", "fd=fd request=hex value=hex"),
    ("madvise", "address=hex length=hex advice=int"),
    ("mlock", "address=hex length=hex"),
    ("mlockall", "flags=hex"),
    ("memfd_create", "path=path flags=memfd"),
    ("memfd_secret", "flags=hex"),
    ("shmget", "key=int size=int flags=hex"),
    ("semget", "key=int count=int flags=hex"),
    ("msgget", "key=int flags=hex"),
    ("mq_open", "path=path flags=open mode=mode"),
    ("pkey_alloc", "flags=hex rights=hex"),
    ("inotify_add_watch", "fd=fd path=path mask=hex"),
    ("inotify_init1", "flags=hex"),
    (
        "splice",
        "from=fd from_offset=hex to=fd to_offset=hex length=int",
    ),
    ("sendfile", "to=fd from=fd"),
    ("copy_file_range", "from=fd from_offset=hex to=fd"),
    ("clock_gettime", "clock=int"),
    ("clock_settime", "clock=int"),
    ("timer_create", "clock=int"),
    ("timerfd_create", "clock=int flags=hex"),
    ("membarrier", "command=int flags=hex"),
    ("seccomp", "operation=int flags=hex"),
    ("epoll_pwait2", "fd=fd"),
    ("mincore", "address=hex length=hex"),
    ("personality", "persona=hex"),
    ("syslog", "type=int"),
    ("io_uring_setup", "entries=int"),
    ("bpf", "command=int"),
    ("userfaultfd", "flags=hex"),
    ("keyctl", "operation=int"),
];

/// Which argument of a call is followed, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pointer {
    /// A text that ends with a NUL byte.
    Path(usize),
    /// A socket's address, and the argument that holds its length.
    Address(usize, usize),
}

fn words(call: &str) -> Option<impl Iterator<Item = (&'static str, &'static str)>> {
    let (_, words) = SIGNATURES.iter().find(|(name, _)| *name == call)?;
    Some(
        words
            .split_whitespace()
            .filter_map(|word| word.split_once('=')),
    )
}

/// Which argument of call `number` is followed, if one is.
pub fn pointer(number: u32) -> Option<Pointer> {
    let found = words(names::name(number)?)?
        .enumerate()
        .find(|(_, (_, kind))| ["path", "address"].contains(kind));
    match found? {
        (at, (_, "path")) => Some(Pointer::Path(at)),
        (at, _) => Some(Pointer::Address(at, at.saturating_add(1))),
    }
}

/// The arguments of a call in words, and the path that it named.
pub(super) fn decode(call: &str, notice: &Notice) -> (Vec<Argument>, Option<String>) {
    let argument = |name: &str, value: String| Argument {
        name: name.to_owned(),
        value,
    };
    let Some(words) = words(call) else {
        let all = notice.arguments.iter();
        let all = all.map(|value| argument("", Kind::Hex.show(*value)));
        return (all.collect(), None);
    };
    let mut path = None;
    let decoded = words.zip(notice.arguments).map(|((name, kind), value)| {
        let shown = match (kind, &notice.pointed) {
            ("path", Pointed::Bytes(bytes)) => {
                let text = escaped(bytes.split(|byte| *byte == 0).next().unwrap_or_default());
                path = Some(text.clone());
                format!("\"{text}\"")
            }
            ("address", Pointed::Bytes(bytes)) => address(bytes),
            (kind, _) => self::kind(kind).show(value),
        };
        argument(name, shown)
    });
    (decoded.collect(), path)
}

fn kind(word: &str) -> Kind {
    match word {
        "int" => Kind::Int,
        "fd" => Kind::Descriptor,
        "mode" => Kind::Mode,
        "open" => Kind::Open,
        "clone" => Kind::Clone,
        "family" => Kind::Family,
        "socket" => Kind::Socket,
        "signal" => Kind::Signal,
        "prctl" => Kind::Prctl,
        "fcntl" => Kind::Fcntl,
        "memfd" => Kind::Memfd,
        _ => Kind::Hex,
    }
}

/// Bytes as text: printable characters of ASCII as they are, all others as `\xNN`.
fn escaped(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        match byte {
            b'\\' | b'"' => {
                text.push('\\');
                text.push(char::from(*byte));
            }
            b' '..=b'~' => text.push(char::from(*byte)),
            other => {
                let _never_fails = write!(text, "\\x{other:02x}");
            }
        }
        text
    })
}

/// A socket address (ip(7), ipv6(7), unix(7)).
fn address(bytes: &[u8]) -> String {
    let Some((family, rest)) = bytes.split_first_chunk::<2>() else {
        return "too short".to_owned();
    };
    match (u16::from_le_bytes(*family), rest) {
        (1, path) => match path.split_first() {
            Some((0, name)) => format!("unix @{}", escaped(name)),
            _ => format!(
                "unix {}",
                escaped(path.split(|byte| *byte == 0).next().unwrap_or_default())
            ),
        },
        (2, [p, q, a, b, c, d, ..]) => {
            let address = std::net::Ipv4Addr::new(*a, *b, *c, *d);
            format!("{address}:{}", u16::from_be_bytes([*p, *q]))
        }
        (10, [p, q, _, _, _, _, rest @ ..]) => match rest.first_chunk::<16>() {
            Some(octets) => format!(
                "[{}]:{}",
                std::net::Ipv6Addr::from(*octets),
                u16::from_be_bytes([*p, *q])
            ),
            None => "too short".to_owned(),
        },
        (family, _) => Kind::Family.show(u64::from(family)),
    }
}

/// How many bytes to read of what [`pointer`] names.
pub(crate) fn length(pointer: Pointer, arguments: &Arguments, most: usize) -> usize {
    match pointer {
        Pointer::Path(_) => most,
        Pointer::Address(_, length) => {
            let told = arguments.get(length).copied().unwrap_or_default();
            // A sockaddr_storage has 128 bytes (socket(7)).
            usize::try_from(told).unwrap_or(usize::MAX).min(128)
        }
    }
}

impl Pointer {
    /// Where it points, and how many bytes of that to read.
    pub fn target(self, arguments: &Arguments, most: usize) -> (u64, usize) {
        let (Pointer::Path(at) | Pointer::Address(at, _)) = self;
        let address = arguments.get(at).copied().unwrap_or_default();
        (address, length(self, arguments, most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signature_is_of_a_call_and_every_kind_is_known() {
        for (call, _) in SIGNATURES {
            assert!(
                names::number(call).is_some() || *call == "fchmodat2",
                "{call}"
            );
            let words: Vec<_> = words(call).unwrap().collect();
            assert!(words.len() <= 6);
            for (name, word) in &words {
                let known = ["path", "address", "hex"].contains(word) || kind(word) != Kind::Hex;
                assert!(known && !name.is_empty(), "{call}: {name}={word}");
            }
            let followed = words
                .iter()
                .filter(|(_, k)| ["path", "address"].contains(k));
            assert!(followed.count() <= 1, "{call}");
        }
    }

    #[test]
    fn addresses_are_read_in_the_order_of_the_network() {
        assert_eq!(address(&[2, 0, 0, 80, 127, 0, 0, 1, 0]), "127.0.0.1:80");
        let mut six = vec![10, 0, 1, 187, 0, 0, 0, 0];
        six.extend([0; 15]);
        six.push(1);
        assert_eq!(address(&six), "[::1]:443");
        assert_eq!(
            address(b"\x01\0/run/docker.sock\0junk"),
            "unix /run/docker.sock"
        );
        assert_eq!(address(b"\x01\0\0name"), "unix @name");
        assert_eq!(address(&[16, 0]), "AF_NETLINK");
        assert_eq!(address(&[2]), "too short");
        assert_eq!(address(&[10, 0, 1, 187, 0]), "AF_INET6");
    }

    #[test]
    fn a_pointer_leads_to_what_its_call_names() {
        assert_eq!(pointer(257), Some(Pointer::Path(1)));
        assert_eq!(pointer(42), Some(Pointer::Address(1, 2)));
        assert_eq!(pointer(44), Some(Pointer::Address(4, 5)));
        assert_eq!(pointer(41), None);
        assert_eq!(pointer(9999), None);
        let target = Pointer::Address(1, 2).target(&[3, 0x1000, u64::MAX, 0, 0, 0], 512);
        assert_eq!(target, (0x1000, 128));
    }
}
