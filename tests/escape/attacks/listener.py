"""What a function may try with the listener that hears its denied calls. Prints or answers how each
try ended: "works", or the name of the error."""

import array
import ctypes
import errno
import fcntl
import json
import os
import socket

LIBC = ctypes.CDLL(None, use_errno=True)
SECCOMP, PIDFD_OPEN, PIDFD_GETFD = 317, 434, 438
# The ioctls of a listener (linux/seccomp.h): receive, answer, hand a descriptor in.
LISTENERS = {"receive": 0xC0502100, "answer": 0xC0182101, "hand a descriptor in": 0x40182103}


class Instruction(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint16), ("yes", ctypes.c_uint8), ("no", ctypes.c_uint8), ("k", ctypes.c_uint32)]


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(Instruction))]


def allow_all():
    return Program(1, (Instruction * 1)((0x06, 0, 0, 0x7FFF0000)))


def call(number, *arguments):
    ctypes.set_errno(0)
    got = LIBC.syscall(number, *arguments)
    if got == -1:
        return errno.errorcode[ctypes.get_errno()]
    return "works"


def attempt(action):
    try:
        action()
        return "works"
    except OSError as error:
        return errno.errorcode[error.errno]


def request(number):
    """A listener's request of every descriptor: the best that any of them answers. ENOTTY and
    EINVAL are the kernel's word about a descriptor that is none."""
    ends = {attempt(lambda: fcntl.ioctl(fd, number, bytearray(80))) for fd in range(64)}
    return "works" if ends & {"works", "ENOTTY", "EINVAL", "ENOENT"} else ",".join(sorted(ends - {"EBADF"}))


def pass_descriptors(left, _right):
    left.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0]))])


def to_spawner(_left, _right):
    # As the jail sends it: on descriptor 3, with MSG_NOSIGNAL.
    link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, fileno=os.dup(CONTROL))
    link.sendmsg([b"\x01\x00"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0]))], 0x4000)


def tries():
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return {
        "pass a descriptor over a pair": attempt(lambda: pass_descriptors(left, right)),
        "send the spawner a descriptor": attempt(lambda: to_spawner(left, right)),
        **{f"{what} as a listener": request(number) for what, number in LISTENERS.items()},
        "open a process": call(PIDFD_OPEN, os.getpid(), 0),
        "take a descriptor of a process": call(PIDFD_GETFD, os.open("/dev/null", os.O_RDONLY), 0, 0),
        # The last two change what comes after them.
        "install a filter": call(SECCOMP, 1, 0, ctypes.byref(allow_all())),
        "install a filter with a listener": call(SECCOMP, 1, 8, ctypes.byref(allow_all())),
    }


try:
    CONTROL = os.dup(3)
except OSError:
    CONTROL = None


def handler(event, context):
    # Said as the jail says it, without a descriptor, which sendto cannot carry.
    link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, fileno=os.dup(CONTROL))
    for _ in range(8):
        link.send(b"\x01\x00", socket.MSG_DONTWAIT)
    return tries()


if __name__ == "__main__":
    # Outside the end of a pair stands for the spawner's socket.
    LIBC.prctl(38, 1, 0, 0, 0)
    own, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    CONTROL = own.fileno()
    print(json.dumps(tries()))
