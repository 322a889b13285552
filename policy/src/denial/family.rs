//! Denied calls by what they are for: why none is open, and what a function does instead.

/// What is common to some calls.
#[derive(Clone, Copy, Debug)]
pub(super) struct Family {
    /// The calls, by name.
    calls: &'static str,
    /// Why none of them is open to functions.
    pub(super) reason: &'static str,
    /// What a function may do instead.
    pub(super) instead: &'static str,
}

const FAMILIES: &[Family] = &[
    Family {
        calls: "socket connect bind listen accept accept4 setsockopt getpeername sendto sendmsg \
                sendmmsg recvmmsg socketpair",
        reason: "A function has no network but TCP that it opens, and that with the group `network` alone.",
        instead: "take what it needs from the event and give what it has in the response; a pair of \
                  AF_UNIX streams of its own is allowed",
    },
    Family {
        calls: "open openat openat2 creat truncate ftruncate fallocate mkdir mkdirat rmdir unlink \
                unlinkat rename renameat renameat2 link linkat symlink symlinkat mknod mknodat fsync \
                fdatasync sync syncfs flock copy_file_range sendfile splice tee",
        reason: "A function has no file that it may make or change.",
        instead: "read files below its own folder and the runtime's; results go into the response",
    },
    Family {
        calls: "chmod fchmod fchmodat fchmodat2 chown lchown fchown fchownat utime utimes utimensat \
                futimesat setxattr lsetxattr fsetxattr getxattr lgetxattr fgetxattr listxattr \
                llistxattr flistxattr removexattr lremovexattr fremovexattr",
        reason: "Landlock does not cover a file's mode, owner, times and attributes, so the filter does.",
        instead: "read files as they are",
    },
    Family {
        calls: "execve execveat vfork fork",
        reason: "A function starts no other program: the files that it may read are data.",
        instead: "import the code as a module, or make it a function of its own in the workflow",
    },
    Family {
        calls: "kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_open pidfd_getfd \
                pidfd_send_signal ptrace process_vm_readv process_vm_writev process_madvise kcmp \
                setpriority getpriority sched_setaffinity sched_setscheduler sched_setparam \
                sched_setattr sched_getscheduler sched_getparam sched_getattr ioprio_set ioprio_get \
                setpgid getpgid setsid getsid get_robust_list membarrier",
        reason: "Other processes belong to others, and the filter cannot see whose a number is.",
        instead: "end itself by returning, raising an exception or exiting",
    },
    Family {
        calls: "mount umount2 pivot_root chroot unshare setns open_tree move_mount fsopen fsconfig \
                fsmount fspick mount_setattr fchdir name_to_handle_at open_by_handle_at",
        reason: "The jail's view of the host is made once and is not the function's to change.",
        instead: "use the folder that it has",
    },
    Family {
        calls: "setuid setgid setreuid setregid setresuid setresgid setgroups setfsuid setfsgid capset \
                capget prctl personality seccomp landlock_create_ruleset landlock_add_rule \
                landlock_restrict_self",
        reason: "Who a function is and what it may do is settled before it runs.",
        instead: "nothing: it has no use for other rights",
    },
    Family {
        calls: "memfd_create memfd_secret shmget shmat shmctl semget semop semctl msgget msgsnd msgrcv \
                mq_open pkey_alloc pkey_free pkey_mprotect mlock mlock2 mlockall remap_file_pages \
                userfaultfd process_mrelease",
        reason: "Memory of these kinds is not counted by the limits of a function, or is others' too.",
        instead: "allocate ordinary memory, within the function's `memory`",
    },
    Family {
        calls: "setrlimit prlimit64",
        reason: "Limits are the operator's to set.",
        instead: "read its limits; ask for more in keylane.toml (`memory`, `processes`, `descriptors`)",
    },
    Family {
        calls: "io_uring_setup io_uring_enter io_uring_register bpf perf_event_open keyctl add_key \
                request_key kexec_load init_module finit_module delete_module reboot swapon swapoff \
                settimeofday clock_settime adjtimex clock_adjtime sethostname setdomainname iopl \
                ioperm acct quotactl syslog fanotify_init inotify_init inotify_init1 \
                inotify_add_watch vmsplice modify_ldt",
        reason: "These reach far into the kernel, and no function was found to need them.",
        instead: "nothing",
    },
    Family {
        calls: "clone",
        reason: "Threads and forks are bounded; new namespaces and ties to other processes are not open.",
        instead: "start threads with the group `threads`",
    },
];

/// Everything else.
const OTHER: Family = Family {
    calls: "",
    reason: "What no function was found to need is not open.",
    instead: "nothing is known that stands in for it",
};

/// The family of the call of this name.
pub(super) fn of(call: &str) -> Family {
    FAMILIES
        .iter()
        .find(|family| family.calls.split_whitespace().any(|known| known == call))
        .copied()
        .unwrap_or(OTHER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syscall::names;
    use std::collections::BTreeSet;

    #[test]
    fn every_call_of_a_family_exists_and_is_in_no_other() {
        let mut seen = BTreeSet::new();
        for family in FAMILIES {
            for call in family.calls.split_whitespace() {
                let newer = call == "fchmodat2";
                assert!(names::number(call).is_some() || newer, "{call}");
                assert!(seen.insert(call), "{call} is in two families");
            }
        }
    }

    #[test]
    fn what_has_no_family_is_told_too() {
        assert!(of("no such call").reason.len() > 10);
        assert!(of("number 999").instead.len() > 5);
    }
}
