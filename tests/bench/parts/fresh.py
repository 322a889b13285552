"""A worker for each call: `keylane bench fresh`, tests/bench/fresh, and numpy where it is installed."""

import json
import os
import subprocess
import time

import table
from common import (
    PYTHON, ROOT, TIMES, Part, Project, Stream, figures, keylane_program, milliseconds, ratio,
    python_function, sequence, times_row,
)

NUMPY = "import numpy\nTABLE = numpy.arange(1000.0)\n\n\ndef handler(event, context):\n    return float(TABLE.sum())\n"
# What a plain interpreter does for the same answer: a fork that has numpy, and a pipe.
BARE = """
import json, os, sys, time
import numpy
TABLE = numpy.arange(1000.0)
for line in sys.stdin:
    took = []
    for _ in range(int(line)):
        begun = time.perf_counter()
        here, there = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(there, json.dumps(float(TABLE.sum())).encode())
            os._exit(0)
        os.close(there)
        json.loads(os.read(here, 100))
        os.close(here)
        took.append(time.perf_counter() - begun)
        os.waitpid(child, 0)
    print(json.dumps(took), flush=True)
"""


def measure(context):
    part = Part("Fresh state: a worker for each call")
    rounds = 10 if context.quick else 60
    said = subprocess.run([keylane_program(), "bench", "fresh", "--json", "--rounds", str(rounds)],
                          capture_output=True, text=True, check=True)
    document = json.loads(said.stdout)
    part.table(f"`keylane bench fresh --rounds {rounds}`, no numpy:", ["ratio", "median", "range"],
               [[r["what"], f"{r['p50']:.2f}", f"{r['least']:.2f} to {r['greatest']:.2f}"]
                for r in document["ratios"]])
    part.table("The times:", ["way", "p50 ms", "p99 ms", "spread", "samples"],
               [[r["way"], figures(r["p50"] / 1e6), figures(r["p99"] / 1e6), f"{100 * r['spread']:.0f} %",
                 r["samples"]] for r in document["times"]])
    calls = "20" if context.quick else "100"
    said = subprocess.run([ROOT / "tests/bench/fresh", "--calls", calls], capture_output=True,
                          text=True, check=True, env={**os.environ, "KEYLANE_BIN": keylane_program()})
    part.block(f"`tests/bench/fresh --calls {calls}`:\n\n" + said.stdout.split("\nload average")[0])
    with_numpy(part, context)
    return part.end()


def numpy_folder():
    """Where tests/bench/setup put numpy, if it did."""
    folder = ROOT / "target/bench/numpy"
    return folder if (folder / "numpy").is_dir() else None


def with_numpy(part, context):
    folder = numpy_folder()
    if folder is None:
        part.remark("1,000 fresh invocations with numpy: numpy is not installed (tests/bench/setup)")
        return
    calls = 100 if context.quick else 1000
    project = Project(context.folder, sequence(["f"]), {"f": python_function(NUMPY, 'reuse = "fresh"')})
    # Beside the code: a function's tree holds what it imports.
    for entry in folder.iterdir():
        if entry.suffix != ".dist-info" and entry.name != "bin":
            subprocess.run(["cp", "-r", entry, project.path / "f"], check=True)
    bare = subprocess.Popen([PYTHON, "-c", BARE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                            env={**os.environ, "PYTHONPATH": str(folder)})
    ours, floor = [], []
    with Stream(project, "--lanes", "1") as stream:
        stream.run({})
        for _ in range(calls // 10):
            ours += [stream.run({})[1] for _ in range(10)]
            bare.stdin.write("10\n")
            bare.stdin.flush()
            floor += json.loads(bare.stdout.readline())
            time.sleep(0.01)
    bare.stdin.close()
    bare.wait()
    part.table(f"{calls} fresh invocations of a function that has imported numpy, ten at a time in turns; Keylane's"
               " times are those of its client, JSON in and report out.", ["way", *TIMES],
               [["Keylane, `reuse = \"fresh\"`", *times_row(ours)], ["bare fork (floor)", *times_row(floor)]])
    milli = sorted(1000 * value for value in ours)
    part.at_most("fresh answer with numpy, p50", 1.5, table.median(milli), milliseconds)
    part.at_most("fresh answer with numpy, p99", 5.0, milli[len(milli) * 99 // 100], milliseconds)
    part.at_most(f"{calls} fresh with numpy, against bare forks", 1.25, sum(ours) / sum(floor), ratio)
