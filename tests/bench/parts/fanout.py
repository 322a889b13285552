"""The sweep of fan-outs: branches of 10 us to 100 ms, 5 to 1000 of them, six ways to run them."""

import threading
import time
from concurrent.futures import ProcessPoolExecutor

import peers
import svg
import table
from common import CORES, Part, Project, Stream, figures, in_turns, middles, python_function

SOURCE = """
def handler(event, context):
    total = 0
    for number in range(event):
        total += number
    return total
"""
AIM = 1.10
SHARE = 0.9
LABELS = {1e-5: "10 us", 1e-4: "100 us", 1e-3: "1 ms", 1e-2: "10 ms", 1e-1: "100 ms"}


def branch(turns):
    """What a branch does, in every way the same: this many turns of a loop."""
    total = 0
    for number in range(turns):
        total += number
    return total


def turns_for(seconds):
    """How many turns take so long here; the quickest of several tries, which others disturbed least."""
    tries = []
    for _ in range(7):
        begun = time.perf_counter()
        branch(100_000)
        tries.append(time.perf_counter() - begun)
    return max(1, round(100_000 * seconds / min(tries)))


def loop(items):
    return [branch(item) for item in items]


def threads(items):
    answers = [0] * len(items)

    def run(at, item):
        answers[at] = branch(item)

    started = [threading.Thread(target=run, args=pair) for pair in enumerate(items)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    return answers


def reference(items):
    """A process with a pipe for each branch, all at once; read before they are joined."""

    def child(pipe, item):
        pipe.send(branch(item))

    started = []
    for item in items:
        here, there = peers.FORK.Pipe(duplex=False)
        process = peers.FORK.Process(target=child, args=(there, item))
        process.start()
        there.close()
        started.append((process, here))
    answers = [here.recv() for _, here in started]
    for process, here in started:
        process.join()
        process.close()
        here.close()
    return answers


def checked(call, items, expected):
    def way():
        begun = time.perf_counter()
        answers = call(items)
        seconds = time.perf_counter() - begun
        if answers != expected:
            raise RuntimeError("a wrong answer")
        return seconds

    return way


def grid(quick):
    """Points (seconds of a branch, how many), those left out that take a loop longer than `most`."""
    times = [1e-5, 1e-3, 1e-2] if quick else [1e-5, 1e-4, 1e-3, 1e-2, 1e-1]
    counts = [5, 50, 200] if quick else [5, 20, 100, 300, 1000]
    most = 0.6 if quick else 5.1
    points = [(seconds, count) for seconds in times for count in counts]
    return [p for p in points if p[0] * p[1] <= most], [p for p in points if p[0] * p[1] > most]


def measure(context):
    part = Part("Fan-out: the sweep")
    points, left_out = grid(context.quick)
    rounds = 3 if context.quick else 7
    definition = {"StartAt": "fan", "States": {"fan": {
        "Type": "Map", "End": True, "ItemProcessor": {"StartAt": "b", "States": {
            "b": {"Type": "Task", "Resource": "f", "End": True}}}}}}
    project = Project(context.folder, definition, {"f": python_function(SOURCE)})
    rows, misses, series = [], [], {}
    with ProcessPoolExecutor(CORES, mp_context=peers.FORK) as pool, Stream(project) as stream:
        list(pool.map(branch, [1] * 16))
        for seconds, count in points:
            items = [turns_for(seconds)] * count
            expected = loop(items)

            ways = {"loop": loop, "Keylane": lambda i: stream.run(i)[0]["output"], "ProcessPoolExecutor": lambda i: list(pool.map(branch, i)),
                    "threads": threads}
            if count <= 300:
                ways["process per branch (reference)"] = reference
            taken = in_turns({n: checked(w, items, expected) for n, w in ways.items()}, rounds)
            row = point(seconds, count, taken, misses)
            rows.append(row[0])
            for name, value in row[1].items():
                series.setdefault(LABELS[seconds], {}).setdefault(name, []).append((count, value))
    part.table("Median times in ms; the ratio is Keylane's to the better of the plain loop and the loop"
               f" divided by {CORES} cores (computed), within a round.",
               ["branch", "N", "ratio (range)", "Keylane", "loop", "loop / cores", "ProcessPoolExecutor",
                "threads", "process per branch (reference)"], rows)
    picture = svg.lines("Fan-out against the better floor", list(series.items()), "branches", "times the better floor", 1.0)
    part.pictures["fanout.svg"] = ["How long each way takes, in times of the better of loop and loop / cores", picture]
    met = len(points) - len(misses)
    part.goal("fan-out: points within 10 % of the better floor", f"{SHARE:.0%} of {len(points)}",
              f"{met} of {len(points)}", met >= SHARE * len(points))
    quicker = sum(float(row[3]) < float(row[6]) for row in rows)
    part.remark(f"Keylane is quicker than ProcessPoolExecutor at {quicker} of {len(rows)} points")
    if misses:
        part.remark("Missed by: " + "; ".join(misses))
    if left_out:
        names = ", ".join(f"{LABELS[s]} x {n}" for s, n in left_out)
        part.remark(f"Left out, because one loop takes too long: {names}")
    part.remark("The process per branch is not tried beyond 300 branches")
    return part.end()


def point(seconds, count, taken, misses):
    """The row of a point, and each way's ratio for the picture."""
    middle = {name: table.median(middles(found)) for name, found in taken.items()}
    floors = [min(s, s / min(CORES, count)) for s in middles(taken["loop"])]
    ratios = table.ratios(middles(taken["Keylane"]), floors)
    if table.median(ratios) > AIM:
        misses.append(f"{LABELS[seconds]} x {count}: {table.median(ratios):.2f}")
    floor = table.median(floors)

    def cell(name):
        return figures(1000 * middle[name]) if name in middle else "-"

    row = [LABELS[seconds], count, table.ratio_text(ratios), cell("Keylane"), cell("loop"), figures(1000 * floor),
           cell("ProcessPoolExecutor"), cell("threads"), cell("process per branch (reference)")]
    return row, {name: value / floor for name, value in middle.items()}
