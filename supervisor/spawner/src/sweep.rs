//! What a function's processes leave behind: processes whose parents have ended.
//!
//! In a jail everything descends from its zygote, and the workers are the zygote's children. A
//! process whose parent has ended becomes a child of the tiny init, or of the spawner where there
//! is no pid namespace, and nobody waits for it any more. Such strays are ended, with everything
//! below them.
//!
//! An attacker can fork faster than anybody reads /proc. So the whole group is stopped first, which
//! is one step of the kernel that no fork outruns: a signal to a group that arrives during a fork
//! is delivered to the child as well (kernel/fork.c, `multiprocess`). Nothing ignores SIGSTOP or
//! SIGKILL, and a stopped group can be looked at in peace; then what may live goes on.

use crate::session::{self, Stat};
use keylane_sys::process;
use std::collections::BTreeSet;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

/// The longest time for which one sweep keeps a function's processes stopped and others waiting.
const TURN: Duration = Duration::from_millis(20);
/// The pause between two looks at processes that are about to end.
const PAUSE: Duration = Duration::from_micros(200);

/// What a sweep found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Swept {
    /// Whether something that was left behind had not ended when the turn was over.
    pub(crate) unfinished: bool,
    /// Processor time that it had used when it was ended, in units of [`session::TICK`]; what did not
    /// end in one turn counts in the next one again.
    pub(crate) ticks: u64,
}

/// Ends the strays of the jail that the tiny init `leader` leads. The leader has not been reaped
/// yet, so that its number is still the session's and the group's. `adopted` are other children of
/// the spawner that nobody waits for, where orphans come to it.
pub(crate) fn sweep(leader: i32, adopted: impl Fn() -> Vec<i32>) -> Swept {
    let strays = || strays(leader, &adopted());
    if strays().is_empty() {
        return Swept::default();
    }
    let _gone_is_fine = process::stop_group(leader);
    let swept = end_strays(leader, strays);
    let _gone_is_fine = process::continue_group(leader);
    swept
}

fn end_strays(leader: i32, strays: impl Fn() -> Vec<i32>) -> Swept {
    let since = Instant::now();
    let mut swept = Swept::default();
    loop {
        let found = strays();
        if found.is_empty() {
            return swept;
        }
        let trees = session::trees(&found, &BTreeSet::new());
        swept.ticks = swept.ticks.saturating_add(session::ticks(&trees));
        let ending: Vec<OwnedFd> = trees
            .into_iter()
            .filter_map(|pid| end(pid, leader))
            .collect();
        while !ending.iter().all(|pidfd| process::has_ended(pidfd.as_fd())) {
            if since.elapsed() >= TURN {
                swept.unfinished = true;
                return swept;
            }
            std::thread::sleep(PAUSE);
        }
        if since.elapsed() >= TURN {
            swept.unfinished = true;
            return swept;
        }
    }
}

/// Kills a process of the session, named by a pidfd before it is asked whose it is: its number may
/// have become another's meanwhile.
fn end(pid: i32, leader: i32) -> Option<OwnedFd> {
    let pidfd = process::open_pidfd(pid).ok()?;
    if session::of(pid) != Some(leader) {
        return None;
    }
    process::signal(pidfd.as_fd(), 9).ok()?;
    Some(pidfd)
}

/// Living processes of the session whose parent has ended.
fn strays(leader: i32, adopted: &[i32]) -> Vec<i32> {
    // The zygote is the init's first child, and lives as long as the init does.
    let below_init = session::children(leader).into_iter().skip(1);
    below_init
        .chain(adopted.iter().copied())
        .filter(|pid| Stat::of(*pid).is_some_and(|s| s.session == leader && !s.dead))
        .collect()
}
