//! Memory protection keys (pkeys(7)).

#![expect(unsafe_code, reason = "pkey_alloc(2) and prctl(2)")]

use crate::check;
use std::io;

/// Takes a key that nobody has, and opens it for the calling thread: the kernel sets its PKRU. Threads
/// that this one makes later have it open too, others have not. `ENOSPC` where none is left,
/// `EINVAL` or `ENOSYS` where processor or kernel have none.
pub fn allocate() -> io::Result<u8> {
    // SAFETY: pkey_alloc takes two numbers: no flag, and no restriction of the new key.
    let answer = check(unsafe { libc::syscall(libc::SYS_pkey_alloc, 0, 0) })?;
    u8::try_from(answer).map_err(io::Error::other)
}

/// No mapping of this process becomes executable any more that was not mapped so (PR_SET_MDWE with
/// PR_MDWE_REFUSE_EXEC_GAIN, Linux 6.3). It cannot be taken back.
pub fn refuse_new_code() -> io::Result<()> {
    const PR_SET_MDWE: libc::c_int = 65;
    const REFUSE_EXEC_GAIN: libc::c_ulong = 1;
    let zero: libc::c_ulong = 0;
    // SAFETY: this option of prctl takes numbers only.
    let answer = unsafe { libc::prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN, zero, zero, zero) };
    check(answer.into()).map(|_zero| ())
}
