"""One attack for each wall of the jail. Each tells "works" or what stopped it; which other walls are
gone while it is tried, the test says (controls.rs)."""

import ctypes
import errno
import mmap
import os
import socket
import time

LIBC = ctypes.CDLL(None, use_errno=True)
F_GET_SEALS = 1034
CHANNEL = {}
SESSION = []
# The socket to the spawner, as the zygote has it while it imports.
ZYGOTE = os.dup(3)


def in_new_worker():
    """Runs in each worker before the launcher's own code for it: the channel is still open there."""
    for descriptor in range(3, 32):
        try:
            size = os.fstat(descriptor).st_size
            if LIBC.fcntl(descriptor, F_GET_SEALS) != -1:
                CHANNEL["resize"] = attempt(lambda: os.ftruncate(descriptor, size + mmap.PAGESIZE))
        except OSError:
            pass


def before_a_worker():
    """Runs in the zygote before it forks one: its workers are then born outside of its session."""
    SESSION.append(attempt(lambda: os.setsid() and None))


os.register_at_fork(before=before_a_worker, after_in_child=in_new_worker)


def attempt(action):
    try:
        answer = action()
        return "works" if answer is None else answer
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error.errno))


def call(name, *arguments):
    """A C library function, as "works" or the name of its error."""
    ctypes.set_errno(0)
    failed = getattr(LIBC, name)(*arguments) == -1
    return errno.errorcode[ctypes.get_errno()] if failed else "works"


# Before the zygote tries to leave it.
BORN_IN = attempt(lambda: os.getsid(0))


def read(victim):
    open(victim["secret"]).read()


def read_descriptors(victim):
    for descriptor in range(3, 128):
        try:
            if victim["words"].encode() in os.pread(descriptor, 4096, 0):
                return None
        except OSError:
            pass
    return "nothing found"


def execute(program, *arguments):
    """What a program prints."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.dup2(writing, 1)
            os.execv(program, [program, *arguments])
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading) as said:
        words = said.read()
    os.waitpid(child, 0)
    return words


def become_root(victim):
    words = execute(victim["setuid id"], "-u")
    return None if words == "0\n" else f"user {words!r}"


def fork_many(_victim):
    reading, writing = os.pipe()
    try:
        for _ in range(60):
            if os.fork() == 0:
                os.close(writing)
                os.read(reading, 1)
                os._exit(0)
    finally:
        os.close(writing)
        os.close(reading)


def leave_behind(_victim):
    """A process outside of its session, which is nobody's child; its number as the host has it."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(writing, str(os.getpid()).encode())
            for descriptor in range(64):
                try:
                    os.close(descriptor)
                except OSError:
                    pass
            time.sleep(60)
        os._exit(0)
    return int(os.read(reading, 16))


def fill(_victim):
    # Where a control group counts it, a function may make one as large as its memory.
    os.ftruncate(os.memfd_create("x"), 1 << 30)


def lock(_victim):
    page = mmap.mmap(-1, mmap.PAGESIZE)
    return call("mlock", ctypes.c_void_p(ctypes.addressof(ctypes.c_char.from_buffer(page))), 1)


def many_timers(_victim):
    timer = ctypes.c_long()
    for _ in range(100):
        ended = call("timer_create", 1, None, ctypes.byref(timer))
        if ended != "works":
            return ended


def cores(_victim):
    """Whether the spawner believed this process, which is in a session of its own: what it believes
    in, it binds to the lane's processor."""
    if SESSION[0] != "works":
        return SESSION[0]
    end = time.monotonic() + 3
    while time.monotonic() < end:
        if len(os.sched_getaffinity(0)) == 1:
            return None
        time.sleep(0.01)
    return "not believed"


def make_a_file(_victim):
    path = f"/tmp/keylane-tests-{os.getpid()}-{time.monotonic_ns()}"
    file = os.open(path, os.O_CREAT | os.O_EXCL, 0o666)
    os.unlink(path)
    return None if os.fstat(file).st_mode & 0o077 else "private"


def look_at_init(_victim):
    """What lies where in the process above the zygote, which runs no byte of a tenant."""
    zygote = open(f"/proc/{os.getppid()}/stat").read()
    init = zygote.rpartition(")")[2].split()[1]
    return None if open(f"/proc/{init}/maps").read() else "nothing there"


class Instruction(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint16), ("yes", ctypes.c_uint8), ("no", ctypes.c_uint8), ("k", ctypes.c_uint32)]


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(Instruction))]


def call_by_name(victim):
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect("\0" + victim["name"])


def install_a_filter(_victim):
    """One that allows everything, as the jail installs its last one: without any flag."""
    lines = (Instruction * 1)((0x06, 0, 0, 0x7FFF0000))
    return call("syscall", 317, 1, ctypes.c_long(0), ctypes.byref(Program(1, lines)))


def be_listened_to(_victim):
    """Has the spawner answer the calls that a filter of this process's own tells."""
    getpgrp, tell, allow = 111, 0x7FC00000, 0x7FFF0000
    # Load the call's number; tell if it is getpgrp.
    lines = (Instruction * 4)((0x20, 0, 0, 0), (0x15, 0, 1, getpgrp), (0x06, 0, 0, tell), (0x06, 0, 0, allow))
    listener = LIBC.syscall(317, 1, 8, ctypes.byref(Program(4, lines)))
    if listener == -1:
        return errno.errorcode[ctypes.get_errno()]
    # FromZygote::Listener, as the jail says it.
    spawner = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, fileno=ZYGOTE)
    rights = listener.to_bytes(4, "little")
    spawner.sendmsg([b"\x01\x00"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
    spawner.detach()
    os.close(listener)
    # ENOSYS where nobody listens any more.
    return None if call("syscall", getpgrp) == "EPERM" else "nobody listens"


ATTACKS = {
    "read a file of the host": read,
    "see that a file of the host is there": lambda victim: os.stat(victim["secret"]) and None,
    "read the operator's descriptors": read_descriptors,
    "watch files": lambda _: call("inotify_init1", 0),
    "use a capability of root": lambda _: call("chroot", b"/"),
    "make a file that others may read": make_a_file,
    "look into the memory of its init": look_at_init,
    "be in the operator's session": lambda victim: None if BORN_IN == victim["session"] else "another one",
    "have the spawner answer for it": be_listened_to,
    "signal a process of the host": lambda victim: os.kill(victim["pid"], 0),
    "connect to the host": lambda victim: socket.create_connection(("127.0.0.1", victim["port"]), 5).close(),
    "connect to a socket's name on the host": call_by_name,
    "install a filter": install_a_filter,
    "open the host's shared memory": lambda victim: call("shmget", victim["key"], 1, 0),
    "become root by a program": become_root,
    "resize the channel": lambda _: CHANNEL.get("resize", "no channel"),
    "be believed from another session": cores,
    "map more than its memory": lambda _: mmap.mmap(-1, 600 << 20).close(),
    "fork more than its processes": fork_many,
    "open more than its descriptors": lambda _: [os.dup(0) for _ in range(100)] and None,
    "fill a file": fill,
    "leave a process behind": leave_behind,
    "lock memory": lock,
    "open a message queue": lambda _: call("mq_open", b"/keylane-tests", os.O_CREAT | os.O_RDWR, 0o600, None),
    "queue more signals than allowed": many_timers,
}


def handler(event, context):
    return attempt(lambda: ATTACKS[event["attack"]](event))
