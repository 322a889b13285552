//! Mounts by descriptor: a file system of its own for a child that has a mount namespace, and
//! inside it copies of what it may read.
//!
//! Every mount here belongs to the caller's own mount namespace and goes with it. The calls are
//! those of fsopen(2) and open_tree(2) (Linux 5.2) and mount_setattr(2) (5.12): a mount is made,
//! given its flags, and only then put where somebody could see it.

#![expect(
    unsafe_code,
    reason = "fsopen(2), fsconfig(2), fsmount(2), open_tree(2), move_mount(2), mount_setattr(2), pivot_root(2)"
)]

use crate::{check, owned};
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;
use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What may not be done through a mount (mount_setattr(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing is written; set-user-id bits and devices mean nothing.
    ReadOnly,
    /// As `ReadOnly`, and nothing is executed, but devices work: for a device node.
    Device,
    /// Written, and nothing is executed; set-user-id bits and devices mean nothing.
    Scratch,
    /// As `Scratch`, and what lies there can be executed: where a compiler works.
    Workshop,
}

impl Access {
    fn flags(self) -> u64 {
        let read_only = libc::MOUNT_ATTR_RDONLY;
        let (no_suid, no_dev) = (libc::MOUNT_ATTR_NOSUID, libc::MOUNT_ATTR_NODEV);
        match self {
            Access::ReadOnly => read_only | no_suid | no_dev,
            Access::Device => read_only | no_suid | libc::MOUNT_ATTR_NOEXEC,
            Access::Scratch => no_suid | no_dev | libc::MOUNT_ATTR_NOEXEC,
            Access::Workshop => no_suid | no_dev,
        }
    }
}

fn path_of(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(io::Error::other)
}

/// A file system in memory, mounted nowhere yet: at most `bytes` of contents in at most `inodes`
/// files and folders (tmpfs(5)), its root owned by the caller with mode 0700.
pub fn memory(bytes: u64, inodes: u64, access: Access) -> io::Result<OwnedFd> {
    // SAFETY: fsopen reads a C string and makes a descriptor.
    let context =
        owned(unsafe { libc::syscall(libc::SYS_fsopen, c"tmpfs".as_ptr(), libc::FSOPEN_CLOEXEC) })?;
    for (key, value) in [
        (c"size", bytes.to_string()),
        (c"nr_inodes", inodes.to_string()),
        (c"mode", "0700".to_owned()),
    ] {
        let value = CString::new(value).map_err(io::Error::other)?;
        configure(&context, libc::FSCONFIG_SET_STRING, Some((key, &value)))?;
    }
    configure(&context, libc::FSCONFIG_CMD_CREATE, None)?;
    // SAFETY: fsmount takes numbers only and makes a descriptor.
    owned(unsafe {
        libc::syscall(
            libc::SYS_fsmount,
            context.as_raw_fd(),
            libc::FSMOUNT_CLOEXEC,
            access.flags(),
        )
    })
}

fn configure(
    context: &OwnedFd,
    command: libc::c_uint,
    setting: Option<(&CStr, &CStr)>,
) -> io::Result<()> {
    let (key, value) = setting.map_or((std::ptr::null(), std::ptr::null()), |(key, value)| {
        (key.as_ptr(), value.as_ptr())
    });
    // SAFETY: fsconfig reads two C strings that live until it returns, or takes two null pointers
    // for a command without a setting.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_fsconfig,
            context.as_raw_fd(),
            command,
            key,
            value,
            0,
        )
    };
    check(answer).map(|_done| ())
}

/// A copy of what is at `path` and of all mounts below it, mounted nowhere yet. Links are followed.
pub fn copy(path: &Path, access: Access) -> io::Result<OwnedFd> {
    let path = path_of(path)?;
    let flags =
        libc::OPEN_TREE_CLONE | libc::OPEN_TREE_CLOEXEC | libc::AT_RECURSIVE.cast_unsigned();
    // SAFETY: open_tree reads a C string and makes a descriptor.
    let tree =
        owned(unsafe { libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, path.as_ptr(), flags) })?;
    change(tree.as_raw_fd(), c"", access.flags(), 0)?;
    Ok(tree)
}

/// Forbids through the mount `root` what `access` does; mounts on top of it keep what they have.
pub fn restrict(root: BorrowedFd<'_>, access: Access) -> io::Result<()> {
    change_one(root.as_raw_fd(), access.flags())
}

fn attributes(set: u64, propagation: u64) -> libc::mount_attr {
    libc::mount_attr {
        attr_set: set,
        attr_clr: 0,
        propagation,
        userns_fd: 0,
    }
}

fn change(at: i32, path: &CStr, set: u64, propagation: u64) -> io::Result<()> {
    set_attributes(
        at,
        path,
        libc::AT_EMPTY_PATH | libc::AT_RECURSIVE,
        attributes(set, propagation),
    )
}

fn change_one(at: i32, set: u64) -> io::Result<()> {
    set_attributes(at, c"", libc::AT_EMPTY_PATH, attributes(set, 0))
}

fn set_attributes(
    at: i32,
    path: &CStr,
    flags: libc::c_int,
    attributes: libc::mount_attr,
) -> io::Result<()> {
    // SAFETY: mount_setattr reads a C string and as many bytes of the structure, a live local, as
    // the last argument says.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            at,
            path.as_ptr(),
            flags,
            &raw const attributes,
            std::mem::size_of::<libc::mount_attr>(),
        )
    };
    check(answer).map(|_done| ())
}

/// Makes a folder `path`, which is relative, in `root`, and the folders above it. One that is there
/// is no error.
pub fn make_folders(root: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
    let mut all: Vec<&Path> = path
        .ancestors()
        .filter(|one| !one.as_os_str().is_empty())
        .collect();
    all.reverse();
    for folder in all {
        match nix::sys::stat::mkdirat(root, folder, Mode::S_IRWXU) {
            Ok(()) | Err(nix::errno::Errno::EEXIST) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// Makes an empty file `path`, which is relative, in `root`, to mount a file on.
pub fn make_file(root: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
    let flags = OFlag::O_CREAT | OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW;
    nix::fcntl::openat(root, path, flags, Mode::S_IRUSR)?;
    Ok(())
}

/// Mounts `mount`, which is mounted nowhere yet, on `path` in `root`; the path is relative.
pub fn attach(mount: BorrowedFd<'_>, root: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
    put(mount.as_raw_fd(), root.as_raw_fd(), &path_of(path)?)
}

fn put(mount: i32, at: i32, path: &CStr) -> io::Result<()> {
    // SAFETY: move_mount reads two C strings, one of them empty (MOVE_MOUNT_F_EMPTY_PATH).
    let answer = unsafe {
        libc::syscall(
            libc::SYS_move_mount,
            mount,
            c"".as_ptr(),
            at,
            path.as_ptr(),
            libc::MOVE_MOUNT_F_EMPTY_PATH,
        )
    };
    check(answer).map(|_done| ())
}

/// Mounts `root` over the present root, so that mounts can be attached below it, and cuts this
/// namespace off from what is mounted elsewhere later. [`enter`] makes it the root.
pub fn cover_root(root: BorrowedFd<'_>) -> io::Result<()> {
    change(libc::AT_FDCWD, c"/", 0, libc::MS_PRIVATE)?;
    put(root.as_raw_fd(), libc::AT_FDCWD, c"/")
}

/// Makes `root`, which covers the present root ([`cover_root`]), the root of this process, and
/// unmounts everything that was mounted before. Where the present root is the kernel's first one
/// (an initramfs), which nothing can unmount, it stays covered, and this process's root is above it.
pub fn enter(root: BorrowedFd<'_>) -> io::Result<()> {
    nix::unistd::fchdir(root)?;
    // SAFETY: pivot_root reads two C strings. With the same folder twice the old root ends up on
    // top of the new one, and nothing needs a place to put it (pivot_root(2), NOTES).
    let pivoted =
        check(unsafe { libc::syscall(libc::SYS_pivot_root, c".".as_ptr(), c".".as_ptr()) });
    match pivoted {
        Ok(_) => {
            // SAFETY: umount2 reads a C string.
            check(unsafe { libc::umount2(c".".as_ptr(), libc::MNT_DETACH) }.into())?;
        }
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => nix::unistd::chroot(".")?,
        Err(error) => return Err(error),
    }
    Ok(nix::unistd::chdir("/")?)
}
