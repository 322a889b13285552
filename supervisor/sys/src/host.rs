//! Questions about the host whose answers need a system call.

#![expect(unsafe_code, reason = "landlock_create_ruleset(2) as a query")]

use crate::check;
use crate::process::{Fork, Namespaces, exit, fork};
use std::io;

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
    match fork(Namespaces::Own)? {
        Fork::Child => exit(0),
        Fork::Parent(child) => child.wait().map(|_ended| ()),
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
