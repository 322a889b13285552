"""Makes system calls with given arguments, each in a child of its own, and tells how each ended:
"works", the name of an error, or "ended" where the call ended or hung its process."""

import ctypes
import errno
import os
import signal

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long
CLONE = 56
# A call that hangs was not refused. Long enough for a slow machine to get from here to the call.
HANGS = 10


def signed(value):
    return ctypes.c_long(value - (1 << 64) if value >> 63 else value)


def one(number, arguments):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(HANGS)
        call = [signed(number)] + [signed(value) for value in arguments]
        ctypes.set_errno(0)
        answer = LIBC.syscall(*call)
        if answer == 0 and number == CLONE:
            os._exit(0)
        failed = -4095 <= answer < 0
        name = errno.errorcode.get(ctypes.get_errno(), "?") if failed else "works"
        os.write(writing, name.encode())
        os._exit(0)
    os.close(writing)
    told = os.read(reading, 64).decode()
    os.close(reading)
    os.waitpid(child, 0)
    return told or "ended"


def handler(event, context):
    return [one(number, arguments) for number, arguments in event]


if __name__ == "__main__":
    import json
    import sys

    print(json.dumps(handler(json.load(sys.stdin), None)))
