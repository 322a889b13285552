//! Filters, and denied calls that a filter tells about (seccomp_unotify(2)).
//!
//! An attacker controls: the number and arguments of a denied call, the memory that they point to,
//! how many come, and whether the caller still exists when it is answered. A call is only ever
//! answered with an error here: nothing lets one through.

#![expect(unsafe_code, reason = "seccomp(2) and the ioctls of its listener")]

use crate::process::{Fork, Namespaces, exit, fork};
use crate::{check, owned};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// An instruction of a filter, as `struct sock_filter` has it.
pub type Instruction = (u16, u8, u8, u32);

/// The value that tells of a call instead of deciding it (SECCOMP_RET_USER_NOTIF).
pub const TELL: u32 = libc::SECCOMP_RET_USER_NOTIF;

/// SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (Linux 5.19, include/uapi/linux/seccomp.h): once a denied
/// call was taken, only a fatal signal ends its wait. Else each signal would tell it again.
const WAIT_KILLABLE: libc::c_ulong = 1 << 5;

/// `EPERM`, the answer to every denied call.
const EPERM: i32 = 1;

/// Bytes of a page on x86_64.
const PAGE: usize = 4096;

fn install(filter: &[Instruction], flags: libc::c_ulong) -> io::Result<libc::c_long> {
    if filter.is_empty() {
        return Err(io::Error::other("a filter without instructions"));
    }
    let mut code: Vec<libc::sock_filter> = filter
        .iter()
        .map(|&(code, jt, jf, k)| libc::sock_filter { code, jt, jf, k })
        .collect();
    let program = libc::sock_fprog {
        len: u16::try_from(code.len()).map_err(io::Error::other)?,
        filter: code.as_mut_ptr(),
    };
    // SAFETY: seccomp(2) reads a `sock_fprog` and the `len` instructions that it points to: `program`
    // and `code` live until the call is over, and `len` is the vector's length.
    check(unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            flags,
            &raw const program,
        )
    })
}

/// Puts a filter into force for this thread and all that it forks or executes. It needs
/// no_new_privs.
pub fn filter(filter: &[Instruction]) -> io::Result<()> {
    install(filter, 0).map(|_zero| ())
}

/// As [`filter`], and a listener for the calls to which it answers [`TELL`]. `EBUSY` where a filter
/// of this process has one already.
pub fn filter_with_listener(filter: &[Instruction]) -> io::Result<OwnedFd> {
    owned(install(
        filter,
        libc::SECCOMP_FILTER_FLAG_NEW_LISTENER | WAIT_KILLABLE,
    )?)
}

/// Whether a child can have a listener here; tries it. The process must be single-threaded.
pub fn try_listener() -> io::Result<()> {
    check_sizes()?;
    match fork(Namespaces::Shared)? {
        Fork::Child => {
            // One instruction: everything is allowed.
            let all = [(0x06, 0, 0, libc::SECCOMP_RET_ALLOW)];
            let tried = crate::jail::no_new_privileges().and_then(|()| filter_with_listener(&all));
            let errno = tried.err().map_or(0, |e| e.raw_os_error().unwrap_or(255));
            exit(errno)
        }
        Fork::Parent(child) => match child.wait()? {
            keylane_policy::abi::message::Ended::Exited(0) => Ok(()),
            keylane_policy::abi::message::Ended::Exited(errno) => {
                Err(io::Error::from_raw_os_error(errno))
            }
            other => Err(io::Error::other(format!("a child that tried {other}"))),
        },
    }
}

/// The kernel's structures are as long as those of this file; a kernel that makes them longer would
/// write beyond ours.
fn check_sizes() -> io::Result<()> {
    let mut sizes = libc::seccomp_notif_sizes {
        seccomp_notif: 0,
        seccomp_notif_resp: 0,
        seccomp_data: 0,
    };
    // SAFETY: the operation writes one `seccomp_notif_sizes` at the pointer, a live local.
    check(unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_GET_NOTIF_SIZES,
            0,
            &raw mut sizes,
        )
    })?;
    let ours = (
        size_of::<libc::seccomp_notif>(),
        size_of::<libc::seccomp_notif_resp>(),
    );
    let theirs = (
        usize::from(sizes.seccomp_notif),
        usize::from(sizes.seccomp_notif_resp),
    );
    if ours == theirs {
        Ok(())
    } else {
        Err(io::Error::other(
            "this kernel tells of denied calls in another form",
        ))
    }
}

/// _IOWR('!', 0, struct seccomp_notif) (include/uapi/linux/seccomp.h).
const RECEIVE: libc::c_ulong = 0xC050_2100;
/// _IOWR('!', 1, struct seccomp_notif_resp).
const ANSWER: libc::c_ulong = 0xC018_2101;
/// _IOW('!', 2, __u64).
const VALID: libc::c_ulong = 0x4008_2102;

/// A denied call that waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denied {
    id: u64,
    /// The calling thread's number in this process's pid namespace.
    pub thread: i32,
    /// The call's number.
    pub number: u32,
    /// Its arguments.
    pub arguments: [u64; 6],
}

/// What a listener brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// A denied call.
    Call(Denied),
    /// None waits now.
    Nothing,
    /// No process with the filter is left.
    Over,
}

/// The listener of a filter.
#[derive(Debug)]
pub struct Listener(OwnedFd);

impl Listener {
    /// The listener behind a descriptor that somebody passed; an error if it is none.
    pub fn over(fd: OwnedFd) -> io::Result<Listener> {
        check_sizes()?;
        let listener = Listener(fd);
        // A listener knows no call 0 (ENOENT); anything else knows no such request (ENOTTY).
        match listener.still_waits(0) {
            Err(error) if error.raw_os_error() != Some(libc::ENOENT) => Err(error),
            Err(_) | Ok(_) => Ok(listener),
        }
    }

    /// The next denied call, without waiting.
    pub fn next(&self) -> io::Result<Told> {
        // Receiving waits where none is there, whatever the descriptor's flags say.
        let mut look = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
        poll(&mut look, PollTimeout::ZERO)?;
        let [look] = look;
        let seen = look.revents().unwrap_or(PollFlags::empty());
        if !seen.contains(PollFlags::POLLIN) {
            return Ok(
                if seen.intersects(PollFlags::POLLHUP | PollFlags::POLLERR) {
                    Told::Over
                } else {
                    Told::Nothing
                },
            );
        }
        let mut told = libc::seccomp_notif {
            id: 0,
            pid: 0,
            flags: 0,
            data: libc::seccomp_data {
                nr: 0,
                arch: 0,
                instruction_pointer: 0,
                args: [0; 6],
            },
        };
        // SAFETY: the request writes one zeroed `seccomp_notif`, a live local of the size that the
        // kernel uses (check_sizes, in `over`).
        let answer = unsafe { libc::ioctl(self.0.as_raw_fd(), RECEIVE, &raw mut told) };
        match check(answer.into()) {
            Ok(_) => Ok(Told::Call(Denied {
                id: told.id,
                thread: i32::try_from(told.pid).unwrap_or(0),
                number: told.data.nr.cast_unsigned(),
                arguments: told.data.args,
            })),
            // The caller was ended in between.
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(Told::Nothing),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Told::Nothing),
            Err(error) => Err(error),
        }
    }

    /// Whether the caller still waits for its answer: what was read of the process with its number
    /// meanwhile was its own.
    pub fn waits(&self, denied: &Denied) -> bool {
        self.still_waits(denied.id).is_ok()
    }

    fn still_waits(&self, id: u64) -> io::Result<()> {
        // SAFETY: the request reads one u64 at the pointer, a live local.
        let answer = unsafe { libc::ioctl(self.0.as_raw_fd(), VALID, &raw const id) };
        check(answer.into()).map(|_zero| ())
    }

    /// Lets the call fail with EPERM. A caller that is gone is no error.
    pub fn refuse(&self, denied: &Denied) -> io::Result<()> {
        let mut answer = libc::seccomp_notif_resp {
            id: denied.id,
            val: 0,
            error: -EPERM,
            // Never SECCOMP_USER_NOTIF_FLAG_CONTINUE, which would pass it to the kernel.
            flags: 0,
        };
        // SAFETY: the request reads one `seccomp_notif_resp`, a live local of the size that the kernel
        // uses (check_sizes, in `over`).
        let sent = unsafe { libc::ioctl(self.0.as_raw_fd(), ANSWER, &raw mut answer) };
        match check(sent.into()) {
            Err(error) if error.raw_os_error() != Some(libc::ENOENT) => Err(error),
            Err(_) | Ok(_) => Ok(()),
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// At most `most` bytes (no more than a page) at `address` of the process of `thread`, copied once:
/// fewer where its memory ends, none where it cannot be read. Needs the rights of ptrace(2).
pub fn peek(thread: i32, address: u64, most: usize) -> Option<Vec<u8>> {
    let base = usize::try_from(address).ok().filter(|at| *at != 0)?;
    let mut bytes = vec![0; most.min(PAGE)];
    // In two parts at the page's border, because a part that cannot be read whole is not read.
    let first = PAGE.checked_sub(base % PAGE)?.min(bytes.len());
    let rest = bytes.len().checked_sub(first)?;
    let mut remote = vec![RemoteIoVec { base, len: first }];
    if rest > 0 {
        let base = base.checked_add(first)?;
        remote.push(RemoteIoVec { base, len: rest });
    }
    let pid = nix::unistd::Pid::from_raw(thread);
    let got = process_vm_readv(pid, &mut [IoSliceMut::new(&mut bytes)], &remote).ok()?;
    bytes.truncate(got);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_up_to_the_end_of_what_is_there() {
        let own = std::process::id() as i32;
        let text = *b"a path\0";
        let got = peek(own, text.as_ptr() as u64, text.len()).unwrap();
        assert_eq!(got, text);
        assert_eq!(peek(own, 0, 16), None);
        assert_eq!(peek(own, u64::MAX - 8, 16), None);
        assert_eq!(peek(own, 1 << 62, 16), None);
        // A page, and behind it nothing.
        let stack = std::fs::read_to_string("/proc/self/maps").unwrap();
        let line = stack.lines().find(|line| line.contains("[stack]")).unwrap();
        let end = line.split_once(' ').unwrap().0.split_once('-').unwrap().1;
        let end = u64::from_str_radix(end, 16).unwrap();
        assert_eq!(peek(own, end - 8, 512).unwrap().len(), 8);
    }

    #[test]
    fn what_is_no_listener_is_not_taken_for_one() {
        let file = std::fs::File::open("/dev/null").unwrap();
        assert!(Listener::over(file.into()).is_err());
        let (read, _write) = nix::unistd::pipe().unwrap();
        assert!(Listener::over(read).is_err());
    }

    #[test]
    fn an_empty_filter_is_never_installed() {
        assert!(filter(&[]).is_err());
        assert!(filter_with_listener(&[]).is_err());
    }
}
