//! Questions about the host whose answers need a system call.

#![expect(unsafe_code, reason = "landlock_create_ruleset(2) as a query")]

use crate::process::{Fork, Namespaces, exit, fork};
use crate::{check, mount};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;

/// The newest Landlock ABI of the kernel (landlock(7)); `ENOSYS` or `EOPNOTSUPP` without Landlock.
pub fn landlock_abi() -> io::Result<u32> {
    const LANDLOCK_CREATE_RULESET_VERSION: u32 = 1;
    // SAFETY: with a null attribute of size 0 and this flag the call reads no memory and answers
    // the version.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<u8>(),
            0,
            LANDLOCK_CREATE_RULESET_VERSION,
        )
    };
    u32::try_from(check(answer)?).map_err(io::Error::other)
}

/// Whether a child gets namespaces of its own here; tries it. The process must be
/// single-threaded.
pub fn try_namespaces() -> io::Result<()> {
    match fork(Namespaces::Own {
        mounts: false,
        network: true,
    })? {
        Fork::Child => exit(0),
        Fork::Parent(child) => child.wait().map(|_ended| ()),
    }
}

/// Whether a child with namespaces of its own gets a root of its own as well; tries it. The process
/// must be single-threaded.
pub fn try_mounts() -> io::Result<()> {
    // Over a pipe: where SIGCHLD is ignored, nobody learns an exit status.
    let (told, tell) = crate::jail::pipe()?;
    match fork(Namespaces::Own {
        mounts: true,
        network: true,
    })? {
        Fork::Child => {
            let tried = mount::memory(4096, 16, mount::Access::Scratch).and_then(|root| {
                mount::cover_root(root.as_fd())?;
                mount::enter(root.as_fd())
            });
            let errno =
                tried.map_or_else(|error| error.raw_os_error().unwrap_or(libc::EIO), |()| 0);
            let written = File::from(tell).write_all(&errno.to_ne_bytes());
            exit(i32::from(written.is_err()))
        }
        Fork::Parent(child) => {
            drop(tell);
            let mut errno = [0; 4];
            let read = File::from(told).read_exact(&mut errno);
            child.wait()?;
            match read.map(|()| i32::from_ne_bytes(errno))? {
                0 => Ok(()),
                errno => Err(io::Error::from_raw_os_error(errno)),
            }
        }
    }
}

/// Whether a memfd can be made and sealed.
pub fn try_sealed_memory() -> io::Result<()> {
    crate::body::check_sealed(crate::body::sealed("keylane-probe", b"x")?, 1).map(|_length| ())
}

/// The kernel's release, e.g. `6.1.0-37-amd64`, and its machine, e.g. `x86_64` (uname(2)).
pub fn kernel() -> io::Result<(String, String)> {
    let name = nix::sys::utsname::uname()?;
    let text = |part: &std::ffi::OsStr| part.to_string_lossy().into_owned();
    Ok((text(name.release()), text(name.machine())))
}

/// Whether the filter actions that the jail uses exist (seccomp(2), SECCOMP_GET_ACTION_AVAIL).
pub fn seccomp_actions() -> io::Result<()> {
    const SECCOMP_GET_ACTION_AVAIL: libc::c_uint = 2;
    for action in [libc::SECCOMP_RET_KILL_PROCESS, libc::SECCOMP_RET_ERRNO] {
        // SAFETY: the operation reads one u32 at the pointer, which is a live local.
        let answer = unsafe {
            libc::syscall(
                libc::SYS_seccomp,
                SECCOMP_GET_ACTION_AVAIL,
                0,
                &raw const action,
            )
        };
        check(answer)?;
    }
    Ok(())
}

/// Nanoseconds of CLOCK_MONOTONIC, the clock of deadlines in a channel.
pub fn monotonic_ns() -> u64 {
    clock_ns(nix::time::ClockId::CLOCK_MONOTONIC)
}

/// Nanoseconds since the epoch.
pub fn now_ns() -> u64 {
    clock_ns(nix::time::ClockId::CLOCK_REALTIME)
}

fn clock_ns(clock: nix::time::ClockId) -> u64 {
    use nix::sys::time::TimeValLike;
    // Both clocks exist on every Linux (clock_gettime(2)); 0 is before every deadline.
    clock
        .now()
        .ok()
        .and_then(|t| u64::try_from(t.num_nanoseconds()).ok())
        .unwrap_or(0)
}
