"""Sends to a socket of the host through one end of a pair: a datagram socket takes an address with
each message, connected or not."""

import array
import errno
import socket
import sys


def attempt(action):
    try:
        action()
        return "sent"
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error.errno))


def by(kind, path):
    one, _other = socket.socketpair(socket.AF_UNIX, kind)
    one.sendmsg([b"from the jail"], [], 0, path)


def rights():
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    one.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [other.fileno()]))])


def handler(event, context):
    return {
        "send a datagram to a path": attempt(lambda: by(socket.SOCK_DGRAM, event)),
        "send one by the type's other name": attempt(lambda: by(socket.SOCK_RAW, event)),
        "put descriptors in flight": attempt(rights),
    }


if __name__ == "__main__":
    print(handler(sys.argv[1], None))
