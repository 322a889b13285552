//! Processes: made by clone(2) with a pidfd, ended and awaited through it, never by number.

#![expect(
    unsafe_code,
    reason = "clone(2), execveat(2), _exit(2), pidfd calls, waitid(2)"
)]

use crate::{check, owned};
use keylane_policy::abi::message::Ended;
use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

/// A child process, named by a pidfd so that its number cannot be confused with a later one's.
#[derive(Debug)]
pub struct Child {
    pid: i32,
    pidfd: OwnedFd,
}

/// The shortest slice that Linux grants (kernel/sched/syscalls.c): 0.1 ms.
const SHORT_SLICE_NS: u64 = 100_000;

/// Which side of a fork this is.
#[derive(Debug)]
pub enum Fork {
    /// The new process. It must end with [`exit`] or [`execute`] and never return into the
    /// parent's control flow.
    Child,
    /// The old process, with the new one.
    Parent(Child),
}

/// Which side of [`fork_leader_child`] this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaderFork {
    /// The old process, which stays as init, with the new one's number.
    Init(i32),
    /// The new process, which executes the program.
    Child,
}

/// New namespaces for a child (namespaces(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namespaces {
    /// The parent's.
    Shared,
    /// A user namespace of its own, and in it pid, IPC and UTS namespaces.
    Own {
        /// And a mount namespace, a copy of the parent's.
        mounts: bool,
        /// And a network namespace with nothing in it; else the parent's network stays.
        network: bool,
    },
}

/// How many threads this process has. An error where there is no /proc.
pub fn threads() -> io::Result<usize> {
    Ok(std::fs::read_dir("/proc/self/task")?.count())
}

/// Forks this process, which must be single-threaded: the child is a copy that runs on.
///
/// Fails when the process has more than one thread, because the child would hold locks whose
/// owners do not exist in it.
pub fn fork(namespaces: Namespaces) -> io::Result<Fork> {
    if let Ok(count) = threads()
        && count != 1
    {
        return Err(io::Error::other(format!(
            "fork in a process of {count} threads"
        )));
    }
    let own = libc::CLONE_NEWUSER | libc::CLONE_NEWPID | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS;
    let flags = libc::CLONE_PIDFD
        | libc::SIGCHLD
        | match namespaces {
            Namespaces::Shared => 0,
            Namespaces::Own { mounts, network } => {
                let mounts = if mounts { libc::CLONE_NEWNS } else { 0 };
                let network = if network { libc::CLONE_NEWNET } else { 0 };
                own | mounts | network
            }
        };
    let mut pidfd: libc::c_int = -1;
    // SAFETY: without CLONE_VM and with a null stack, clone behaves as fork (clone(2)): the child
    // has a copy of everything; CLONE_PIDFD stores a descriptor to `pidfd`, which is a live i32.
    // The process has one thread (checked above), so no lock is held by a thread that the child
    // lacks.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_clone,
            i64::from(flags),
            0usize,
            &raw mut pidfd,
            0usize,
            0usize,
        )
    };
    match check(answer)? {
        0 => Ok(Fork::Child),
        pid => Ok(Fork::Parent(Child {
            pid: i32::try_from(pid).map_err(io::Error::other)?,
            pidfd: owned(i64::from(pidfd))?,
        })),
    }
}

/// Forks below a jailed init: as [`fork`], but with plain fork(2) flags, since the filter refuses a
/// pidfd; the child is known to its parent by wait(2) alone. The caller has one thread: it is
/// itself the child of a fork of this module.
pub fn fork_leader_child() -> io::Result<LeaderFork> {
    // SAFETY: fork is sound in a process of one thread (see above): no lock can be held elsewhere.
    match unsafe { nix::unistd::fork() }? {
        nix::unistd::ForkResult::Child => Ok(LeaderFork::Child),
        nix::unistd::ForkResult::Parent { child } => Ok(LeaderFork::Init(child.as_raw())),
    }
}

/// A descriptor that this process was executed with, by its number. Each number is taken once, at
/// the start of `main`, before anything else could have got it.
pub fn inherited(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: F_GETFD takes numbers only and fails on a number that is not open.
    check(unsafe { libc::fcntl(number, libc::F_GETFD) }.into())?;
    owned(number.into())
}

/// A pidfd for the process that has the number `pid` now. The caller checks afterwards that it is
/// the process it meant.
pub fn open_pidfd(pid: i32) -> io::Result<OwnedFd> {
    // SAFETY: pidfd_open takes two numbers and creates a descriptor (pidfd_open(2)).
    owned(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })
}

/// Sends `signal` to the process behind `pidfd`. A process that is gone already is no error.
pub fn signal(pidfd: BorrowedFd<'_>, signal: i32) -> io::Result<()> {
    // SAFETY: pidfd_send_signal with a null siginfo reads no memory of ours.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_raw_fd(),
            signal,
            std::ptr::null::<libc::siginfo_t>(),
            0,
        )
    };
    match check(answer) {
        Ok(_) => Ok(()),
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Kills every process of the group that `leader` leads, in one step of the kernel: nobody in it can
/// fork out of the way (kill(2); a fork with a fatal signal pending fails). An empty group is no
/// error. The caller has not reaped the leader yet, so that the number is still the group's.
pub fn kill_group(leader: i32) -> io::Result<()> {
    signal_group(leader, nix::sys::signal::Signal::SIGKILL)
}

/// Stops every process of a group, as [`kill_group`] kills them: also one that is being forked, to
/// which the signal is delivered when it is there (copy_process in kernel/fork.c).
pub fn stop_group(leader: i32) -> io::Result<()> {
    signal_group(leader, nix::sys::signal::Signal::SIGSTOP)
}

/// Lets a group go on that [`stop_group`] stopped.
pub fn continue_group(leader: i32) -> io::Result<()> {
    signal_group(leader, nix::sys::signal::Signal::SIGCONT)
}

fn signal_group(leader: i32, signal: nix::sys::signal::Signal) -> io::Result<()> {
    if leader <= 1 {
        return Err(io::Error::other(format!("no group of ours: {leader}")));
    }
    match nix::sys::signal::killpg(nix::unistd::Pid::from_raw(leader), signal) {
        Ok(()) | Err(nix::errno::Errno::ESRCH) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// Whether the process behind `pidfd` has ended: a pidfd becomes readable then (pidfd_open(2)).
pub fn has_ended(pidfd: BorrowedFd<'_>) -> bool {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    let mut fds = [PollFd::new(pidfd, PollFlags::POLLIN)];
    matches!(poll(&mut fds, PollTimeout::ZERO), Ok(1))
}

impl Child {
    /// Its process id in this process's pid namespace; for messages, and for /proc.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Kills it; as init of a pid namespace it takes every process of that namespace along
    /// (pid_namespaces(7)).
    pub fn kill(&self) -> io::Result<()> {
        signal(self.pidfd.as_fd(), libc::SIGKILL)
    }

    /// How it ended, if it has; reaps it.
    pub fn try_wait(&self) -> io::Result<Option<Ended>> {
        self.wait_with(libc::WEXITED | libc::WNOHANG)
    }

    /// Waits for its end and reaps it.
    pub fn wait(&self) -> io::Result<Ended> {
        loop {
            match self.wait_with(libc::WEXITED) {
                Ok(Some(ended)) => return Ok(ended),
                Ok(None) => {}
                Err(error) if error.raw_os_error() == Some(libc::EINTR) => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn wait_with(&self, flags: libc::c_int) -> io::Result<Option<Ended>> {
        let id = libc::id_t::try_from(self.pidfd.as_raw_fd()).map_err(io::Error::other)?;
        // SAFETY: siginfo_t is a C struct of integers and pointers for which zero is a value.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        // SAFETY: waitid writes one siginfo_t to `info`, which lives on this stack.
        let answer = unsafe { libc::waitid(libc::P_PIDFD, id, &raw mut info, flags) };
        check(answer.into())?;
        // SAFETY: waitid succeeded, so `info` describes a SIGCHLD, or is zero (WNOHANG and nothing
        // to report): both have the fields of that signal.
        let pid = unsafe { info.si_pid() };
        // SAFETY: as for si_pid, one line above.
        let status = unsafe { info.si_status() };
        Ok(match (pid, info.si_code) {
            (0, _) => None,
            (_, libc::CLD_EXITED) => Some(Ended::Exited(status)),
            (_, libc::CLD_KILLED | libc::CLD_DUMPED) => Some(Ended::Signaled(status)),
            _ => Some(Ended::Unknown),
        })
    }
}

impl AsFd for Child {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

/// Waits for any child of this process: its number and how it ended; `None` without children.
pub fn wait_any() -> io::Result<Option<(i32, Ended)>> {
    use nix::sys::wait::{WaitStatus, wait};
    loop {
        match wait() {
            Ok(WaitStatus::Exited(pid, status)) => {
                return Ok(Some((pid.as_raw(), Ended::Exited(status))));
            }
            Ok(WaitStatus::Signaled(pid, signal, _)) => {
                return Ok(Some((pid.as_raw(), Ended::Signaled(signal as i32))));
            }
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(nix::errno::Errno::ECHILD) => return Ok(None),
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Reaps children that ended and that nobody waits for by pidfd: orphans that came to this
/// process as their subreaper. `known` says which numbers somebody else will reap.
pub fn reap_orphans(known: impl Fn(i32) -> bool) {
    use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
    let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    while let Ok(status) = waitid(Id::All, look) {
        let pid = match status {
            WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, _, _) => pid,
            _ => return,
        };
        // waitid shows the same child again until somebody reaps it.
        if known(pid.as_raw()) || waitpid(pid, Some(WaitPidFlag::WNOHANG)).is_err() {
            return;
        }
    }
}

/// Replaces this process by the program in `image`; returns only an error (execveat(2) with
/// AT_EMPTY_PATH).
pub fn execute(image: BorrowedFd<'_>, arguments: &[CString], environment: &[CString]) -> io::Error {
    let list = |strings: &[CString]| -> Vec<*const libc::c_char> {
        strings
            .iter()
            .map(|s| s.as_ptr())
            .chain([std::ptr::null()])
            .collect()
    };
    let (argv, envp) = (list(arguments), list(environment));
    let empty: &CStr = c"";
    // SAFETY: the path is a C string, argv and envp are arrays that end with a null pointer
    // (`list`) of C strings that live until this function returns.
    unsafe {
        libc::syscall(
            libc::SYS_execveat,
            image.as_raw_fd(),
            empty.as_ptr(),
            argv.as_ptr(),
            envp.as_ptr(),
            libc::AT_EMPTY_PATH,
        )
    };
    crate::last_errno()
}

/// Ends this process at once, without destructors or exit handlers.
pub fn exit(status: i32) -> ! {
    // SAFETY: _exit has no conditions.
    unsafe { libc::_exit(status) }
}

/// Binds the process `pid` (0: this one) to one processor.
pub fn bind_to_core(pid: i32, core: u16) -> io::Result<()> {
    let mut set = nix::sched::CpuSet::new();
    set.set(usize::from(core))?;
    Ok(nix::sched::sched_setaffinity(
        nix::unistd::Pid::from_raw(pid),
        &set,
    )?)
}

/// Asks the scheduler to give the process `pid` (0: this one) short slices: one that mostly waits,
/// and hands something on when it wakes, then runs soon instead of after a busy neighbour's slice
/// (sched_setattr(2); a slice for SCHED_OTHER exists since Linux 6.12, before that the call changes
/// nothing).
pub fn prefer_short_slices(pid: i32) -> io::Result<()> {
    let attributes = libc::sched_attr {
        size: u32::try_from(std::mem::size_of::<libc::sched_attr>()).map_err(io::Error::other)?,
        sched_policy: 0,
        sched_flags: 0,
        sched_nice: 0,
        sched_priority: 0,
        sched_runtime: SHORT_SLICE_NS,
        sched_deadline: 0,
        sched_period: 0,
    };
    // SAFETY: the call reads `size` bytes of the structure, which lives on this stack.
    let answer =
        unsafe { libc::syscall(libc::SYS_sched_setattr, pid, &raw const attributes, 0u32) };
    check(answer).map(|_done| ())
}

/// The processors that this process may use, in order.
pub fn cores() -> io::Result<Vec<u16>> {
    let set = nix::sched::sched_getaffinity(nix::unistd::Pid::from_raw(0))?;
    Ok(
        (0..u16::try_from(nix::sched::CpuSet::count()).unwrap_or(u16::MAX))
            .filter(|core| set.is_set(usize::from(*core)).unwrap_or(false))
            .collect(),
    )
}

/// Makes orphans among the descendants of this process its children
/// (PR_SET_CHILD_SUBREAPER, prctl(2)).
pub fn become_subreaper() -> io::Result<()> {
    Ok(nix::sys::prctl::set_child_subreaper(true)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_of_several_threads_does_not_fork() {
        let (sender, receiver) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || receiver.recv().is_err());
        assert!(fork(Namespaces::Shared).is_err());
        drop(sender);
        thread.join().unwrap();
    }

    #[test]
    fn a_pidfd_of_this_process_is_alive_and_takes_no_harm_from_signal_zero() {
        let own = open_pidfd(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert!(!has_ended(own.as_fd()));
        signal(own.as_fd(), 0).unwrap();
    }

    #[test]
    fn this_process_may_use_a_core() {
        assert!(!cores().unwrap().is_empty());
    }
}
