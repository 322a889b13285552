"""Open-loop load: inputs at rising rates, whether or not the last was answered; latency against load."""

import random
import threading
import time

import peers
import svg
from common import Part, Project, Stream, figures, python_function, sequence

SHARES = [0.2, 0.4, 0.6, 0.8, 0.9, 1.0]
# Some tens of microseconds of work, as in the reference's smallest functions.
SOURCE = "def handler(event, context):\n    return sum(range(1000))\n"


def work(_event):
    return sum(range(1000))


class KeylaneServer:
    name = "Keylane, `run --stream`"

    def __init__(self, context):
        project = Project(context.folder, sequence(["f"]), {"f": python_function(SOURCE)})
        self.stream = Stream(project, "--lanes", "1")
        self.send, self.receive = lambda: self.stream.send({}), self.stream.receive

    def close(self):
        self.stream.close()


class SocketServer:
    name = "unix socket server, JSON"

    def __init__(self, _context):
        self.server = peers.UnixServer(work)
        connection = self.server.connection
        self.send, self.receive = lambda: peers.send(connection, b"{}"), lambda: peers.receive(connection)

    def close(self):
        self.server.close()


class PoolServer:
    name = "ProcessPoolExecutor, one worker"

    def __init__(self, _context):
        self.pool, self.waiting = peers.Pool(work), []
        self.arrived = threading.Semaphore(0)

    def send(self):
        self.waiting.append(self.pool.pool.submit(work, {}))
        self.arrived.release()

    def receive(self):
        self.arrived.acquire()
        return self.waiting.pop(0).result()

    def close(self):
        self.pool.close()


def capacity(server, seconds):
    """Calls a second, one after the other."""
    count, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < seconds:
        server.send()
        server.receive()
        count += 1
    return count / (time.perf_counter() - begun)


def latencies(server, rate, seconds, seed):
    """Seconds from when each input was due to its answer; inputs are due at random (Poisson)."""
    chance = random.Random(seed)
    due, at = [], 0.0
    while at < seconds:
        at += chance.expovariate(rate)
        due.append(at)
    took = []
    begun = time.perf_counter() + 0.05

    def read():
        for instant in due:
            server.receive()
            took.append(time.perf_counter() - begun - instant)

    reader = threading.Thread(target=read)
    reader.start()
    for instant in due:
        if (wait := begun + instant - time.perf_counter()) > 0:
            time.sleep(wait)
        server.send()
    reader.join()
    return took, len(due) / (time.perf_counter() - begun)


def measure(context):
    part = Part("Throughput and tail under load")
    seconds, tries = (2.0, 0.5) if context.quick else (8.0, 2.0)
    servers = [make(context) for make in (KeylaneServer, SocketServer, PoolServer)]
    try:
        for server in servers:
            capacity(server, 0.3)
        most = {server.name: capacity(server, tries) for server in servers}
        rates = [share * most[KeylaneServer.name] for share in SHARES]
        rows, middles, tails = [], {}, {}
        for number, (share, rate) in enumerate(zip(SHARES, rates)):
            for server in servers:
                took, answered = latencies(server, rate, seconds, number)
                took.sort()
                p50, p99 = (1000 * took[min(len(took) - 1, int(len(took) * q))] for q in (0.5, 0.99))
                rows.append([f"{share:.0%}", f"{rate:.0f}", server.name, f"{answered:.0f}", figures(p50),
                             figures(p99), len(took)])
                middles.setdefault(server.name, []).append((rate, p50))
                tails.setdefault(server.name, []).append((rate, p99))
    finally:
        for server in servers:
            server.close()
    part.table("Calls a second, one after the other.", ["way", "a second"],
               [[name, f"{value:.0f}"] for name, value in most.items()])
    part.table("Open loop: inputs are due at random instants at the given rate, which is a share of what Keylane"
               " answers one after the other; a latency counts from when the input was due, waiting included.",
               ["share", "due a second", "way", "answered a second", "p50 ms", "p99 ms", "samples"], rows)
    part.pictures["load.svg"] = ["Latency against load, open loop", svg.lines(
        "Latency against load", [("median", middles), ("p99", tails)], "inputs a second", "ms")]
    return part.end()
