//! The zygote: forks a worker per message, tells how each ended, leaves when the spawner does.
//!
//! System calls of the loop: ppoll, recvmsg, sendto, wait4, unshare(CLONE_THREAD), close, clone;
//! in the child also set_robust_list, dup2, rt_sigaction, rt_sigprocmask, prctl(PR_SET_PDEATHSIG).

use crate::fork::Side;
use crate::link::{Link, LinkFault};
use crate::runtime::Runtime;
use crate::signals::ChildSignals;
use crate::threads;
use crate::worker::Start;
use keylane_policy::abi::channel::Geometry;
use keylane_policy::abi::message::{Ended, FromZygote, ToZygote};
use keylane_policy::limit::MESSAGE_DESCRIPTORS;
use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;

/// What this process is to be after the loop.
pub(crate) enum Role {
    /// The spawner closed its end: nothing is left to do.
    Gone,
    /// The spawner cannot be understood or reached.
    Broken(String),
    /// A fork of the zygote that shall serve a channel.
    Worker(Start),
}

/// Why a worker was not forked, or that it was.
enum Forked {
    Parent(Pid),
    Child(Start),
    /// The child's side, which cannot become a worker.
    Stray(String),
    Refused(Errno),
}

/// The loop. Returns in the zygote when the spawner is gone, and in each worker.
pub(crate) fn run(link: Link, runtime: &mut impl Runtime) -> Role {
    let signals = match ChildSignals::watch() {
        Ok(signals) => signals,
        Err(errno) => return Role::Broken(format!("watching for the end of workers: {errno}")),
    };
    let mut workers = BTreeMap::new();
    loop {
        if let Err(fault) = reap(&link, &mut workers) {
            return ended_by(&fault);
        }
        match runtime.idle(|| link.wait(signals.waiting())) {
            Ok(true) => {}
            Ok(false) => continue,
            Err(fault) => return ended_by(&fault),
        }
        let (serial, capacity, descriptors) = match link.receive() {
            Ok(Some((ToZygote::Fork { serial, capacity }, descriptors))) => {
                (serial, capacity, descriptors)
            }
            Ok(None) => return Role::Gone,
            Err(fault) => return ended_by(&fault),
        };
        match fork(&link, runtime, &signals, serial, capacity, descriptors) {
            Forked::Parent(pid) => {
                workers.insert(pid, serial);
            }
            // Dropping the link closes it: a worker has nothing more to say to the spawner.
            Forked::Child(start) => return Role::Worker(start),
            Forked::Stray(cause) => return Role::Broken(cause),
            Forked::Refused(errno) => {
                let message = FromZygote::ForkFailed {
                    serial,
                    errno: errno as i32,
                };
                if let Err(fault) = link.send(&message) {
                    return ended_by(&fault);
                }
            }
        }
    }
}

/// What a fault of the link makes of the zygote. A send to a spawner that is gone is no fault.
fn ended_by(fault: &LinkFault) -> Role {
    match fault {
        LinkFault::Send(Errno::EPIPE | Errno::ECONNRESET) => Role::Gone,
        other => Role::Broken(other.to_string()),
    }
}

/// Forks one worker. What is not handed to the child is closed on return.
fn fork(
    link: &Link,
    runtime: &mut impl Runtime,
    signals: &ChildSignals,
    serial: u64,
    capacity: u64,
    descriptors: Vec<OwnedFd>,
) -> Forked {
    let count = descriptors.len();
    let Ok([channel, liveness, output, errors]) =
        <[OwnedFd; MESSAGE_DESCRIPTORS]>::try_from(descriptors)
    else {
        eprintln!(
            "keylane-launcher: worker {serial} came with {count} descriptors instead of \
             {MESSAGE_DESCRIPTORS}"
        );
        return Forked::Refused(Errno::EBADMSG);
    };
    let geometry = match Geometry::with_capacity(capacity) {
        Ok(geometry) => geometry,
        Err(error) => {
            eprintln!("keylane-launcher: worker {serial}: {error}");
            return Forked::Refused(Errno::EINVAL);
        }
    };
    if !threads::settled(runtime) {
        eprintln!("keylane-launcher: worker {serial}: the zygote has more than one thread");
        return Forked::Refused(Errno::EDEADLK);
    }
    let start = Start {
        serial,
        geometry,
        channel,
        liveness,
    };
    let mut told = Ok(());
    let side = runtime.fork(|| {
        told = settle_in(link, signals, serial, &output, &errors);
    });
    match (side, told) {
        (Ok(Side::Parent(pid)), _) => Forked::Parent(pid),
        (Ok(Side::Child), Ok(())) => Forked::Child(start),
        (Ok(Side::Child), Err(cause)) => Forked::Stray(cause),
        (Err(errno), _) => Forked::Refused(errno),
    }
}

/// The first steps of a worker: nothing of the function runs before the spawner knows the worker
/// and the worker's output goes its own way.
fn settle_in(
    link: &Link,
    signals: &ChildSignals,
    serial: u64,
    output: &OwnedFd,
    errors: &OwnedFd,
) -> Result<(), String> {
    nix::unistd::dup2_stdout(output)
        .and(nix::unistd::dup2_stderr(errors))
        .map_err(|errno| format!("worker {serial}: taking its output pipes: {errno}"))?;
    signals
        .restore()
        .map_err(|errno| format!("worker {serial}: restoring its signals: {errno}"))?;
    // The jail may deny it; the liveness socket then ends the worker a moment later.
    let _denied = nix::sys::prctl::set_pdeathsig(Signal::SIGKILL);
    link.send(&FromZygote::Hello { serial })
        .map_err(|fault| format!("worker {serial}: {fault}"))
}

/// Tells the spawner of every worker that has ended.
fn reap(link: &Link, workers: &mut BTreeMap<Pid, u64>) -> Result<(), LinkFault> {
    loop {
        let (pid, how) = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, status)) => (pid, Ended::Exited(status)),
            Ok(WaitStatus::Signaled(pid, signal, _)) => (pid, Ended::Signaled(signal as i32)),
            // Neither stops nor traces are asked for; an interrupted wait is taken up again.
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return Ok(()),
            Ok(_) | Err(Errno::EINTR) => continue,
            // A signal that has no name in nix: a real-time one. The child is reaped by now.
            Err(_) => return Ok(()),
        };
        // A child that the function's module forked while it was imported has no serial.
        if let Some(serial) = workers.remove(&pid) {
            link.send(&FromZygote::WorkerEnded { serial, how })?;
        }
    }
}
