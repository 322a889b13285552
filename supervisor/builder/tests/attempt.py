"""What hostile code in a build tries; prints a line for each attempt, with what came of it."""

import ctypes
import os
import socket
import struct
import sys

secret, outside, open_port, other_port, marker = sys.argv[1:]


def attempt(name, action):
    try:
        print(name, "worked", action(), flush=True)
    except Exception as error:
        print(name, "failed", type(error).__name__, error, flush=True)


def read(path):
    with open(path) as file:
        return file.read(6)


def write(path):
    with open(path, "w") as file:
        return file.write("x")


def connect(port):
    socket.create_connection(("127.0.0.1", int(port)), timeout=10).close()


def execute():
    return os.waitstatus_to_exitcode(os.spawnv(os.P_WAIT, "/usr/bin/true", ["true"]) << 8) and 1 / 0


def execute_own():
    # A program of its own making: only a compiler starts what it has made.
    with open("/usr/bin/python3.11", "rb") as program:
        with open("own-program", "wb") as copy:
            copy.write(program.read())
    os.chmod("own-program", 0o755)
    status = os.spawnv(os.P_WAIT, "own-program", ["own-program", "-I", "-S", "-c", "pass"])
    return 1 / 0 if status else status


def linger():
    if os.fork() == 0:
        os.close(1), os.close(2)
        import time

        time.sleep(300)
        os._exit(0)


def mode():
    write("own")
    os.chmod("own", 0o4777)
    return oct(os.stat("own").st_mode & 0o7777)


def fast_open(send):
    """Connects by sending, past connect(2): MSG_FASTOPEN of send(2)."""
    with socket.socket() as sock:
        send(sock, ("127.0.0.1", int(other_port)), 0x20000000)
        sock.getpeername()


def send_many(sock, address, flags):
    """sendmmsg(2) of one message of one byte."""
    libc = ctypes.CDLL(None, use_errno=True)
    host = struct.pack("=H", socket.AF_INET) + struct.pack("!H4s8x", address[1], socket.inet_aton(address[0]))
    name, byte = ctypes.create_string_buffer(host), ctypes.create_string_buffer(b"x")
    vector = (ctypes.c_uint64 * 2)(ctypes.addressof(byte), 1)
    message = (ctypes.c_uint64 * 8)(ctypes.addressof(name), 16, ctypes.addressof(vector), 1)
    if libc.sendmmsg(sock.fileno(), message, 1, flags) != 1:
        raise OSError(ctypes.get_errno(), "sendmmsg")


def privileged(give):
    """A program that makes whoever starts it its owner."""
    descriptor = os.open("privileged", os.O_CREAT | os.O_RDWR, 0o700)
    give(descriptor)
    return oct(os.stat("privileged").st_mode & 0o7777)


def born_privileged(_descriptor):
    os.unlink("privileged")
    os.open("privileged", os.O_CREAT | os.O_RDWR, 0o4755)


attempt("environment", lambda: sorted(os.environ))
attempt("own-folder", lambda: write("file"))
attempt("secret", lambda: read(secret))
attempt("outside", lambda: write(outside))
attempt("temporary", lambda: write(f"/tmp/{marker}-temporary"))
attempt("open-port", lambda: connect(open_port))
attempt("other-port", lambda: connect(other_port))
attempt("unix-socket", lambda: socket.socket(socket.AF_UNIX))
attempt("listen", lambda: socket.create_server(("127.0.0.1", 0)))
attempt("execute", execute)
attempt("execute-own", execute_own)
attempt("mode", mode)
attempt("fast-open", lambda: fast_open(lambda sock, to, flags: sock.sendto(b"x", flags, to)))
attempt("fast-open-many", lambda: fast_open(send_many))
attempt("permissions", lambda: privileged(lambda fd: os.chmod("privileged", 0o711)))
attempt("set-user", lambda: privileged(lambda fd: os.chmod("privileged", 0o4755)))
attempt("set-user-open", lambda: privileged(lambda fd: os.fchmod(fd, 0o4755)))
attempt("set-user-at", lambda: privileged(lambda fd: os.chmod("privileged", 0o4755, dir_fd=os.open(".", 0))))
attempt("set-group", lambda: privileged(lambda fd: os.chmod("privileged", 0o2755)))
attempt("set-user-born", lambda: privileged(born_privileged))
attempt("linger", linger)
