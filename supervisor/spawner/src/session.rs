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

#[cfg(test)]
mod tests {
    #[test]
    fn this_process_has_a_session() {
        assert!(super::of(std::process::id() as i32).is_some());
        assert_eq!(super::of(-1), None);
    }
}
