"""Tries what a hostile function would try, with raw system calls, and tells how each try ended.

Run inside as a function, and outside as a program for the control: a wall that stands must make a
difference. Each result is "works", or the name of the error number.
"""

import ctypes
import errno
import json
import os
import struct
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
PROT_NONE, MAP_PRIVATE_ANON = 0, 0x22


def call(number, *arguments):
    """The raw system call, as the name of its error or "works"."""
    ctypes.set_errno(0)
    padded = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    answer = LIBC.syscall(ctypes.c_long(number), *padded)
    return errno.errorcode[ctypes.get_errno()] if answer == -1 else "works"


def attempt(action):
    try:
        action()
        return "works"
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error.errno))


def files(own, others):
    readonly = os.path.join(own, "probe.py")
    tries = {
        "read /etc/passwd": lambda: open("/etc/passwd").read(),
        "read /etc/hostname": lambda: open("/etc/hostname").read(),
        "list /": lambda: os.listdir("/"),
        "list /proc": lambda: os.listdir("/proc"),
        "read /proc/self/status": lambda: open("/proc/self/status").read(),
        "read /proc/1/environ": lambda: open("/proc/1/environ", "rb").read(),
        "read /proc/thread-self/mem": lambda: open("/proc/thread-self/mem", "rb").close(),
        "list /sys": lambda: os.listdir("/sys"),
        "list /home": lambda: os.listdir("/home"),
        "create in own tree": lambda: os.open(own + "/new", os.O_CREAT | os.O_WRONLY),
        "create in /dev/shm": lambda: os.open("/dev/shm/klt-probe-%d" % os.getpid(), os.O_CREAT | os.O_RDWR),
        "write own code": lambda: os.open(readonly, os.O_WRONLY),
        "truncate own code by open": lambda: os.open(readonly, os.O_RDONLY | os.O_TRUNC),
        "list own tree's parent": lambda: os.listdir(os.path.dirname(own)),
        "write own code in place": lambda: os.open(readonly, os.O_RDWR),
        "rename own code": lambda: os.rename(readonly, own + "/other.py"),
        "remove own code": lambda: os.unlink(readonly),
        "make a directory": lambda: os.mkdir(own + "/d"),
        "make a fifo": lambda: os.mkfifo(own + "/f"),
        "open a terminal": lambda: os.open("/dev/tty", os.O_RDWR),
    }
    for other in others:
        tries["read another function's " + os.path.basename(other)] = lambda: open(other).read()
    return {name: attempt(action) for name, action in tries.items()}


def calls(own, only=None):
    path = ctypes.c_char_p((own + "/probe.py").encode())
    zeros = ctypes.create_string_buffer(256)
    clone3 = ctypes.create_string_buffer(struct.pack("<11Q", 0x7FFFFFFF, *[0] * 10))
    parent = os.getppid() or 1
    me = os.getpid()
    tries = {
        # other processes
        "kill the parent with signal 0": lambda: call(62, parent, 0),
        "kill everything with signal 0": lambda: call(62, -1, 0),
        "tgkill itself with signal 0": lambda: call(234, me, me, 0),
        "ptrace traceme": lambda: call(101, 0, 0, 0, 0),
        "process_vm_readv": lambda: call(310, me, zeros, 0, zeros, 0, 0),
        "process_vm_writev": lambda: call(311, me, zeros, 0, zeros, 0, 0),
        "pidfd_open": lambda: call(434, me, 0),
        "pidfd_getfd": lambda: call(438, 0, 0, 0),
        "kcmp": lambda: call(312, me, me, 0, 0, 0),
        "prlimit of the parent": lambda: call(302, parent, 7, None, zeros),
        "prlimit of itself with a new limit": lambda: call(302, 0, 4, zeros, None),
        "setpriority": lambda: call(141, 0, 0, 1),
        "sched_setaffinity": lambda: call(203, 0, 0, zeros),
        "sched_setscheduler": lambda: call(144, 0, 3, zeros),
        "ioprio_set": lambda: call(251, 1, 0, 0),
        "get_robust_list": lambda: call(274, parent, zeros, zeros),
        "F_SETOWN": lambda: call(72, 1, 8, me),
        "F_SETSIG": lambda: call(72, 1, 10, 9),
        "O_ASYNC": lambda: call(72, 1, 4, 0o20000),
        "clock of another process": lambda: call(228, (~1 << 3) | 2, zeros),
        "membarrier": lambda: call(324, 0, 0, 0),
        "process_madvise": lambda: call(440, 0, 0, 0, 0, 0),
        # the kernel's larger doors
        "unshare a user namespace": lambda: call(272, 0x10000000),
        "unshare descriptors": lambda: call(272, 0x400),
        "setns": lambda: call(308, 0, 0),
        "clone3": lambda: call(435, clone3, 88),
        "clone into a namespace": lambda: call(56, 0x10000000 | 17, 0, 0, 0, 0),
        "mount": lambda: call(165, path, path, None, 4096, None),
        "umount": lambda: call(166, path, 0),
        "pivot_root": lambda: call(155, path, path),
        "chroot": lambda: call(161, path),
        "open_tree": lambda: call(428, -100, path, 0),
        "fsopen": lambda: call(430, ctypes.c_char_p(b"tmpfs"), 0),
        "mount_setattr": lambda: call(442, -100, path, 0, zeros, 32),
        "fsmount": lambda: call(432, 0, 0, 0),
        "fspick": lambda: call(433, -100, path, 0),
        "move_mount": lambda: call(429, 0, path, 0, path, 0),
        "bpf": lambda: call(321, 0, zeros, 0),
        "perf_event_open": lambda: call(298, zeros, 0, -1, -1, 0),
        "io_uring_setup": lambda: call(425, 1, zeros),
        "io_uring_enter": lambda: call(426, 0, 0, 0, 0, 0),
        "userfaultfd": lambda: call(323, 1),
        "keyctl": lambda: call(250, 0, 0),
        "add_key": lambda: call(248, zeros, zeros, zeros, 0, 0),
        "memfd_create": lambda: call(319, ctypes.c_char_p(b"x"), 0),
        "memfd_secret": lambda: call(447, 0),
        "personality": lambda: call(135, 0xFFFFFFFF),
        "modify_ldt": lambda: call(154, 0, zeros, 0),
        "set_thread_area": lambda: call(205, zeros),
        "seccomp": lambda: call(317, 2, 0, zeros),
        "landlock_create_ruleset": lambda: call(444, None, 0, 1),
        "prctl PR_SET_DUMPABLE": lambda: call(157, 4, 1),
        "prctl PR_SET_PTRACER": lambda: call(157, 0x59616D61, -1),
        "prctl PR_SET_SECCOMP": lambda: call(157, 22, 1),
        "prctl PR_SET_SYSCALL_USER_DISPATCH": lambda: call(157, 59, 0, 0, 0, 0),
        "prctl PR_SET_CHILD_SUBREAPER": lambda: call(157, 36, 1),
        "prctl PR_SET_PDEATHSIG 0": lambda: call(157, 1, 0),
        "arch_prctl ARCH_SET_GS": lambda: call(158, 0x1001, 0),
        "pkey_alloc": lambda: call(330, 0, 0),
        "pkey_mprotect": lambda: call(329, 0, 0, 0, 0),
        "vmsplice": lambda: call(278, 1, zeros, 0, 0),
        "splice": lambda: call(275, 0, None, 1, None, 0, 0),
        "shmget": lambda: call(29, 0, 4096, 0o1600),
        "msgget": lambda: call(68, 0, 0o1600),
        "semget": lambda: call(64, 0, 1, 0o1600),
        "mq_open": lambda: call(240, ctypes.c_char_p(b"klt"), 0, 0, 0),
        "timer_create": lambda: call(222, 0, None, zeros),
        "inotify_init1": lambda: call(294, 0),
        "fanotify_init": lambda: call(300, 0, 0),
        "name_to_handle_at": lambda: call(303, -100, path, zeros, zeros, 0),
        "open_by_handle_at": lambda: call(304, -100, zeros, 0),
        "quotactl": lambda: call(179, 0, None, 0, None),
        "swapon": lambda: call(167, path, 0),
        "reboot": lambda: call(169, 0, 0, 0, None),
        "init_module": lambda: call(175, zeros, 0, zeros),
        "kexec_load": lambda: call(246, 0, 0, None, 0),
        "iopl": lambda: call(172, 3),
        "syslog": lambda: call(103, 3, zeros, 16),
        "acct": lambda: call(163, None),
        "settimeofday": lambda: call(164, None, zeros),
        "sethostname": lambda: call(170, zeros, 1),
        "setsid": lambda: call(112),
        "setpgid": lambda: call(109, 0, 0),
        "setuid": lambda: call(105, 0),
        "setgroups": lambda: call(116, 0, None),
        "capset": lambda: call(126, zeros, zeros),
        "execve": lambda: call(59, path, None, None),
        "execveat of another descriptor": lambda: call(322, 1, ctypes.c_char_p(b""), None, None, 0x1000),
        # sockets
        "socket AF_INET": lambda: call(41, 2, 1, 0),
        "socket AF_INET6": lambda: call(41, 10, 2, 0),
        "socket AF_UNIX": lambda: call(41, 1, 1, 0),
        "socket AF_NETLINK": lambda: call(41, 16, 3, 0),
        "socket AF_PACKET": lambda: call(41, 17, 3, 0),
        "socket AF_VSOCK": lambda: call(41, 40, 1, 0),
        "socketpair AF_TIPC": lambda: call(53, 30, 1, 0, zeros),
        "connect": lambda: call(42, 1, zeros, 16),
        "bind": lambda: call(49, 1, zeros, 16),
        "listen": lambda: call(50, 1, 1),
        "setsockopt": lambda: call(54, 1, 1, 1, zeros, 4),
        # files behind Landlock's back
        "chmod": lambda: call(90, path, 0o777),
        "fchmodat": lambda: call(268, -100, path, 0o777),
        "chown": lambda: call(92, path, 0, 0),
        "utimensat": lambda: call(280, -100, path, None, 0),
        "setxattr": lambda: call(188, path, zeros, zeros, 0, 0),
        "truncate": lambda: call(76, path, 0),
        "fallocate": lambda: call(285, 1, 0, 0, 1),
        "link": lambda: call(86, path, path),
        "symlink": lambda: call(88, path, path),
        "mknod": lambda: call(133, path, 0o20666, 0x103),
        "creat": lambda: call(85, path, 0o666),
        "renameat2 leaving a device": lambda: call(316, -100, path, -100, path, 4),
        "openat2": lambda: call(437, -100, path, zeros, 24),
        "flock": lambda: call(73, 1, 8),
        "ioctl TIOCSTI": lambda: call(16, 1, 0x5412, zeros),
        "ioctl FIOSETOWN": lambda: call(16, 1, 0x8901, zeros),
        "x32 getpid": lambda: call(0x40000000 | 39),
    }
    return {name: action() for name, action in tries.items() if only is None or name in only}


def descriptors():
    """Numbers of open descriptors, asked for one by one: there is no /proc to list them."""
    return [n for n in range(4096) if LIBC.fcntl(n, 1) != -1]


def identity():
    return {
        "uid": os.getuid(),
        "gid": os.getgid(),
        "groups": os.getgroups(),
        "no_new_privs": LIBC.prctl(39, 0, 0, 0, 0),
        "pid": os.getpid(),
        "environment": sorted(os.environ),
    }


def handler(event, context):
    own = os.getcwd()
    return {
        # First: the calls below may leave some.
        "descriptors": descriptors(),
        "files": files(own, event.get("others", [])),
        "calls": calls(own),
        "identity": identity(),
    }


# Tries that change nothing outside of the process that makes them, whoever it is: the control makes
# these alone.
HARMLESS = [
    "kill the parent with signal 0",
    "tgkill itself with signal 0",
    "pidfd_open",
    "kcmp",
    "membarrier",
    "memfd_create",
    "personality",
    "landlock_create_ruleset",
    "prctl PR_SET_DUMPABLE",
    "prctl PR_SET_CHILD_SUBREAPER",
    "timer_create",
    "inotify_init1",
    "socket AF_INET",
    "socket AF_UNIX",
    "socket AF_NETLINK",
    "chmod",
    "fchmodat",
    "utimensat",
    "setpriority",
]


if __name__ == "__main__":
    # Outside, started in a throwaway copy of its own folder.
    here = os.getcwd()
    print(json.dumps({"files": files(here, []), "calls": calls(here, HARMLESS)}))
