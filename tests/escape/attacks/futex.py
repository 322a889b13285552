"""Makes the channel's request word a lock with priority inheritance that somebody waits for: waking
such a word is EINVAL (futex(2))."""

import ctypes
import os
import threading
import time

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.mmap.restype = ctypes.c_void_p
LIBC.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
LIBC.write.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]
FUTEX, GETTID, WAKE, LOCK_PI = 202, 186, 1, 6


def channel():
    """Where the channel is mapped: found by its magic, near a fresh mapping; write(2) tells what is
    mapped without a fault."""
    read, write = os.pipe()
    fresh = LIBC.mmap(None, 4096, 3, 0x22, -1, 0)
    for page in sorted(range(-100_000, 400_000), key=abs):
        at = fresh + page * 4096
        if LIBC.write(write, at, 4) == 4 and os.read(read, 4) == b"KLCH":
            return at
    raise LookupError("no channel")


def handler(event, context):
    if event != "spoil":
        return "fine"
    word = channel() + 64
    value = ctypes.c_uint32.from_address(word)
    value.value = LIBC.syscall(GETTID)
    lock = lambda: LIBC.syscall(FUTEX, ctypes.c_void_p(word), LOCK_PI, 0, None, None, 0)
    threading.Thread(target=lock, daemon=True).start()
    for _ in range(200):
        time.sleep(0.01)
        if LIBC.syscall(FUTEX, ctypes.c_void_p(word), WAKE, 1, None, None, 0) == -1:
            return "spoilt"
    return "not spoilt"
