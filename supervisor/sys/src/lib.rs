//! The system calls of Keylane, each behind one safe function.
//!
//! Nothing else in the supervisor calls libc. Descriptors come in borrowed and go out owned, so
//! none leaks and none is closed twice; every `unsafe` block holds one operation. What nix or
//! memfd offer safely is used from there.
//!
//! An attacker controls: the bytes of a mapped channel (`mapping`), the bytes, descriptors and
//! their number on a socket (`link`), the length and contents of a memfd before its seals are
//! checked (`body`).

pub mod body;
pub mod cgroup;
pub mod denied;
mod futex;
pub mod host;
pub mod jail;
pub mod keys;
pub mod link;
pub mod mapping;
pub mod mount;
pub mod own;
pub mod process;
pub mod ready;
pub mod region;
pub mod signal;
pub mod thread;

/// The error number of the last failed call of this thread.
pub(crate) fn last_errno() -> std::io::Error {
    std::io::Error::last_os_error()
}

/// The result of a raw call that answers -1 for an error.
pub(crate) fn check(answer: libc::c_long) -> std::io::Result<libc::c_long> {
    if answer < 0 {
        Err(last_errno())
    } else {
        Ok(answer)
    }
}

/// A raw answer that is a descriptor, as its owner.
///
/// The caller passes the answer of a call that creates a descriptor and nothing else.
pub(crate) fn owned(answer: libc::c_long) -> std::io::Result<std::os::fd::OwnedFd> {
    use std::os::fd::FromRawFd;
    let raw = i32::try_from(check(answer)?).map_err(std::io::Error::other)?;
    #[expect(
        unsafe_code,
        reason = "adopting a descriptor that the kernel just made"
    )]
    // SAFETY: from_raw_fd wants an open descriptor that nobody else owns; `raw` is the non-negative
    // answer (checked above) of a call that creates one, and it has been given to nobody.
    Ok(unsafe { std::os::fd::OwnedFd::from_raw_fd(raw) })
}
