//! Starting a jailed process: fork, map its user, let it go on.

use crate::child;
use crate::{Filters, Plan};
use keylane_sys::cgroup::Group;
use keylane_sys::process::{Child, Fork, fork};
use keylane_sys::{jail, process};
use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What to start.
#[derive(Debug)]
pub struct Start<'a> {
    /// Its jail.
    pub plan: Plan,
    /// The program.
    pub image: BorrowedFd<'a>,
    /// Its arguments, the name first.
    pub arguments: Vec<CString>,
    /// Its environment: [`environment`], and what the caller adds to it deliberately.
    pub environment: Vec<CString>,
    /// Its descriptors after standard input: output, error, control socket, ...
    pub descriptors: Vec<BorrowedFd<'a>>,
    /// Whether a tiny init stays above the program (a program that forks needs one).
    pub leader: bool,
    /// The control group that it is in before its jail begins, which bounds its memory: its filter is
    /// then that of a process whose memory is counted.
    pub group: Option<&'a Group>,
}

/// Starts it. `explain` runs in the child when its jail cannot be built, and tells why; `pass_on` when
/// its filter has a listener, and sends it here.
pub fn start(
    start: &Start<'_>,
    filters: &Filters,
    explain: impl Fn(String),
    pass_on: impl Fn(OwnedFd) -> io::Result<()>,
) -> io::Result<Child> {
    let mut plan = start.plan.clone();
    if !plan.namespaces && plan.user.is_none() {
        // The limit counts everything that the user runs on this host, not this jail alone.
        let others = threads_of(jail::user());
        plan.limits.processes = plan.limits.processes.saturating_add(others);
    }
    let null = jail::null_device()?;
    let mut kept = vec![jail::number(&null)];
    kept.extend(start.descriptors.iter().map(jail::number));
    let (go, signal_go) = jail::pipe()?;
    // The child inherits this, and an ordinary user may write the user map only of a child that is
    // dumpable: otherwise /proc/PID belongs to root. The child gives it up as a step of its jail.
    jail::set_dumpable(true)?;
    let forked = fork(child::namespaces(&start.plan));
    match forked? {
        Fork::Child => {
            drop(signal_go);
            if !may_go(go) {
                process::exit(child::UNJAILED);
            }
            child::run(
                start,
                &plan,
                filters,
                &kept,
                start.image.as_fd(),
                explain,
                pass_on,
            )
        }
        Fork::Parent(child) => {
            jail::set_dumpable(false)?;
            drop(go);
            let mapped = if start.plan.namespaces {
                let user = start.plan.user.unwrap_or_else(jail::user);
                let group = start.plan.user.unwrap_or_else(jail::group);
                jail::map_user(child.pid(), user, group)
            } else {
                Ok(())
            };
            let grouped = start.group.map_or(Ok(()), |group| group.enter(child.pid()));
            // Without the byte the child exits: it reads the end of the pipe.
            let told = mapped.and(grouped).and_then(|()| tell(signal_go));
            if let Err(error) = told {
                child.kill()?;
                child.wait()?;
                return Err(error);
            }
            Ok(child)
        }
    }
}

/// Waits for the parent's byte: the user map stands.
fn may_go(go: OwnedFd) -> bool {
    use std::io::Read;
    std::fs::File::from(go).read_exact(&mut [0]).is_ok()
}

fn tell(go: OwnedFd) -> io::Result<()> {
    use std::io::Write;
    std::fs::File::from(go).write_all(&[1])
}

/// The environment of every jailed program: nothing of the operator's.
pub fn environment() -> Vec<CString> {
    [
        "LANG=C.UTF-8",
        "PATH=/usr/bin:/bin",
        "HOME=/nonexistent",
        "TZ=UTC",
    ]
    .iter()
    .filter_map(|entry| CString::new(*entry).ok())
    .collect()
}

/// Threads that a user has on this host now: what RLIMIT_NPROC counts (getrlimit(2)) where
/// processes share the user with everything else that it runs.
fn threads_of(user: u32) -> u64 {
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
    fn the_threads_of_this_user_are_counted() {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let user = u32::try_from(number(&status, "Uid:").unwrap()).unwrap();
        assert!(threads_of(user) >= 1);
    }
}
