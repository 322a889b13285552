"""Raw calls that no list of ours named: each gives the name of its error, or "works".

A sweep gives the numbers that the kernel got to see. Run outside as a program for the control.
"""

import ctypes
import errno
import os
import struct
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
ROOM = ctypes.create_string_buffer(4096)


def call(number, *arguments):
    ctypes.set_errno(0)
    plain = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    answer = LIBC.syscall(ctypes.c_long(number), *plain)
    return errno.errorcode.get(ctypes.get_errno(), "?") if answer == -1 else "works"


def seen(trials):
    """Of (name, call) those that were not refused by EPERM."""
    return sorted(name for name, action in trials if action() != "EPERM")


def prctls():
    # Those that change the process for good come last and are refused or harmless with zeros.
    return seen((n, lambda n=n: call(157, n, 0, 0, 0, 0)) for n in range(0, 80) if n not in (1, 4))


def arch_prctls():
    numbers = [*range(0x1000, 0x1040), *range(0x2001, 0x2008), *range(0x3001, 0x3008), *range(0x4001, 0x4006), *range(0x5001, 0x5006)]
    return seen((hex(n), lambda n=n: call(158, n, ROOM)) for n in numbers if n != 0x1002)


def fcntls():
    numbers = [*range(0, 64), *range(1020, 1050)]
    return seen((n, lambda n=n: call(72, 99, n, 0)) for n in numbers)


def ioctls():
    kinds = [0x54, 0x58, 0x66, 0x89, 0x12, 0x21, 0x94, 0xB7, 0xAA, 0xC0, 0x4D]
    numbers = [kind << 8 | low for kind in kinds for low in range(256)]
    numbers += [n | size for n in numbers for size in (0x40040000, 0x80080000, 0xC0100000)]
    return seen((hex(n), lambda n=n: call(16, 99, n, 0)) for n in numbers[: 11 * 256])


def madvises():
    page = ctypes.addressof(ROOM) & ~4095
    return seen((n, lambda n=n: call(28, page, 0, n)) for n in range(0, 128))


def clones():
    """Forks with one flag more each; a child ends at once."""
    found = []
    for bit in (7, 12, 13, 15, 17, 23, 25, 26, 27, 28, 29, 30, 31):
        ctypes.set_errno(0)
        child = LIBC.syscall(ctypes.c_long(56), ctypes.c_long(1 << bit | 17), 0, 0, 0, 0)
        if child == 0:
            os._exit(0)
        if child != -1 or ctypes.get_errno() != errno.EPERM:
            found.append(bit)
    return found


def newest():
    """Everything that a kernel may have beyond the newest row."""
    return seen((n, lambda n=n: call(n, 0, 0, 0, 0, 0, 0)) for n in range(440, 700))


def x32():
    return seen((n, lambda n=n: call(0x40000000 | n, 0, 0, 0)) for n in range(512, 548))


def negative():
    """Numbers that a filter with signed compares would take for small ones."""
    return seen((n, lambda n=n: call(n, 0, 0, 0)) for n in (-1, -59, -(1 << 31), 1 << 31, (1 << 32) - 1))


def high_half():
    """A call's number and an int argument with rubbish above bit 31."""
    return seen(
        [
            ("socket", lambda: call(41, 1 << 32 | 16, 3, 0)),
            ("ioctl", lambda: call(16, 1, 1 << 32 | 0x5412, ROOM)),
            ("prctl", lambda: call(157, 1 << 32 | 22, 2, ROOM)),
            ("number", lambda: call(1 << 32 | 101, 0, 0, 0, 0)),
            ("fcntl", lambda: call(72, 1, 1 << 32 | 8, os.getpid())),
        ]
    )


CALLS = {
    "remap_file_pages": lambda: call(216, 0, 0, 0, 0, 0),
    "move_pages of init": lambda: call(279, 1, 0, None, None, None, 0),
    "migrate_pages of init": lambda: call(256, 1, 0, None, None),
    "mbind": lambda: call(237, 0, 0, 0, None, 0, 0),
    "set_mempolicy": lambda: call(238, 0, None, 0),
    "process_mrelease": lambda: call(448, 3, 0),
    "pidfd_send_signal": lambda: call(424, 3, 0, None, 0),
    "rt_tgsigqueueinfo": lambda: call(297, os.getpid(), os.getpid(), 0, ROOM),
    "io_setup": lambda: call(206, 1, ROOM),
    "lsm_set_self_attr": lambda: call(460, 0, ROOM, 0, 0),
    "statmount": lambda: call(457, ROOM, ROOM, 64, 0),
    "listmount": lambda: call(458, ROOM, ROOM, 8, 0),
    "map_shadow_stack": lambda: call(453, 0, 4096, 0),
    "mseal": lambda: call(462, 0, 0, 0),
    "futex_waitv": lambda: call(449, ROOM, 0, 0, None, 0),
    "futex_requeue": lambda: call(456, ROOM, 0, 0, 0),
    "sched_setattr for deadline": lambda: call(314, 0, ctypes.create_string_buffer(struct.pack("<IIQiIQQQ", 48, 6, 0, 0, 0, 10**6, 10**7, 10**7)), 0),
    "splice its code into a pipe": lambda: call(275, 0, None, 1, None, 1, 0),
    "tee": lambda: call(276, 0, 1, 1, 0),
    "copy_file_range": lambda: call(326, 0, None, 1, None, 0, 0),
    "sendfile": lambda: call(40, 1, 0, None, 0),
    "mmap at address 0": lambda: call(9, 0, 4096, 3, 0x32, -1, 0) if os.getuid() else "EPERM",
    "sync_file_range": lambda: call(277, 0, 0, 0, 0),
    "readahead": lambda: call(187, 0, 0, 0),
    "process_vm_writev with no vector": lambda: call(311, 1, None, 0, None, 0, 0),
    "ustat": lambda: call(136, 0, ROOM),
    "getcpu of others by getaffinity": lambda: call(203, 1, 8, ROOM),
    "cachestat": lambda: call(451, 0, ROOM, ROOM, 0),
    "set_mempolicy_home_node": lambda: call(450, 0, 0, 0, 0),
    "quotactl_fd": lambda: call(443, 0, 0, 0, None),
    "uselib": lambda: call(134, b"/lib64/ld-linux-x86-64.so.2"),
    "vhangup": lambda: call(153),
    "sysfs": lambda: call(139, 3),
    "kexec_file_load": lambda: call(320, -1, -1, 0, None, 0),
    "restart_syscall with nothing to restart": lambda: "EPERM" if call(219) in ("EINTR", "EPERM") else "works",
}
SWEEPS = {
    "every prctl": prctls,
    "every arch_prctl": arch_prctls,
    "every fcntl": fcntls,
    "every ioctl of eleven kinds": ioctls,
    "every advice": madvises,
    "forks with flags": clones,
    "numbers beyond the newest row": newest,
    "x32's own numbers": x32,
    "numbers with a sign": negative,
    "high halves": high_half,
}


def handler(event, context):
    if event == "nothing":
        return event
    name = event["attack"]
    return CALLS[name]() if name in CALLS else SWEEPS[name]()


if __name__ == "__main__":
    import json

    print(json.dumps({name: handler({"attack": name}, None) for name in sys.argv[1:]}))
