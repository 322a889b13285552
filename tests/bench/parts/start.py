"""From nothing to an answer: a whole `keylane run`, bare interpreters, and other sandboxes."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import table
from common import (
    PYTHON, ROOT, TIMES, Part, Project, flat, in_turns, keylane_program, middles, python_function,
    sequence, times_row,
)

PROGRAM = 'import json; print(json.dumps(json.loads(\'{"n": 1}\')))'
SOURCE = "import json\n\n\ndef handler(event, context):\n    return event\n"


def command(arguments, **more):
    """A way that runs a command and checks that it answered."""

    def way():
        begun = time.perf_counter()
        ended = subprocess.run(arguments, capture_output=True, stdin=subprocess.DEVNULL, **more)
        seconds = time.perf_counter() - begun
        if ended.returncode != 0:
            raise RuntimeError(f"{arguments[0]}: {ended.stderr[-300:]!r}")
        return seconds

    return way


def bubblewrap():
    return command([
        "bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/usr", "/usr",
        "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--proc", "/proc",
        "--dev", "/dev", "--tmpfs", "/tmp", PYTHON, "-I", "-c", PROGRAM,
    ])


def oci(runtime, folder):
    """A bundle as `RUNTIME spec` makes it, with the host's /usr read-only and no terminal."""
    bundle = Path(folder) / runtime
    root = bundle / "rootfs"
    for name in ("usr", "proc", "dev", "sys", "tmp"):
        (root / name).mkdir(parents=True)
    (root / "lib").symlink_to("usr/lib")
    (root / "lib64").symlink_to("usr/lib64")
    subprocess.run([runtime, "spec"], cwd=bundle, check=True)
    spec = json.loads((bundle / "config.json").read_text())
    spec["process"].update(args=[PYTHON, "-I", "-c", PROGRAM], terminal=False)
    spec["mounts"] = [m for m in spec["mounts"] if m["type"] != "cgroup"] + [
        {"destination": "/usr", "type": "bind", "source": "/usr", "options": ["rbind", "ro"]}]
    (bundle / "config.json").write_text(json.dumps(spec))
    numbers = iter(range(1 << 30))
    return lambda: command([runtime, "run", "--bundle", str(bundle), f"bench-{os.getpid()}-{next(numbers)}"])()


# As its users do: a program that keeps running and starts sandboxes.
SANDLOCK = """
import json, sys, time
from sandlock import Sandbox
command = json.loads(sys.argv[1])
for _ in sys.stdin:
    begun = time.perf_counter()
    sandbox = Sandbox(fs_readable=["/usr", "/lib", "/lib64", "/etc", "/dev/urandom", "/dev/null"])
    result = sandbox.run(command, timeout=20)
    print(time.perf_counter() - begun if result.success else f"failed {result}", flush=True)
"""


def sandlock_python():
    """The interpreter of the folder in which tests/bench/setup installs sandlock."""
    own = ROOT / "target/bench/sandlock/bin/python"
    return str(own) if own.is_file() else None


class Sandlock:
    """A sandbox started by a program that has imported sandlock."""

    def __init__(self):
        command = json.dumps([PYTHON, "-I", "-c", PROGRAM])
        self.process = subprocess.Popen([sandlock_python(), "-c", SANDLOCK, command], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        try:
            return float(answer)
        except ValueError:
            raise RuntimeError(f"sandlock: {answer.strip()}") from None

    def close(self):
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()


def measure(context):
    part = Part("Starting: from nothing to an answer")
    rounds = 5 if context.quick else 20
    project = Project(context.folder, sequence(["f"]), {"f": python_function(SOURCE)})
    run = [keylane_program(), "run", str(project.path), "-q", "--input", '{"n": 1}']
    ways = {
        "`keylane run`, one function": command(run),
        "`keylane run`, one lane": command([*run, "--lanes", "1"]),
        "python3.11 -I -S, empty (floor)": command([PYTHON, "-I", "-S", "-c", "pass"]),
        "python3.11 -I, one answer": command([PYTHON, "-I", "-c", PROGRAM]),
    }
    peers = {
        "bubblewrap": (shutil.which("bwrap"), bubblewrap),
        "runc": (shutil.which("runc"), lambda: oci("runc", context.folder)),
        "crun": (shutil.which("crun"), lambda: oci("crun", context.folder)),
        "sandlock, from a program that runs": (sandlock_python(), Sandlock),
    }
    absent = []
    for name, (there, make) in peers.items():
        if not there:
            absent.append([name, "not installed"])
            continue
        try:
            way = make()
            way()
        except (RuntimeError, subprocess.CalledProcessError, OSError) as error:
            absent.append([name, f"does not run here: {str(error)[:120]}"])
        else:
            ways[f"{name}, python3.11 -I, one answer"] = way
    taken = in_turns(ways, rounds)
    for way in ways.values():
        if isinstance(way, Sandlock):
            way.close()
    floor = middles(taken["python3.11 -I, one answer"])
    rows = [[name, table.ratio_text(table.ratios(middles(found), floor)), *times_row(flat(found))]
            for name, found in taken.items()]
    rows += [[name, why, "", "", "", 0] for name, why in absent]
    part.table("From exec to exit, interleaved. Ratios are to a plain interpreter that reads an event and"
               " writes it again.", ["way", "ratio (range)", *TIMES], rows)
    part.remark("isolation `mpk`: needs PKU hardware, and is not built")
    part.remark("wasmtime: not measured; it runs no CPython, and is a peer of native functions alone")
    return part.end()
