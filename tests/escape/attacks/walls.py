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


def fill(_victim):
    file = os.memfd_create("x")
    os.write(file, b"more than nothing")


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


ATTACKS = {
    "read a file of the host": read,
    "see that a file of the host is there": lambda victim: os.stat(victim["secret"]) and None,
    "read the operator's descriptors": read_descriptors,
    "make memory without a size": lambda _: os.close(os.memfd_create("x")),
    "signal a process of the host": lambda victim: os.kill(victim["pid"], 0),
    "connect to the host": lambda victim: socket.create_connection(("127.0.0.1", victim["port"]), 5).close(),
    "open the host's shared memory": lambda victim: call("shmget", victim["key"], 1, 0),
    "become root by a program": become_root,
    "resize the channel": lambda _: CHANNEL.get("resize", "no channel"),
    "be believed from another session": cores,
    "map more than its memory": lambda _: mmap.mmap(-1, 600 << 20).close(),
    "fork more than its processes": fork_many,
    "open more than its descriptors": lambda _: [os.dup(0) for _ in range(100)] and None,
    "fill a file": fill,
    "lock memory": lock,
    "open a message queue": lambda _: call("mq_open", b"/keylane-tests", os.O_CREAT | os.O_RDWR, 0o600, None),
    "queue more signals than allowed": many_timers,
}


def handler(event, context):
    return attempt(lambda: ATTACKS[event["attack"]](event))
