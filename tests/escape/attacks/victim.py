"""What the attacks on the jail's walls are after, on the host: a process, a port, a socket's name, shared
memory.
Prints where they are and stays until its standard input ends."""

import ctypes
import json
import os
import socket
import sys

IPC_CREAT, IPC_RMID = 0o1000, 0
LIBC = ctypes.CDLL(None, use_errno=True)
key = 0x4B4C0000 | os.getpid() & 0xFFFF
memory = LIBC.shmget(key, 4096, IPC_CREAT | 0o666)
assert memory != -1, ctypes.get_errno()
try:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as named:
        name = f"keylane-tests-{os.getpid()}"
        named.bind("\0" + name)
        named.listen(64)
        print(json.dumps({"pid": os.getpid(), "port": server.getsockname()[1], "key": key, "session": os.getsid(0),
                          "name": name}), flush=True)
        sys.stdin.read()
finally:
    LIBC.shmctl(memory, IPC_RMID, None)
