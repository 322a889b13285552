"""The ways in which the FINRA workflow is run for the comparison.

Each way has `run(event)`, which runs the workflow once and returns (seconds, output). The clock
covers the run alone: the output is decoded and compared after it has stopped.
"""

import json
import multiprocessing
import os
import resource
import selectors
import subprocess
import tempfile
import time

from loop import PROJECT
from loop import run as run_loop


class WayError(Exception):
    """A way could not run the workflow; the message is one sentence for a person."""


class Loop:
    """The handlers called one after the other in this process, objects handed on as they are."""

    name = "plain loop"

    def __init__(self, handlers):
        self.handlers = handlers

    def run(self, event):
        start = time.perf_counter()
        output = run_loop(self.handlers, event)
        return time.perf_counter() - start, output


class ProcessPerBranch:
    """One multiprocessing.Process with a Pipe for each branch, forked all at once.

    This is Faastlane's scheme, but for one thing: the pipes are read before the processes are
    joined, since a join comes too late for a result that is larger than a pipe's buffer.
    """

    name = "process per branch"

    def __init__(self, handlers):
        self.handlers = handlers
        self.fork = multiprocessing.get_context("fork")
        # Two descriptors for each branch: its pipe, and multiprocessing's own.
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    def branch(self, check, data, pipe):
        pipe.send(self.handlers[check["rule"]](data["slices"][check["slice"]], None))

    def run(self, event):
        start = time.perf_counter()
        data = self.handlers["marketdata"](event, None)
        branches = []
        try:
            for check in data["checks"]:
                here, there = self.fork.Pipe(duplex=False)
                process = self.fork.Process(target=self.branch, args=(check, data, there))
                process.start()
                there.close()
                branches.append((process, here))
            reports = [here.recv() for _, here in branches]
        except (OSError, EOFError) as error:
            raise WayError(f"failed with {len(branches)} processes started: {error!r}") from error
        finally:
            for process, here in branches:
                here.close()
                process.join()
                process.close()
        output = self.handlers["marginbalance"](
            {"reports": reports, "portfolio": data["portfolio"]}, None
        )
        return time.perf_counter() - start, output


def read_report(text, what):
    """The report in this text and the workflow's output in it."""
    try:
        report = json.loads(text)
        if report.get("status") != "succeeded":
            raise WayError(f"{what} reports {report.get('status')}: {report.get('error')}")
        output = report.get("output")
        return report, json.loads(output) if isinstance(output, str) else output
    except (ValueError, AttributeError) as error:
        raise WayError(f"{what} printed no report but {text[:200]!r}") from error


class KeylaneWarm:
    """A run in one `keylane run --stream` that stays up: one line in, one line out."""

    name = "keylane, warm"

    def __init__(self, keylane, patience):
        self.patience = patience
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [keylane, "run", str(PROJECT), "--stream"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            bufsize=0,
        )
        self.ready = selectors.DefaultSelector()
        self.ready.register(self.process.stdout, selectors.EVENT_READ)
        self.report = {}

    def run(self, event):
        line = json.dumps(event).encode() + b"\n"
        start = time.perf_counter()
        try:
            self.process.stdin.write(line)
        except BrokenPipeError:
            pass  # It has ended; reading says so below.
        answer = self.read_line(start + self.patience)
        seconds = time.perf_counter() - start
        self.report, output = read_report(answer, "keylane run --stream")
        return seconds, output

    def read_line(self, deadline):
        parts = []
        while not (parts and parts[-1].endswith(b"\n")):
            if not self.ready.select(deadline - time.perf_counter()):
                raise WayError(f"keylane gave no answer in {self.patience} s{self.last_words()}")
            part = os.read(self.process.stdout.fileno(), 1 << 20)
            if not part:
                raise WayError(f"keylane ended instead of answering{self.last_words()}")
            parts.append(part)
        return b"".join(parts)

    def last_words(self):
        self.errors.seek(0)
        words = self.errors.read()[-2000:].decode(errors="replace").strip()
        return f"; it said: {words}" if words else ""

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class KeylaneCold:
    """A whole `keylane run`, from exec to exit."""

    name = "keylane, cold"

    def __init__(self, keylane, patience):
        self.keylane = keylane
        self.patience = patience

    def run(self, event):
        command = [self.keylane, "run", str(PROJECT), "--input", json.dumps(event), "--json"]
        start = time.perf_counter()
        try:
            ended = subprocess.run(
                command, capture_output=True, timeout=self.patience, stdin=subprocess.DEVNULL
            )
        except subprocess.TimeoutExpired as error:
            raise WayError(f"keylane run had not ended after {self.patience} s") from error
        seconds = time.perf_counter() - start
        if ended.returncode != 0:
            words = ended.stderr[-2000:].decode(errors="replace").strip()
            raise WayError(f"keylane run exited with {ended.returncode}: {words}")
        return seconds, read_report(ended.stdout, "keylane run")[1]
