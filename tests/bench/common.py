"""What the parts of `tests/bench/all` share: rounds, Keylane as a program, results, conditions."""

import json
import os
import platform
import resource
import subprocess
import tempfile
import time
from pathlib import Path

import table

ROOT = Path(__file__).resolve().parents[2]
CORES = len(os.sched_getaffinity(0))
PYTHON = "/usr/bin/python3.11"


def keylane_program():
    """The program that is measured: KEYLANE_BIN, else the release build of this checkout."""
    return os.environ.get("KEYLANE_BIN") or str(ROOT / "target/release/keylane")


class Part:
    """What one part found: tables, goals, pictures, remarks; `all` keeps it as JSON."""

    def __init__(self, title):
        self.title, self.tables, self.goals, self.pictures, self.remarks = title, [], [], {}, []
        self.blocks = []
        self.conditions = []
        self.load_before = os.getloadavg()[0]

    def table(self, caption, head, rows):
        self.tables.append([caption, [str(h) for h in head], [[str(c) for c in r] for r in rows]])

    def goal(self, what, aim, measured, met):
        """Texts, and whether it was met: True, False, or None where there is nothing to judge."""
        self.goals.append([what, aim, measured, met])

    def at_most(self, what, aim, value, form):
        """A goal that is an upper bound; `form` writes a value."""
        met = None if value is None else value <= aim
        shown = "not measured" if value is None else form(value)
        self.goal(what, f"at most {form(aim)}", shown, met)

    def block(self, text):
        """Markdown that is there already."""
        self.blocks.append(text)

    def remark(self, text):
        self.remarks.append(text)

    def end(self):
        version = subprocess.run([keylane_program(), "--version"], capture_output=True, text=True)
        self.conditions = [
            f"{CORES} cores, Linux {platform.release()}, Python {platform.python_version()}",
            version.stdout.strip(),
            f"load {self.load_before:.2f} before, {os.getloadavg()[0]:.2f} after",
        ]
        return {k: v for k, v in vars(self).items() if k != "load_before"}


def figures(value):
    """Three figures, without an exponent where a person would write none."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def milliseconds(value):
    return f"{figures(value)} ms"


def ratio(value):
    return f"{value:.2f}"


def times_row(seconds):
    """Median, tail and spread in milliseconds, and how many there are."""
    values = [1000 * s for s in seconds]
    return [
        figures(table.median(values)),
        figures(table.worst(values)),
        f"{100 * table.spread(values):.0f} %",
        len(values),
    ]


TIMES = ["median ms", "p99 or max ms", "spread", "samples"]


def in_turns(ways, rounds, batch=1):
    """{name: [[seconds of a batch] of each round]}; `ways` is {name: function giving seconds}.

    Round -1 warms up. Each round begins with another way.
    """
    taken = {name: [] for name in ways}
    names = list(ways)
    for number in range(-1, rounds):
        turn = (number + 1) % len(names)
        for name in names[turn:] + names[:turn]:
            seconds = [ways[name]() for _ in range(batch)]
            if number >= 0:
                taken[name].append(seconds)
    return taken


def flat(rounds):
    return [seconds for batch in rounds for seconds in batch]


def middles(rounds):
    return [table.median(batch) for batch in rounds]


def timed(call, *arguments):
    begun = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - begun


def more_descriptors():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Project:
    """A project in a folder of its own, below `folder`."""

    def __init__(self, folder, definition, functions):
        """`functions`: name -> (files {name: text or bytes}, lines of keylane.toml)."""
        self.path = Path(tempfile.mkdtemp(dir=folder, prefix="project-"))
        self.path.chmod(0o755)
        manifest = '[workflow]\nname = "bench"\ndefinition = "workflow.asl.json"\n'
        (self.path / "workflow.asl.json").write_text(json.dumps(definition))
        for name, (files, lines) in functions.items():
            (self.path / name).mkdir(mode=0o755)
            for file, content in files.items():
                content = content.encode() if isinstance(content, str) else content
                (self.path / name / file).write_bytes(content)
            manifest += f'[functions.{name}]\npath = "{name}"\n{lines}\n'
        (self.path / "keylane.toml").write_text(manifest)


def python_function(source, more=""):
    return {"code.py": source}, f'runtime = "python3.11"\nhandler = "code.handler"\n{more}'


def sequence(names):
    """A definition that calls these functions one after the other."""
    states = {}
    for at, name in enumerate(names):
        onward = {"Next": f"s{at + 1}"} if at + 1 < len(names) else {"End": True}
        states[f"s{at}"] = {"Type": "Task", "Resource": name, **onward}
    return {"StartAt": "s0", "States": states}


class Stream:
    """`keylane run --stream` of a project: an input in, a report out."""

    def __init__(self, project, *options, program=None, environment=None):
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [program or keylane_program(), "run", str(project.path), "--stream", "-q", *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
            env={**os.environ, **(environment or {})},
        )

    def send(self, value):
        self.process.stdin.write(json.dumps(value).encode() + b"\n")
        self.process.stdin.flush()

    def receive(self):
        line = self.process.stdout.readline()
        report = json.loads(line) if line else {}
        if report.get("status") != "succeeded":
            self.errors.seek(0)
            words = self.errors.read()[-500:].decode(errors="replace")
            why = report.get("failure") or report.get("error") or {}
            raise RuntimeError(f"keylane: {why.get('cause') or words}")
        return report

    def run(self, value):
        """The report, and the seconds from the line's begin to the report's end."""
        line = json.dumps(value).encode() + b"\n"
        begun = time.perf_counter()
        self.process.stdin.write(line)
        self.process.stdin.flush()
        report = self.receive()
        return report, time.perf_counter() - begun

    def inside(self, value):
        """Seconds of the execution as its lane measured them."""
        return self.run(value)[0]["run_ns"] / 1e9

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.errors.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
