"""Starts a command and stays until the last process that descends from it is gone.

    keeper.py STATUS-FILE COMMAND...

As a subreaper (prctl(2)) it inherits every orphan of the command, so that nothing that the command
started can leave its family, however it ends. It writes "running PID" to the file once the
command runs, and "exit N" or "signal N" when it has ended.
"""

import ctypes
import os
import subprocess
import sys

PR_SET_CHILD_SUBREAPER = 36


def tell(text):
    with open(sys.argv[1] + ".new", "w") as file:
        file.write(text)
    os.rename(sys.argv[1] + ".new", sys.argv[1])


if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
    sys.exit("keeper: no subreaper")
child = subprocess.Popen(sys.argv[2:])
os.close(1)
os.close(2)
tell(f"running {child.pid}")
while True:
    try:
        pid, status = os.wait()
    except ChildProcessError:
        break
    if pid == child.pid:
        code = os.waitstatus_to_exitcode(status)
        tell(f"exit {code}" if code >= 0 else f"signal {-code}")
