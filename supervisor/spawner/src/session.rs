//! Whose descendant a process is, and what it costs, as /proc tells it (proc(5)).
//!
//! A jailed process leads a session and a group of its own. setsid and setpgid are refused to
//! everything in it, so that the session's number (in /proc/PID/stat) marks all its descendants,
//! and so does the group's. An attacker chooses how many processes there are, within its function's
//! limit, how they are related and what they are called; the numbers here are the kernel's.

use std::collections::BTreeSet;
use std::time::Duration;

/// The unit of times in /proc/PID/stat: USER_HZ is 100 on x86_64 (asm-generic/param.h).
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// What /proc/PID/stat says of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    /// Whether it has ended and only waits to be reaped.
    pub(crate) dead: bool,
    /// Its parent's number.
    pub(crate) parent: i32,
    /// Its session.
    pub(crate) session: i32,
    /// Processor time of all its threads, in units of [`TICK`].
    pub(crate) own: u64,
    /// Processor time of its children that it has reaped, and of theirs, in units of [`TICK`].
    pub(crate) reaped: u64,
    /// When it started, in clock ticks since the boot.
    pub(crate) started: u64,
}

impl Stat {
    /// Of the process with this number, if there is one.
    pub(crate) fn of(pid: i32) -> Option<Stat> {
        Stat::parse(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    fn parse(stat: &str) -> Option<Stat> {
        // The name in parentheses may hold anything, so fields are counted from the last one.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let number = |at: usize| fields.get(at)?.parse::<i64>().ok();
        let count = |at: usize| u64::try_from(number(at)?).ok();
        let time = |user, system| Some(count(user)?.saturating_add(count(system)?));
        Some(Stat {
            dead: matches!(*fields.first()?, "Z" | "X"),
            parent: i32::try_from(number(1)?).ok()?,
            session: i32::try_from(number(3)?).ok()?,
            own: time(11, 12)?,
            reaped: time(13, 14)?,
            started: count(19)?,
        })
    }
}

/// The session of the process with this number, if there is one.
pub(crate) fn of(pid: i32) -> Option<i32> {
    Stat::of(pid).map(|stat| stat.session)
}

/// The children of a process in the order in which they became its own; also those that have ended
/// and are not reaped.
///
/// /proc/PID/task/TID/children is there with CONFIG_PROC_CHILDREN; without it the whole of /proc is
/// looked through. While children come and go, some may be missing from the answer (proc(5)).
pub(crate) fn children(pid: i32) -> Vec<i32> {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    let mut found: Vec<i32> = Vec::new();
    for thread in threads.flatten() {
        match std::fs::read_to_string(thread.path().join("children")) {
            Ok(text) => found.extend(
                text.split_whitespace()
                    .filter_map(|n| n.parse::<i32>().ok()),
            ),
            Err(_) if kernel_lists_children() => {}
            Err(_) => return search(pid),
        }
    }
    found
}

fn kernel_lists_children() -> bool {
    std::path::Path::new("/proc/thread-self/children").exists()
}

/// The children of a process by everybody's parent.
fn search(parent: i32) -> Vec<i32> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let numbers = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let of_parent = numbers.filter_map(|pid| {
        let stat = Stat::of(pid)?;
        (stat.parent == parent).then_some((stat.started, pid))
    });
    let children: BTreeSet<(u64, i32)> = of_parent.collect();
    children.into_iter().map(|(_, pid)| pid).collect()
}

/// These processes and everything below them, but for what lies below one of `spared`.
pub(crate) fn trees(roots: &[i32], spared: &BTreeSet<i32>) -> BTreeSet<i32> {
    let mut seen = BTreeSet::new();
    let mut next: Vec<i32> = roots.to_vec();
    while let Some(pid) = next.pop() {
        if !spared.contains(&pid) && seen.insert(pid) {
            next.extend(children(pid));
        }
    }
    seen
}

/// Processor time that processes have used, in units of [`TICK`]; what has ended and is not reaped
/// does not count, because its parent will have it.
pub(crate) fn ticks(pids: &BTreeSet<i32>) -> u64 {
    let living = pids.iter().filter_map(|pid| Stat::of(*pid));
    living.filter(|stat| !stat.dead).fold(0, |sum, stat| {
        sum.saturating_add(stat.own).saturating_add(stat.reaped)
    })
}

/// The process of a thread, if there is one.
pub(crate) fn process_of(thread: i32) -> Option<i32> {
    let status = std::fs::read_to_string(format!("/proc/{thread}/status")).ok()?;
    // The name is the first line, and the kernel escapes line ends in it (proc(5)).
    let line = status.lines().find_map(|line| line.strip_prefix("Tgid:"))?;
    line.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> i32 {
        i32::try_from(std::process::id()).unwrap()
    }

    #[test]
    fn this_process_has_a_session() {
        assert!(of(own()).is_some());
        assert_eq!(of(-1), None);
        assert_eq!(process_of(own()), Some(own()));
        assert_eq!(process_of(-1), None);
    }

    #[test]
    fn a_name_cannot_forge_the_fields_after_it() {
        let stat = "7 (a) Z 1 1 1 0 (b) S 5 6 99 0 -1 0 0 0 0 0 3 4 20 30 20 0 1 0 1234 0 0";
        let stat = Stat::parse(stat).unwrap();
        assert!(!stat.dead);
        assert_eq!((stat.parent, stat.session), (5, 99));
        assert_eq!((stat.own, stat.reaped, stat.started), (7, 50, 1234));
        assert_eq!(Stat::parse("7 (a) S 1"), None);
    }

    #[test]
    fn children_are_found_by_both_ways_and_trees_leave_out_what_is_spared() {
        let mut child = std::process::Command::new("/bin/sleep")
            .arg("1000")
            .spawn()
            .unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        assert!(children(own()).contains(&pid));
        assert!(search(own()).contains(&pid));
        assert!(trees(&[own()], &BTreeSet::new()).contains(&pid));
        assert!(!trees(&[own()], &BTreeSet::from([pid])).contains(&pid));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
