//! The single steps that take rights away from the calling process. Their order, and what each is
//! for, is in the jail package; nothing here decides.

#![expect(
    unsafe_code,
    reason = "close_range(2), setresuid(2), prctl(2) without a safe wrapper"
)]

use crate::check;
use nix::sys::resource::{Resource, setrlimit};
use nix::unistd::{Gid, Uid};
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

/// Makes `kept[i]` descriptor number `i` and `image` the close-on-exec number `image_at`, and
/// closes every other descriptor. `image_at` is at least `kept.len()`.
///
/// Meant for a forked child that will only execute or exit: descriptors that other values of this
/// process own are closed under them.
pub fn keep_descriptors(kept: &[RawFd], image: RawFd, image_at: u16) -> io::Result<()> {
    let image_at = i32::from(image_at);
    let end = i32::try_from(kept.len()).map_err(io::Error::other)?;
    if end > image_at {
        return Err(io::Error::other("the image's number is taken"));
    }
    // First out of the way, above the numbers that will be written, so that no dup3 overwrites a
    // descriptor that is still needed.
    let above = image_at.saturating_add(1);
    let high = |fd: RawFd| -> io::Result<RawFd> {
        // SAFETY: F_DUPFD_CLOEXEC takes numbers only.
        let answer = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, above) };
        i32::try_from(check(answer.into())?).map_err(io::Error::other)
    };
    let moved = kept
        .iter()
        .map(|&fd| high(fd))
        .collect::<io::Result<Vec<_>>>()?;
    let image = high(image)?;
    for (target, fd) in (0..).zip(moved) {
        // SAFETY: dup3 takes numbers only; what it closes belongs to values that this child,
        // which only executes or exits, never uses again.
        check(unsafe { libc::dup3(fd, target, 0) }.into())?;
    }
    // SAFETY: as above.
    check(unsafe { libc::dup3(image, image_at, libc::O_CLOEXEC) }.into())?;
    close_from(end, image_at.saturating_sub(1))?;
    close_from(above, i32::MAX)
}

/// Closes every descriptor from `first` to `last`; for a child that owns none of them any more.
pub fn close_from(first: RawFd, last: RawFd) -> io::Result<()> {
    if first > last {
        return Ok(());
    }
    // SAFETY: close_range takes numbers only; the values that own these descriptors are never
    // used again (see keep_descriptors).
    check(unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) }).map(|_done| ())
}

/// A session of its own, without a terminal (setsid(2)).
pub fn new_session() -> io::Result<()> {
    nix::unistd::setsid()?;
    Ok(())
}

/// Becomes `uid` and the group of the same number, without supplementary groups.
pub fn become_user(uid: u32) -> io::Result<()> {
    nix::unistd::setgroups(&[])?;
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(uid));
    nix::unistd::setresgid(gid, gid, gid)?;
    nix::unistd::setresuid(uid, uid, uid)?;
    // setresuid may succeed and change nothing only if it was a no-op; look, as root bypasses
    // every limit that follows.
    if nix::unistd::getuid() != uid || nix::unistd::geteuid() != uid {
        return Err(io::Error::other("the user id did not change"));
    }
    Ok(())
}

/// Whether this process runs as root.
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// The user id of this process.
pub fn user() -> u32 {
    nix::unistd::geteuid().as_raw()
}

/// Makes `user` and `group` the only user and group of the user namespace of `pid`, under their
/// own numbers (user_namespaces(7)).
pub fn map_user(pid: i32, user: u32, group: u32) -> io::Result<()> {
    if !is_root() {
        // Without privilege a group map needs setgroups denied first. With it the child can still
        // give up the groups that it inherited.
        fs::write(format!("/proc/{pid}/setgroups"), "deny")?;
    }
    fs::write(format!("/proc/{pid}/uid_map"), format!("{user} {user} 1\n"))?;
    fs::write(
        format!("/proc/{pid}/gid_map"),
        format!("{group} {group} 1\n"),
    )
}

/// The group id of this process.
pub fn group() -> u32 {
    nix::unistd::getegid().as_raw()
}

/// As many descriptors for this process as the host lets it have: the usual 1024 are kept low for
/// select(2), which nothing of ours uses.
pub fn raise_descriptors() -> io::Result<()> {
    let (_soft, hard) = nix::sys::resource::getrlimit(Resource::RLIMIT_NOFILE)?;
    Ok(setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?)
}

/// Limits of a process (getrlimit(2)).
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of address space.
    pub memory: u64,
    /// Processes and threads of the user.
    pub processes: u64,
    /// Open descriptors.
    pub descriptors: u64,
    /// Bytes of a file, and so of a memfd, that it makes or grows.
    pub file: u64,
}

/// Sets `limits`, and to nothing what no function needs: core dumps, locked memory, message
/// queues, niceness, real-time priority.
pub fn limit_resources(limits: Limits) -> io::Result<()> {
    let table = [
        (Resource::RLIMIT_AS, limits.memory),
        (Resource::RLIMIT_NPROC, limits.processes),
        (Resource::RLIMIT_NOFILE, limits.descriptors),
        (Resource::RLIMIT_FSIZE, limits.file),
        // One byte: no file is written, and no program is fed either, as it is under a limit of 0
        // where core_pattern names one (core(5)): a crash would start it, as root, with a tenant's
        // memory as its input.
        (Resource::RLIMIT_CORE, 1),
        (Resource::RLIMIT_MEMLOCK, 0),
        (Resource::RLIMIT_MSGQUEUE, 0),
        (Resource::RLIMIT_NICE, 0),
        (Resource::RLIMIT_RTPRIO, 0),
        (Resource::RLIMIT_SIGPENDING, 64),
    ];
    for (resource, limit) in table {
        // What the host allows may be less already, and without privilege it cannot be raised.
        let (_soft, hard) = nix::sys::resource::getrlimit(resource)?;
        let limit = limit.min(hard);
        setrlimit(resource, limit, limit)?;
    }
    Ok(())
}

/// Whether this process may be traced by others of the same user and dumps core; if not, /proc/PID
/// belongs to root (PR_SET_DUMPABLE, prctl(2)). A fork inherits it.
pub fn set_dumpable(dumpable: bool) -> io::Result<()> {
    Ok(nix::sys::prctl::set_dumpable(dumpable)?)
}

/// Killed when the parent thread ends (PR_SET_PDEATHSIG, prctl(2)); a change of user clears it.
pub fn die_with_parent() -> io::Result<()> {
    Ok(nix::sys::prctl::set_pdeathsig(
        nix::sys::signal::Signal::SIGKILL,
    )?)
}

/// No privileges by exec from now on (PR_SET_NO_NEW_PRIVS, prctl(2)).
pub fn no_new_privileges() -> io::Result<()> {
    Ok(nix::sys::prctl::set_no_new_privs()?)
}

/// A name for `ps` (PR_SET_NAME, at most 15 bytes).
pub fn name_process(name: &str) -> io::Result<()> {
    let name = std::ffi::CString::new(name).map_err(io::Error::other)?;
    Ok(nix::sys::prctl::set_name(&name)?)
}

/// The lowest file mode mask that leaves files private.
pub fn set_private_umask() {
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o077));
}

/// A descriptor of /dev/null, for standard input.
pub fn null_device() -> io::Result<OwnedFd> {
    Ok(fs::File::open("/dev/null")?.into())
}

/// A pipe: read end, write end, both close-on-exec.
pub fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?)
}

/// Makes reads from `fd` return `WouldBlock` instead of waiting. The flag is shared by everybody
/// who has the same open file description: only for ends that no other process has.
pub fn set_nonblocking(fd: impl AsFd) -> io::Result<()> {
    use nix::fcntl::{FcntlArg, OFlag, fcntl};
    let flags = OFlag::from_bits_retain(fcntl(fd.as_fd(), FcntlArg::F_GETFL)?);
    fcntl(fd.as_fd(), FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(())
}

/// The raw number of a descriptor, for [`keep_descriptors`].
pub fn number(fd: impl AsFd) -> RawFd {
    fd.as_fd().as_raw_fd()
}
