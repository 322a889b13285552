//! Starting a jailed process: fork, map its user, let it go on.

use crate::{child, identity};
use keylane_jail::{Filters, Plan};
use keylane_sys::cgroup::Group;
use keylane_sys::process::{Child, Fork, fork};
use keylane_sys::{jail, process};
use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What to start.
#[derive(Debug)]
pub(crate) struct Start<'a> {
    /// Its jail.
    pub(crate) plan: Plan,
    /// The program.
    pub(crate) image: BorrowedFd<'a>,
    /// Its arguments, the name first.
    pub(crate) arguments: Vec<CString>,
    /// Its descriptors after standard input: output, error, control socket, ...
    pub(crate) descriptors: Vec<BorrowedFd<'a>>,
    /// Whether a tiny init stays above the program (a program that forks needs one).
    pub(crate) leader: bool,
    /// The control group that it is in before its jail begins.
    pub(crate) group: Option<&'a Group>,
}

/// Starts it. `explain` runs in the child when its jail cannot be built, and tells why; `pass_on` when
/// its filter has a listener, and sends it here.
pub(crate) fn start(
    start: &Start<'_>,
    filters: &Filters,
    explain: impl Fn(String),
    pass_on: impl Fn(OwnedFd) -> io::Result<()>,
) -> io::Result<Child> {
    let mut plan = start.plan.clone();
    if !plan.namespaces && plan.user.is_none() {
        // The limit counts everything that the user runs on this host, not this jail alone.
        let others = identity::threads_of(jail::user());
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
