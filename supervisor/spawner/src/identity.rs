//! User ids for jailed processes when Keylane runs as root: each its own, so that no limit, signal
//! or file of one reaches another.

/// The first id of Keylane's range, far above those that distributions and containers assign. The
/// range ends at 0xf000_0000, below the ids that mean nobody (-1, -2).
const FIRST: u32 = 0x7000_0000;
/// Ids for one spawner: its functions, its lanes, and zygotes that were started again.
const PER_SPAWNER: u32 = 512;
/// Spawners whose ranges are distinct: process ids are below 2^22 (proc(5), pid_max).
const SPAWNERS: u32 = 1 << 22;

/// Hands out user ids, or none when this process is not root.
#[derive(Debug)]
pub(crate) struct Identities {
    next: Option<u32>,
    left: u32,
}

impl Identities {
    /// The ids of the spawner with this process id; two that live at once have different ones.
    pub(crate) fn of(pid: u32, root: bool) -> Identities {
        let base = FIRST + (pid % SPAWNERS) * PER_SPAWNER;
        Identities {
            next: root.then_some(base),
            left: PER_SPAWNER * u32::from(root),
        }
    }

    /// The next id: `Ok(None)` when this process is not root and its children keep its user.
    pub(crate) fn take(&mut self) -> Result<Option<u32>, &'static str> {
        match self.next {
            None => Ok(None),
            Some(_) if self.left == 0 => Err("more jailed processes than user ids of one run"),
            Some(id) => {
                self.next = id.checked_add(1);
                self.left -= 1;
                Ok(Some(id))
            }
        }
    }
}

/// Threads that a user has on this host now: what RLIMIT_NPROC counts (getrlimit(2)) where
/// processes share the user with everything else that it runs.
pub(crate) fn threads_of(user: u32) -> u64 {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return 0;
    };
    entries
        .flatten()
        .filter_map(|entry| std::fs::read_to_string(entry.path().join("status")).ok())
        .filter(|status| number(status, "Uid:") == Some(u64::from(user)))
        .filter_map(|status| number(&status, "Threads:"))
        .fold(0, u64::saturating_add)
}

/// The first number of a field of /proc/PID/status (proc(5)).
fn number(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spawner_has_ids_for_the_largest_project() {
        use keylane_policy::limit::{FUNCTIONS, LANES};
        assert!(FUNCTIONS + LANES <= PER_SPAWNER as usize);
        assert!(FIRST.checked_add(SPAWNERS * PER_SPAWNER - 1) < Some(u32::MAX - 1));
    }

    #[test]
    fn two_spawners_never_share_an_id() {
        let ids = |pid| {
            let mut identities = Identities::of(pid, true);
            std::iter::from_fn(move || identities.take().ok().flatten()).collect::<Vec<_>>()
        };
        let (a, b) = (ids(4_194_303), ids(1));
        assert_eq!(a.len(), PER_SPAWNER as usize);
        assert!(a.iter().all(|id| !b.contains(id) && *id != u32::MAX));
    }

    #[test]
    fn the_threads_of_this_user_are_counted() {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let user = u32::try_from(number(&status, "Uid:").unwrap()).unwrap();
        assert!(threads_of(user) >= 1);
    }

    #[test]
    fn an_ordinary_user_keeps_its_id() {
        assert_eq!(Identities::of(1, false).take(), Ok(None));
    }
}
