"""What hostile code in a build tries; prints a line for each attempt, with what came of it."""

import os
import socket
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
attempt("linger", linger)
