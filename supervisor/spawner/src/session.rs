//! Whose descendant a process is, where no pid namespace says it.
//!
//! A jailed process leads a session and a group of its own. setsid and setpgid are refused to
//! everything in it, so that the session's number (in /proc/PID/stat, proc(5)) marks all its
//! descendants, and so does the group's.

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

/// The process of a thread, if there is one.
pub(crate) fn process_of(thread: i32) -> Option<i32> {
    let status = std::fs::read_to_string(format!("/proc/{thread}/status")).ok()?;
    // The name is the first line, and the kernel escapes line ends in it (proc(5)).
    let line = status.lines().find_map(|line| line.strip_prefix("Tgid:"))?;
    line.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_process_has_a_session() {
        assert!(super::of(std::process::id() as i32).is_some());
        assert_eq!(super::of(-1), None);
        let own = std::process::id() as i32;
        assert_eq!(super::process_of(own), Some(own));
        assert_eq!(super::process_of(-1), None);
    }
}
