"""What each wall costs, at the start and for each call: the control build with one left out in turn."""

import os
import subprocess
import time
from pathlib import Path

import table
from common import (
    ROOT, Part, Project, Stream, figures, in_turns, middles, python_function, sequence,
)

CONTROL = Path(os.environ.get("KEYLANE_CONTROL_BIN") or ROOT / "target/control/keylane")
# As tests/control/edits.py calls them; several with commas are left out together.
WALLS = [
    "landlock", "filter", "no_new_privs", "own root", "pid namespace", "net namespace",
    "ipc namespace", "seals",
]
ALL = ",".join(["landlock", "filter", "own root", "pid namespace", "net namespace", "ipc namespace"])
SOURCE = "def handler(event, context):\n    open('/etc/ld.so.cache').close()\n    return event\n"


def measure(context):
    part = Part("What the walls cost")
    if not CONTROL.is_file():
        part.remark("not measured: there is no control build; tests/control/build makes it")
        return part.end()
    rounds = 4 if context.quick else 20
    project = Project(context.folder, sequence(["f"]), {"f": python_function(SOURCE)})
    named = {"all walls stand": "", **{wall: wall for wall in WALLS}, "these six together": ALL}
    starts, calls, streams, absent = {}, {}, {}, []
    try:
        for name, left_out in named.items():
            environment = {"KEYLANE_CONTROL": left_out}
            try:
                stream = Stream(project, "--lanes", "1", program=str(CONTROL), environment=environment)
                streams[name] = stream
                stream.run({"n": 1})
            except (RuntimeError, OSError) as error:
                streams.pop(name).close()
                absent.append((name, str(error)))
                continue
            starts[name] = lambda e=environment: start(project, e)
            calls[name] = lambda s=stream: call(s)
        call_times = in_turns(calls, rounds, batch=20)
    finally:
        for stream in streams.values():
            stream.close()
    start_times = in_turns(starts, rounds)
    whole = "all walls stand"
    rows = []
    for name in starts:
        row = [name]
        for found in (start_times, call_times):
            here, there = middles(found[name]), middles(found[whole])
            less = [1 - value for value in table.ratios(here, there)]
            row += [figures(1000 * table.median(here)), "" if name == whole else f"{100 * table.median(less):+.1f} %"]
        rows.append(row)
    part.table("Left out, one in turn; a difference is how much less the whole then takes, in its own round."
               " A negative one is noise.",
               ["left out", "start ms", "less", "warm call ms", "less"], rows)
    for name, why in absent:
        part.remark(f"{name}: does not run when it is left out: {why[:200]}")
    part.remark("isolation `mpk`: needs PKU hardware, and is not built")
    return part.end()


def start(project, environment):
    begun = time.perf_counter()
    subprocess.run([CONTROL, "run", project.path, "-q", "--lanes", "1", "--input", "{}"], check=True,
                   capture_output=True, env={**os.environ, **environment})
    return time.perf_counter() - begun


def call(stream):
    """Seconds of the one call, from request to response."""
    return stream.run({"n": 1})[0]["functions"][0]["total_ns"] / 1e9
