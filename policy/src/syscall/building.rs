//! What a build worker may ask of the kernel beyond what an instance with every group but the
//! network's may: its jobs write files, the compiler's starts programs, and the one that fetches
//! packages has sockets.
//!
//! A row here stands in the place of the table's row of the same number. A job without a row has the
//! table's.

use super::table::TABLE;
use super::{Condition, Group, Provisions, Rule, Test, Width, serves_instance};
use Rule::{Allow, AllowIf, Answer};

/// What a build worker does. Each job has a filter and a Landlock ruleset of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Job {
    /// Fetches wheels: the only job with a network. It runs pip and nothing of a tenant, and it can
    /// start no other program.
    Fetch,
    /// Unpacks wheels into a tree, without a network. It runs pip and nothing of a tenant, and it can
    /// start no other program.
    Install,
    /// Compiles a tenant's source, without a network.
    Compile,
}

impl Job {
    /// All of them.
    pub const ALL: [Job; 3] = [Job::Fetch, Job::Install, Job::Compile];

    /// Its name in messages and documents.
    pub fn name(self) -> &'static str {
        match self {
            Job::Fetch => "fetch",
            Job::Install => "install",
            Job::Compile => "compile",
        }
    }
}

/// One row: a call, the jobs that have it, and why.
#[derive(Clone, Copy, Debug)]
pub struct Extra {
    /// The call's name as in `syscalls(2)`.
    pub name: &'static str,
    /// Its number on x86_64.
    pub number: u16,
    /// Who has it.
    pub jobs: &'static [Job],
    /// What the filter says.
    pub rule: Rule,
    /// Why it is there, and why it does no harm.
    pub reason: &'static str,
}

const fn extra(
    number: u16,
    name: &'static str,
    jobs: &'static [Job],
    rule: Rule,
    reason: &'static str,
) -> Extra {
    Extra {
        name,
        number,
        jobs,
        rule,
        reason,
    }
}

const fn int(argument: u8, test: Test) -> Condition {
    Condition {
        argument,
        width: Width::Int,
        test,
    }
}

/// MSG_FASTOPEN of `send(2)` connects a TCP socket past the check of Landlock's ports, which `connect`
/// goes through (security_socket_connect in net/socket.c): a sent message names an open connection.
const fn no_connection(flags: u8) -> Condition {
    int(flags, Test::Lacks(0x2000_0000))
}

/// S_ISUID and S_ISGID: no program of a worker's makes whoever starts it another user.
const fn no_privilege(mode: u8) -> Condition {
    int(mode, Test::Lacks(0o6000))
}

const FETCH: &[Job] = &[Job::Fetch];
const COMPILE: &[Job] = &[Job::Compile];
const PYTHON: &[Job] = &[Job::Fetch, Job::Install];
const EVERY: &[Job] = &[Job::Fetch, Job::Install, Job::Compile];

/// AF_INET or AF_INET6, and SOCK_STREAM or SOCK_DGRAM with SOCK_CLOEXEC and SOCK_NONBLOCK: no raw
/// sockets, no AF_UNIX (the host's services), no AF_NETLINK, no AF_VSOCK (the host of a guest).
const INTERNET: Rule = AllowIf(&[
    &[int(0, Test::Is(2)), int(1, Test::Is(1))],
    &[int(0, Test::Is(2)), int(1, Test::Is(0o2_000_001))],
    &[int(0, Test::Is(2)), int(1, Test::Is(0o2_000_002))],
    &[int(0, Test::Is(2)), int(1, Test::Is(0o2_004_002))],
    &[int(0, Test::Is(10)), int(1, Test::Is(1))],
    &[int(0, Test::Is(10)), int(1, Test::Is(0o2_000_001))],
    &[int(0, Test::Is(10)), int(1, Test::Is(0o2_000_002))],
    &[int(0, Test::Is(10)), int(1, Test::Is(0o2_004_002))],
]);

/// O_CREAT and __O_TMPFILE: without them `open(2)` makes nothing, and its mode may be any bits.
const MAKING: u64 = 0o20_000_100;

/// The rows, by number.
pub const BUILDING: &[Extra] = &[
    extra(
        2,
        "open",
        EVERY,
        AllowIf(&[&[int(1, Test::Lacks(MAKING))], &[no_privilege(2)]]),
        "As openat.",
    ),
    extra(
        41,
        "socket",
        FETCH,
        INTERNET,
        "Asks an index for packages; TCP leads to the index's ports alone where Landlock knows ports.",
    ),
    extra(
        42,
        "connect",
        FETCH,
        Allow,
        "Connects a socket of the kinds above.",
    ),
    extra(
        44,
        "sendto",
        FETCH,
        AllowIf(&[&[no_connection(3)]]),
        "Sends on a socket of the kinds above: questions about names, requests.",
    ),
    extra(
        47,
        "recvmsg",
        FETCH,
        Allow,
        "Receives on a socket of the kinds above.",
    ),
    extra(
        51,
        "getsockname",
        FETCH,
        Allow,
        "The resolver sorts addresses by it.",
    ),
    extra(
        52,
        "getpeername",
        FETCH,
        Allow,
        "Who is at the other end of an own socket.",
    ),
    extra(
        54,
        "setsockopt",
        FETCH,
        AllowIf(&[
            &[int(1, Test::Is(1))],
            &[int(1, Test::Is(6))],
            &[int(1, Test::Is(0))],
            &[int(1, Test::Is(41))],
        ]),
        "SOL_SOCKET, IPPROTO_TCP, and the errors of IP: keeping alive, sending at once.",
    ),
    extra(
        55,
        "getsockopt",
        FETCH,
        Allow,
        "Whether a connection came about.",
    ),
    extra(
        58,
        "vfork",
        COMPILE,
        Allow,
        "The compiler's driver starts its parts.",
    ),
    extra(
        59,
        "execve",
        COMPILE,
        Allow,
        "The compiler's driver starts its parts: what Landlock lets it execute.",
    ),
    extra(
        73,
        "flock",
        EVERY,
        Allow,
        "Locks a file that it holds open, against its own processes.",
    ),
    extra(
        76,
        "truncate",
        COMPILE,
        Allow,
        "The linker sizes its output; Landlock and the mounts decide which files.",
    ),
    extra(
        88,
        "symlink",
        PYTHON,
        Answer(EPERM),
        "Links are refused in a tree; pip copies instead.",
    ),
    extra(
        90,
        "chmod",
        PYTHON,
        Answer(0),
        "The front gives a tree its modes; told that it was done, pip goes on.",
    ),
    extra(
        90,
        "chmod",
        COMPILE,
        AllowIf(&[&[no_privilege(1)]]),
        "The linker marks its output; it owns nothing outside of its folder that is not mounted read-only.",
    ),
    extra(91, "fchmod", PYTHON, Answer(0), "As chmod."),
    extra(
        91,
        "fchmod",
        COMPILE,
        AllowIf(&[&[no_privilege(1)]]),
        "As chmod.",
    ),
    extra(
        111,
        "getpgrp",
        COMPILE,
        Allow,
        "The group of its own processes.",
    ),
    extra(
        235,
        "utimes",
        EVERY,
        Answer(0),
        "Times of files do not reach a tree.",
    ),
    extra(
        257,
        "openat",
        EVERY,
        AllowIf(&[&[int(2, Test::Lacks(MAKING))], &[no_privilege(3)]]),
        "Landlock decides about the path; no file is born with a mode that chmod could not give it.",
    ),
    extra(268, "fchmodat", PYTHON, Answer(0), "As chmod."),
    extra(
        268,
        "fchmodat",
        COMPILE,
        AllowIf(&[&[no_privilege(2)]]),
        "As chmod.",
    ),
    extra(
        280,
        "utimensat",
        EVERY,
        Answer(0),
        "Times of files do not reach a tree.",
    ),
    extra(
        307,
        "sendmmsg",
        FETCH,
        AllowIf(&[&[no_connection(3)]]),
        "The resolver asks for two kinds of address at once.",
    ),
    extra(
        326,
        "copy_file_range",
        EVERY,
        Answer(18),
        "EXDEV: whoever copies reads and writes instead.",
    ),
];

const EPERM: u16 = 1;

/// What a build worker has that rows depend on: it writes to its folder, and no control group counts its
/// memory.
pub const PROVISIONS: Provisions = Provisions {
    writes: true,
    counted: false,
};

/// The rule of `job` for each call that it may make or that is answered, by number.
pub fn rules(job: Job) -> Vec<(u16, &'static str, Rule)> {
    let mut rules: Vec<(u16, &'static str, Rule)> = BUILDING
        .iter()
        .filter(|extra| extra.jobs.contains(&job))
        .map(|extra| (extra.number, extra.name, extra.rule))
        .collect();
    for row in TABLE {
        if let Some(rule) = row.instance
            && serves_instance(row, PROVISIONS)
            // Who has a network, the rows above say.
            && row.group != Group::Network
            && !rules.iter().any(|(number, _, _)| *number == row.number)
        {
            rules.push((row.number, row.name, rule));
        }
    }
    rules.sort_by_key(|(number, _, _)| *number);
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(job: Job, name: &str) -> bool {
        rules(job)
            .iter()
            .any(|(_, known, rule)| *known == name && !matches!(rule, Rule::Answer(_)))
    }

    #[test]
    fn only_the_job_that_runs_nothing_of_a_tenant_has_a_network() {
        for name in ["socket", "connect", "sendmmsg"] {
            assert!(has(Job::Fetch, name), "{name}");
            assert!(!has(Job::Install, name), "{name}");
            assert!(!has(Job::Compile, name), "{name}");
        }
    }

    #[test]
    fn only_the_compiler_starts_programs() {
        for name in ["execve", "vfork"] {
            assert!(has(Job::Compile, name), "{name}");
            assert!(!has(Job::Fetch, name) && !has(Job::Install, name), "{name}");
        }
    }

    #[test]
    fn no_job_has_two_rows_for_one_call_and_none_is_above_an_instance_by_accident() {
        for job in Job::ALL {
            let rules = rules(job);
            assert!(rules.windows(2).all(|pair| pair[0].0 < pair[1].0));
            for name in [
                "ptrace",
                "mount",
                "setns",
                "bpf",
                "io_uring_setup",
                "keyctl",
                "pidfd_getfd",
                "process_vm_readv",
                "userfaultfd",
                "bind",
                "listen",
                "accept4",
                "kill",
                "chown",
                "setxattr",
                "mknod",
            ] {
                assert!(!has(job, name), "{name} is open to {}", job.name());
            }
        }
    }

    #[test]
    fn every_row_gives_a_reason() {
        for extra in BUILDING {
            assert!(extra.reason.len() >= 9, "{}", extra.name);
            assert!(!extra.jobs.is_empty(), "{}", extra.name);
        }
    }
}
