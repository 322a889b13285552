//! THE table of system calls: what a lane and an instance may ask of the kernel, and why.
//!
//! [`table::TABLE`] is the one source: the filter is compiled from it (the jail package), the
//! documentation is printed from it (`docs/SYSCALLS.md`) and the contract tests try each row with
//! real calls. A call that no row names is refused with EPERM; a call of another architecture
//! (32-bit, x32) ends the process.

pub mod building;
pub mod decide;
pub mod group;
pub mod names;
pub mod table;

pub use building::Job;
pub use decide::{Arguments, Decision, Scene, decide};
pub use group::{Group, Groups};

/// Whose filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// A lane: static, trusted, parses what instances write.
    Lane,
    /// A zygote and its workers: the code of a tenant.
    Instance,
    /// A build worker at one of its jobs.
    Builder(Job),
}

/// How many of an argument's bits count. The kernel reads an `int` argument from the low half of
/// the register and the caller may leave anything in the high half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// The low 32 bits.
    Int,
    /// All 64 bits.
    Long,
}

/// A test of one argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// It equals this.
    Is(u64),
    /// None of these bits is set.
    Lacks(u64),
    /// Of these bits exactly those of the second number are set.
    Masked(u64, u64),
    /// As an unsigned number it is at most this.
    AtMost(u64),
}

/// A condition on one argument, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Which argument.
    pub argument: u8,
    /// How many of its bits count.
    pub width: Width,
    /// The test.
    pub test: Test,
}

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// It is passed to the kernel.
    Allow,
    /// It is passed to the kernel if all conditions of at least one list hold, else refused with
    /// EPERM.
    AllowIf(&'static [&'static [Condition]]),
    /// It is answered with this error number, or with success for 0, and never reaches the kernel.
    /// For calls that a C library probes and has another way for, and for such as have nothing to
    /// do.
    Answer(u16),
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The call's name as in `syscalls(2)`.
    pub name: &'static str,
    /// Its number on x86_64 (`arch/x86/entry/syscalls/syscall_64.tbl`).
    pub number: u16,
    /// Which group of an instance's calls it belongs to; without meaning for lanes.
    pub group: Group,
    /// What a lane's filter says; `None` refuses.
    pub lane: Option<Rule>,
    /// What an instance's filter says where its profile has the group; `None` refuses.
    pub instance: Option<Rule>,
    /// What it says where the profile does not have the group: nothing that `instance` refuses.
    pub without: Option<Rule>,
    /// Why it is there, and why it does no harm.
    pub reason: &'static str,
}

impl Row {
    /// The rule for `role`; for an instance that of a profile with all groups. `None` refuses. Build
    /// workers have no column here: theirs are [`building::rules`].
    pub fn rule(&self, role: Role) -> Option<Rule> {
        match role {
            Role::Lane => self.lane,
            Role::Instance => self.instance,
            Role::Builder(_) => None,
        }
    }

    /// The rule for an instance whose profile has `groups`; `None` refuses. Rows that answer an error
    /// number do so under every profile.
    pub fn granted(&self, groups: &Groups) -> Option<Rule> {
        match self.instance {
            Some(Rule::Answer(errno)) => Some(Rule::Answer(errno)),
            rule if groups.has(self.group) => rule,
            _ => self.without,
        }
    }
}

/// The descriptor number of the program that the jail executes; the filters allow `execveat` of
/// it and of nothing else.
pub const IMAGE_DESCRIPTOR: u16 = 5;

/// The descriptor number of a jailed process's socket to the spawner.
pub const CONTROL_DESCRIPTOR: u16 = 3;

/// What a jailed process does between its allow-list, whose listener it passes on, and its last filter,
/// which refuses exactly this: `sendmsg` (46) on its socket with MSG_NOSIGNAL alone, and `seccomp` (317)
/// with SECCOMP_SET_MODE_FILTER and no flag.
pub const PASSING_ON: &[(u16, &[Condition])] = &[
    (
        46,
        &[
            is(0, Width::Int, CONTROL_DESCRIPTOR as u64),
            is(2, Width::Int, 0x4000),
        ],
    ),
    (317, &[is(0, Width::Int, 1), is(1, Width::Long, 0)]),
];

const fn is(argument: u8, width: Width, value: u64) -> Condition {
    Condition {
        argument,
        width,
        test: Test::Is(value),
    }
}

/// On Landlock ABI 2 (Linux 6.1) Landlock does not keep a file that may be read from being emptied
/// by `open(O_TRUNC)`: the rows of [`table::TRUNCATING`] lose their `O_TRUNC` there. Not where an
/// instance writes to a private `/tmp`: then all other mounts are read-only, which stops it as
/// well, and a staged file has no mode bit for writing, which nobody inside can give it.
pub fn needs_truncation_guard(landlock_abi: u32, provisions: Provisions) -> bool {
    landlock_abi < 3 && !provisions.writes
}

/// What an instance has that some rows depend on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Provisions {
    /// A private `/tmp`.
    pub writes: bool,
    /// A control group that counts its memory, also what no limit of a process counts.
    pub counted: bool,
}

/// Whether the filter of an instance has this row: those of [`table::WRITING`] only with a private
/// `/tmp`, those of [`table::COUNTED`] only where its memory is counted.
pub fn serves_instance(row: &Row, provisions: Provisions) -> bool {
    (provisions.writes || !table::WRITING.contains(&row.name))
        && (provisions.counted || !table::COUNTED.contains(&row.name))
}

/// `O_TRUNC` (`open(2)`).
pub const O_TRUNC: u64 = 0o1000;

#[cfg(test)]
mod tests {
    use super::table::{TABLE, TRUNCATING};
    use super::*;

    #[test]
    fn rows_are_sorted_by_number_and_none_is_double() {
        for pair in TABLE.windows(2) {
            assert!(
                pair[0].number < pair[1].number,
                "{} before {}",
                pair[0].name,
                pair[1].name
            );
        }
    }

    #[test]
    fn every_row_has_a_reason_and_serves_somebody() {
        for row in TABLE {
            assert!(row.reason.len() > 10, "{} gives no reason", row.name);
            assert!(
                row.lane.is_some() || row.instance.is_some(),
                "{} serves nobody",
                row.name
            );
        }
    }

    #[test]
    fn no_rule_is_an_empty_list_that_would_read_as_allow() {
        for rule in TABLE
            .iter()
            .flat_map(|row| [row.lane, row.instance])
            .flatten()
        {
            if let Rule::AllowIf(lists) = rule {
                assert!(!lists.is_empty() && lists.iter().all(|list| !list.is_empty()));
            }
        }
    }

    #[test]
    fn what_must_never_be_there_is_not() {
        // threats.md's rows, by name: keys, other processes, mounts, pinning, new files.
        for name in [
            "ptrace",
            "process_vm_readv",
            "process_vm_writev",
            "pkey_alloc",
            "pkey_mprotect",
            "io_uring_setup",
            "bpf",
            "perf_event_open",
            "userfaultfd",
            "mount",
            "setns",
            "pidfd_open",
            "pidfd_getfd",
            "keyctl",
            "chmod",
            "fchmodat",
            "setxattr",
            "utimensat",
            "truncate",
            "sendmsg",
            "sendmmsg",
            "bind",
            "listen",
            "accept",
            "accept4",
            "kill",
            "tgkill",
            "execve",
            "openat2",
            "vmsplice",
            "memfd_secret",
            "personality",
            "modify_ldt",
            "setsid",
            "inotify_init1",
        ] {
            assert!(
                !TABLE
                    .iter()
                    .any(|row| row.name == name && row.instance.is_some()),
                "{name} is open to instances"
            );
        }
    }

    #[test]
    fn sockets_that_are_no_pairs_are_of_tcp_and_of_the_network_group_alone() {
        for row in TABLE.iter().filter(|row| row.group == Group::Network) {
            assert!(row.lane.is_none() && row.without.is_none(), "{}", row.name);
        }
        for name in ["socket", "connect"] {
            let row = TABLE.iter().find(|row| row.name == name).unwrap();
            assert_eq!(row.group, Group::Network);
        }
        let scene = Scene {
            landlock_abi: 6,
            provisions: Provisions::default(),
        };
        let socket = |family: u64, kind: u64, protocol: u64| {
            let arguments = [family, kind, protocol, 0, 0, 0];
            matches!(
                decide(&Groups::all(), 41, &arguments, scene),
                Decision::Passed
            )
        };
        for family in 0..64 {
            for kind in 0..16 {
                for protocol in [0, 1, 6, 17, 132, 255, 256, 262] {
                    let tcp = [2, 10].contains(&family) && kind == 1 && [0, 6].contains(&protocol);
                    assert_eq!(
                        socket(family, kind, protocol),
                        tcp,
                        "{family} {kind} {protocol}"
                    );
                    assert_eq!(socket(family, kind | 0x8_0800, protocol), tcp);
                }
            }
        }
    }

    #[test]
    fn no_pair_is_of_a_type_that_sends_to_addresses() {
        let row = TABLE.iter().find(|row| row.name == "socketpair").unwrap();
        for role in [Role::Lane, Role::Instance] {
            let Some(Rule::AllowIf([list])) = row.rule(role) else {
                panic!("socketpair is not conditional");
            };
            let kind = list.iter().find(|c| c.argument == 1).unwrap();
            let Test::Lacks(mask) = kind.test else {
                panic!("the type is not tested by bits");
            };
            // socket(2): SOCK_DGRAM, SOCK_RAW; and the types that stay.
            assert!([2, 3].iter().all(|kind| kind & mask != 0));
            assert!([1, 5].iter().all(|kind| kind & mask == 0));
        }
    }

    #[test]
    fn calls_that_write_are_rows_and_none_without_a_private_tmp() {
        let [none, all] = [false, true].map(|both| Provisions {
            writes: both,
            counted: both,
        });
        for name in super::table::WRITING.iter().chain(super::table::COUNTED) {
            let row = TABLE.iter().find(|row| row.name == *name).unwrap();
            assert!(serves_instance(row, all) && !serves_instance(row, none));
        }
        // Whatever has a name like theirs is one of them.
        for row in TABLE {
            let like = [
                "rename", "mkdir", "rmdir", "unlink", "truncate", "link", "mknod", "creat",
            ];
            let named = like.iter().any(|word| row.name.starts_with(word));
            assert!(!named || !serves_instance(row, none), "{}", row.name);
        }
    }

    #[test]
    fn calls_that_can_truncate_are_rows() {
        for (name, _) in TRUNCATING {
            assert!(TABLE.iter().any(|row| row.name == *name));
        }
    }
}
