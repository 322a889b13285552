//! User ids for jailed processes when Keylane runs as root. Each process of ours that starts jailed
//! ones, named by its process id, has a range of ids of its own. Pure.

/// The first id of Keylane's range, far above those that distributions and containers assign. The
/// range ends at 0xf000_0000, below the ids that mean nobody (-1, -2).
const FIRST: u32 = 0x7000_0000;
/// Ids of one range: every function, every lane, and zygotes that were started again.
pub const USERS: u32 = 512;
/// Processes whose ranges are distinct: process ids are below 2^22 (proc(5), pid_max).
const PROCESSES: u32 = 1 << 22;

/// The first of the [`USERS`] ids of the process with this id.
pub const fn first_user(pid: u32) -> u32 {
    FIRST + (pid % PROCESSES) * USERS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_range_ends_below_the_ids_that_mean_nobody() {
        assert!(FIRST.checked_add(PROCESSES * USERS - 1) < Some(u32::MAX - 1));
        assert_eq!(first_user(PROCESSES - 1), FIRST + (PROCESSES - 1) * USERS);
        assert_eq!(first_user(2) - first_user(1), USERS);
    }
}
