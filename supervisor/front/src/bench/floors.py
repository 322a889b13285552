"""The least that Python costs, measured in a plain interpreter: a line in, a line of nanoseconds out.

    json COUNT TEXT     parse the text and write it again
    fork COUNT TEXT     fork, parse and write in the child, read its answer, reap it
"""

import json
import os
import sys
import time

import datetime, decimal, re  # noqa: E401, F401  (what the function of the measurement imports)


def parse_and_write(text):
    return json.dumps(json.loads(text), separators=(",", ":")).encode()


def in_a_fork(text):
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(there, parse_and_write(text))
        os._exit(0)
    os.close(there)
    answer = os.read(here, 1 << 20)
    os.close(here)
    return answer, child


for line in sys.stdin:
    what, count, text = line.rstrip("\n").split(" ", 2)
    took = []
    for _ in range(int(count)):
        child = 0
        begun = time.perf_counter_ns()
        if what == "json":
            answer = parse_and_write(text)
        else:
            answer, child = in_a_fork(text)
        took.append(time.perf_counter_ns() - begun)
        if child:
            os.waitpid(child, 0)
        if not answer:
            sys.exit("no answer")
    print(*took, flush=True)
