//! What runs between fork and exec: the jail, then the program.
//!
//! Everything here happens in a child of one thread that ends by executing its image or by exiting;
//! a step that fails is told over the child's own control socket, and the child exits.

use crate::launch::Start;
use crate::{Filters, Plan, Step};
use keylane_policy::syscall::IMAGE_DESCRIPTOR;
use keylane_sys::process::{self, LeaderFork, Namespaces};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

/// Exit status of a child whose jail could not be built.
pub(crate) const UNJAILED: i32 = 125;

/// Runs in the child: jails itself and executes the image. `explain` sends the reason of a failure
/// over the child's control socket, given its number; `pass_on`
/// sends the listener of its filter.
pub(crate) fn run(
    start: &Start<'_>,
    plan: &Plan,
    filters: &Filters,
    kept: &[RawFd],
    image: BorrowedFd<'_>,
    explain: impl Fn(String),
    pass_on: impl Fn(OwnedFd) -> io::Result<()>,
) -> ! {
    let counted = start.group.is_some();
    if let Err(error) = crate::enter(plan, counted, filters, kept, image.as_raw_fd(), pass_on) {
        // Before the first step the control socket's number is that of another socket.
        if error.step != Step::Descriptors {
            explain(error.to_string());
        }
        process::exit(UNJAILED);
    }
    // In a pid namespace this process is init: a program in its place would ignore its own
    // signals and leave orphans unreaped. So it stays, as a tiny init, and the program is its
    // child; without a namespace the shape is the same.
    if start.leader {
        match process::fork_leader_child() {
            Ok(LeaderFork::Init(program)) => lead(program),
            Ok(LeaderFork::Child) => {
                if keylane_sys::jail::die_with_parent().is_err() {
                    process::exit(UNJAILED);
                }
            }
            Err(error) => {
                explain(format!("forking below init: {error}"));
                process::exit(UNJAILED);
            }
        }
    }
    let Ok(image) = process::inherited(IMAGE_DESCRIPTOR.into()) else {
        process::exit(UNJAILED);
    };
    let error = process::execute(image.as_fd(), &start.arguments, &start.environment);
    explain(format!("executing its program: {error}"));
    process::exit(UNJAILED)
}

/// Reaps children until `program` ends, then ends as it did. Others that end before are orphans: in
/// a pid namespace what the program's children leave behind comes to its init.
fn lead(program: i32) -> ! {
    use keylane_policy::abi::message::Ended;
    // The program's descriptors: while init held them, nobody would see the program's end.
    if keylane_sys::jail::close_from(0, i32::MAX).is_err() {
        process::exit(UNJAILED);
    }
    let status = loop {
        match process::wait_any() {
            Ok(Some((pid, _))) if pid != program => {}
            Ok(Some((_, Ended::Exited(status)))) => break status,
            Ok(Some((_, Ended::Signaled(signal)))) => break 128i32.saturating_add(signal),
            Ok(Some((_, Ended::OutOfMemory | Ended::Unknown)) | None) | Err(_) => break UNJAILED,
        }
    };
    // The program is gone, and what it left behind goes with this process: the pid namespace ends,
    // or the spawner ends the session.
    process::exit(status)
}

/// The namespaces that a plan asks for. Who is networked keeps the host's network: an empty one has no
/// way out.
pub(crate) fn namespaces(plan: &Plan) -> Namespaces {
    match (plan.namespaces, plan.root) {
        (false, _) => Namespaces::Shared,
        (true, root) => Namespaces::Own {
            mounts: root.is_some(),
            network: !plan.networked(),
        },
    }
}
