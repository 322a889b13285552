//! Ending everything in a session, where no pid namespace does it.
//!
//! A jailed process leads a session, and setsid is refused to everything in it, so the session's
//! number (in /proc/PID/stat, proc(5)) marks all its descendants.

use keylane_sys::process;
use std::os::fd::AsFd;

/// The session of the process with this number, if there is one.
pub(crate) fn of(pid: i32) -> Option<i32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything, so fields are counted from the last one: state,
    // parent, group, session.
    stat.rsplit_once(')')?
        .1
        .split_whitespace()
        .nth(3)?
        .parse()
        .ok()
}

/// Kills every process of `session` until a look finds none, or `rounds` looks are over.
pub(crate) fn kill(session: i32, rounds: u32) {
    for _ in 0..rounds {
        let Ok(entries) = std::fs::read_dir("/proc") else {
            return;
        };
        let mut found = false;
        for pid in entries
            .flatten()
            .filter_map(|e| e.file_name().to_str()?.parse::<i32>().ok())
        {
            // The pidfd is opened first and the session read after it, so that a number that was
            // reused in between cannot lead to a stranger.
            if let Ok(pidfd) = process::open_pidfd(pid)
                && of(pid) == Some(session)
                && !process::has_ended(pidfd.as_fd())
            {
                found = true;
                let _gone_is_fine = process::signal(pidfd.as_fd(), 9);
            }
        }
        if !found {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_process_has_a_session() {
        assert!(super::of(std::process::id() as i32).is_some());
        assert_eq!(super::of(-1), None);
    }
}
