//! `bare COMMAND...`: runs a command as a stock unprivileged container runs it, without being one.
//!
//! All capabilities are given up, and a filter refuses what a container's default profile refuses:
//! new namespaces, roots, mounts, and descriptors of other processes, with EPERM; `clone3` with
//! ENOSYS, as container engines do since C libraries call it first and know another way.
//! What runs below must not need any of them.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a wall that cannot be built ends the test run"
)]
#![forbid(unsafe_code)]

use caps::{CapSet, Capability};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};
use std::collections::BTreeMap;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Refused whatever the arguments (`syscall_64.tbl`).
const REFUSED: [(i64, &str); 15] = [
    (155, "pivot_root"),
    (161, "chroot"),
    (165, "mount"),
    (166, "umount2"),
    (272, "unshare"),
    (308, "setns"),
    (428, "open_tree"),
    (429, "move_mount"),
    (430, "fsopen"),
    (431, "fsconfig"),
    (432, "fsmount"),
    (433, "fspick"),
    (438, "pidfd_getfd"),
    (442, "mount_setattr"),
    (101, "ptrace"),
];
const CLONE: i64 = 56;
const CLONE3: i64 = 435;
/// CLONE_NEWTIME to CLONE_NEWNET (clone(2)).
const NAMESPACES: [u64; 8] = [
    0x80,
    0x0002_0000,
    0x0200_0000,
    0x0400_0000,
    0x0800_0000,
    0x1000_0000,
    0x2000_0000,
    0x4000_0000,
];
const EPERM: u32 = 1;
const ENOSYS: u32 = 38;

fn filter(rules: BTreeMap<i64, Vec<SeccompRule>>, errno: u32) {
    let refuse = SeccompAction::Errno(errno);
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, TargetArch::x86_64);
    let program = BpfProgram::try_from(filter.expect("a filter")).expect("a program");
    apply_filter(&program).expect("installing a filter");
}

fn main() {
    let mut arguments = std::env::args_os().skip(1);
    let program = arguments.next().expect("usage: bare COMMAND [ARGUMENT...]");
    assert!(
        !nix::unistd::geteuid().is_root(),
        "start this as an ordinary user: without capabilities root cannot become one"
    );
    for set in [
        CapSet::Ambient,
        CapSet::Inheritable,
        CapSet::Effective,
        CapSet::Permitted,
    ] {
        caps::clear(None, set).expect("giving up capabilities");
    }
    for capability in [Capability::CAP_SYS_ADMIN, Capability::CAP_SETUID] {
        let held = caps::has_cap(None, CapSet::Permitted, capability);
        assert!(
            !held.expect("looking at capabilities"),
            "{capability} is held"
        );
    }
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = REFUSED
        .iter()
        .map(|(number, _)| (*number, Vec::new()))
        .collect();
    let one = |flag: u64| {
        let is_set = SeccompCondition::new(
            0,
            SeccompCmpArgLen::Qword,
            SeccompCmpOp::MaskedEq(flag),
            flag,
        );
        SeccompRule::new(vec![is_set.expect("a condition")]).expect("a rule")
    };
    rules.insert(CLONE, NAMESPACES.into_iter().map(one).collect());
    filter(rules, EPERM);
    filter(BTreeMap::from([(CLONE3, Vec::new())]), ENOSYS);
    // The filter stands: what must not be possible is not, before anything is believed.
    let refused = nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWUSER);
    assert_eq!(refused, Err(nix::errno::Errno::EPERM), "a user namespace");
    let error = Command::new(&program).args(arguments).exec();
    panic!("{}: {error}", program.to_string_lossy());
}
