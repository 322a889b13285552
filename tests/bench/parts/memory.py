"""Memory of many instances, whether a thousand warm calls leave it flat, processor time of a call."""

import processes
from common import Part, Project, Stream, python_function, sequence

SOURCE = "import json\n\n\ndef handler(event, context):\n    return event\n"


def measure(context):
    part = Part("Memory, and processor time of a call")
    many(part, context, 20 if context.quick else 100)
    flat(part, context)
    return part.end()


def many(part, context, count):
    """So many functions, each with its zygote and one worker, on one lane."""
    rows = []
    for functions in (1, count):
        names = [f"f{n}" for n in range(functions)]
        project = Project(context.folder, sequence(names), {n: python_function(SOURCE) for n in names})
        with Stream(project, "--lanes", "1") as stream:
            stream.run({"n": 1})
            sums = processes.memory(processes.family(stream.process.pid))
        rows.append((functions, sums))
    (_, one), (_, all_) = rows
    each = {kind: (all_[kind] - one[kind]) / (count - 1) for kind in all_}
    part.table(f"smaps_rollup of every process of a deployment, summed, in MiB; an instance here is a function with"
               f" its init, zygote and one worker that has answered. Per 100: from the difference between {count}"
               " functions and one.",
               ["functions", "private", "shared (counted in each process)", "Pss"],
               [[n, *(f"{s[k] / 1024:.1f}" for k in ("private", "shared", "pss"))] for n, s in rows]
               + [["100 more", *(f"{100 * each[k] / 1024:.0f}" for k in ("private", "shared", "pss"))]])


def flat(part, context):
    """A function that is called again and again; also what its calls take of the processors."""
    calls = 1000
    project = Project(context.folder, sequence(["f"]), {"f": python_function(SOURCE)})
    rows = []
    with Stream(project, "--lanes", "1") as stream:
        for _ in range(200):
            stream.run({"n": 1})
        pids = processes.family(stream.process.pid)
        before, used = processes.memory(pids), processes.processor_seconds(pids)
        for _ in range(calls):
            stream.run({"n": 1})
        after = processes.memory(processes.family(stream.process.pid))
        spent = processes.processor_seconds(pids) - used
        rows.append([calls, f"{before['private']}", f"{after['private']}", f"{after['private'] - before['private']}",
                     f"{1e6 * spent / calls:.0f}"])
    part.table("All processes of one deployment, after 200 warm calls and after so many more, one execution each."
               " Processor time is that of front, spawner, lane and worker together, in ticks of 10 ms summed over all calls.",
               ["calls", "private KiB before", "after", "grown by", "processor us a call"], rows)
    grown = after["private"] - before["private"]
    part.goal(f"private memory after {calls} more warm calls", "grown by at most 256 KiB", f"{grown} KiB", grown <= 256)
