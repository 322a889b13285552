"""A body handed from one function to the next: 4 KB to 256 MB."""

import ctypes
import multiprocessing
import os
import subprocess
import time

import peers
import table
from common import (
    ROOT, TIMES, Part, Project, Stream, flat, in_turns, middles, sequence, times_row,
)

# Two functions in C: one makes a JSON text of the size that it is told, one takes it.
SOURCE = r"""
#include "keylane.h"
#include <stdio.h>

KEYLANE_FUNCTION_NAMED(make, context, event, length, response) {
    size_t size = strtoull(event, NULL, 10);
    char *text = (char *)malloc(size + 1);
    (void)context; (void)length;
    if (text == NULL || size < 2)
        return keylane_error(response, "NoRoom", "no memory, or no size");
    memset(text, 'x', size);
    text[0] = text[size - 1] = '"';
    return keylane_result_owned(response, text, size);
}

KEYLANE_FUNCTION_NAMED(take, context, event, length, response) {
    char text[32];
    (void)context; (void)event;
    return keylane_result(response, text, (size_t)snprintf(text, sizeof text, "%zu", length));
}
"""
SIZES = [4 << 10, 64 << 10, 1 << 20, 16 << 20, 256 << 20]
AIM = 2.0


def name_of(size):
    return f"{size >> 20} MB" if size >= 1 << 20 else f"{size >> 10} KB"


def compiled(folder):
    source, target = f"{folder}/transfer.c", f"{folder}/transfer.so"
    with open(source, "w") as file:
        file.write(SOURCE)
    include = ROOT / "shim/include"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-I", include, "-o", target, source], check=True)
    return open(target, "rb").read()


class Memcpy:
    """The floor: the bytes copied once, into memory that was touched before."""

    def __init__(self, size):
        self.source, self.target = ctypes.create_string_buffer(size), ctypes.create_string_buffer(size)
        self.size = size

    def __call__(self):
        begun = time.perf_counter()
        ctypes.memmove(self.target, self.source, self.size)
        return time.perf_counter() - begun


def swallow(pipe, answers, size):
    """A process that reads bodies from a pipe and acknowledges each."""
    body = bytearray(size)
    while True:
        view, got = memoryview(body), 0
        while got < size:
            part = os.readv(pipe, [view[got:]])
            if part == 0:
                return
            got += part
        os.write(answers, b"x")


class OsPipe:
    """A pipe to another process."""

    def __init__(self, size):
        there, self.here = os.pipe()
        self.answers, back = os.pipe()
        self.body, self.size = bytes(size), size
        self.child = peers.FORK.Process(target=self.child_side, args=(there, back), daemon=True)
        self.child.start()
        os.close(there)
        os.close(back)

    def child_side(self, there, back):
        os.close(self.here)
        swallow(there, back, self.size)

    def __call__(self):
        begun, left = time.perf_counter(), memoryview(self.body)
        while left:
            left = left[os.write(self.here, left):]
        os.read(self.answers, 1)
        return time.perf_counter() - begun

    def close(self):
        os.close(self.here)
        os.close(self.answers)
        self.child.join(10)


class Pickled:
    """multiprocessing.Pipe: pickled, as Pool and ProcessPoolExecutor send."""

    def __init__(self, size):
        self.here, there = multiprocessing.Pipe()
        self.body = {"body": "x" * size}
        self.child = peers.FORK.Process(target=self.child_side, args=(there,), daemon=True)
        self.child.start()
        there.close()

    def child_side(self, there):
        self.here.close()
        try:
            while True:
                there.send(len(there.recv()["body"]))
        except EOFError:
            pass

    def __call__(self):
        begun = time.perf_counter()
        self.here.send(self.body)
        self.here.recv()
        return time.perf_counter() - begun

    def close(self):
        self.here.close()
        self.child.join(10)


class Served:
    """A server of peers.py that answers with the length of a text."""

    def __init__(self, peer, size):
        self.peer, self.body = peer(len), "x" * size

    def __call__(self):
        begun = time.perf_counter()
        self.peer.call(self.body)
        return time.perf_counter() - begun

    def close(self):
        self.peer.close()


def measure(context):
    part = Part("Transfer: a body handed from one function to the next")
    lines = 'runtime = "native"\nhandler = "transfer.so:{}"\npayload = "512MiB"\nmemory = "4GiB"'
    files = {"transfer.so": compiled(context.folder)}
    functions = {name: (files, lines.format(name)) for name in ("make", "take")}
    project = Project(context.folder, sequence(["make", "take"]), functions)
    times = []
    for size in SIZES[:4] if context.quick else SIZES:
        large = size >= 16 << 20
        rounds = (3 if large else 8) if context.quick else (5 if large else 20)
        ways = {
            "memcpy (floor)": Memcpy(size), "pipe, raw bytes": OsPipe(size),
            "multiprocessing.Pipe, pickle": Pickled(size),
            "unix socket server, JSON": Served(peers.UnixServer, size),
            "HTTP server, JSON": Served(peers.HttpServer, size),
        }
        with Stream(project, "--lanes", "1") as stream:
            every = {"Keylane, two native calls": lambda: stream.inside(size), **ways}
            taken = in_turns(every, rounds, batch=1 if large else 5)
        for way in ways.values():
            if hasattr(way, "close"):
                way.close()
        floor = middles(taken["memcpy (floor)"])
        for name, found in taken.items():
            ratios = table.ratios(middles(found), floor)
            times.append([name_of(size), name, table.ratio_text(ratios), *times_row(flat(found))])
            if name.startswith("Keylane") and size >= 1 << 20:
                part.at_most(f"transfer of {name_of(size)}, against memcpy", AIM, table.median(ratios),
                             lambda value: f"{value:.2f}")
    part.table("Keylane's time is that of both calls, as the lane measures them: the first function makes the"
               " text, the second takes it, the lane checks that it is JSON. The peers send a body that is"
               " there already, and wait for a short answer.",
               ["size", "way", "ratio to memcpy (range)", *TIMES], times)
    return part.end()
