"""One more function in a sequence: two less one, Keylane and its peers, and `keylane bench`."""

import json
import subprocess

import peers
import table
from common import (
    TIMES, Part, Project, Stream, figures, in_turns, keylane_program, middles, python_function, ratio, sequence,
    timed, times_row,
)

SIZES = [(64, "64 B"), (4096, "4 KB"), (65536, "64 KB")]
SOURCE = "def handler(event, context):\n    return event\n"


def payload(size):
    items = [{"id": 100000 + n, "price": 12.25} for n in range(max(0, size - 30) // 29)]
    event = {"items": items, "pad": ""}
    event["pad"] = "x" * max(0, size - len(json.dumps(event, separators=(",", ":"))))
    return event


def difference(two, one):
    """Seconds of the second function of each round, from the middles of its batches."""
    return [a - b for a, b in zip(middles(two), middles(one))]


def measure(context):
    part = Part("A hop: one more function in a sequence")
    rounds = 10 if context.quick else 40
    built_in(part, 20 if context.quick else 100)
    times = []
    projects = [
        Project(context.folder, sequence(names), {n: python_function(SOURCE) for n in names})
        for names in (["a"], ["a", "b"])
    ]
    for size, name in SIZES:
        event = payload(size)
        running = [peer(peers.noop) for peer in peers.ALL]
        with Stream(projects[0], "--lanes", "1") as one, Stream(projects[1], "--lanes", "1") as two:
            ways = {("Keylane", 1): lambda: one.inside(event), ("Keylane", 2): lambda: two.inside(event)}
            for peer in running:
                ways[peer.name, 1] = lambda peer=peer: timed(peer.call, event)
                ways[peer.name, 2] = lambda peer=peer: timed(lambda: peer.call(peer.call(event)))
            taken = in_turns(ways, rounds, batch=5)
        for peer in running:
            peer.close()
        hops = {
            way: difference(taken[way, 2], taken[way, 1]) for way, count in taken if count == 1
        }
        for way, hop in hops.items():
            ratios = table.ratios(hop, hops["Keylane"])
            times.append([name, way, table.ratio_text(ratios), *times_row(hop)])
            if size == 64 and way in (peers.ThreadPerCall.name, peers.ForkPerCall.name):
                value = table.median(hop) / table.median(hops["Keylane"])
                part.goal(f"hop, Python, 64 B, against: {way}", "10 times shorter, 20 the stretch",
                          f"{value:.2f} times", value >= 10)
    part.table("Against what a user would pick instead, Python, interleaved. A hop is the time of two calls"
               " in a sequence less that of one; ratios are to Keylane's hop of the same round.",
               ["payload", "way", "ratio to Keylane (range)", *TIMES], times)
    return part.end()


def built_in(part, rounds):
    """The floors, by `keylane bench`."""
    said = subprocess.run([keylane_program(), "bench", "hop", "--json", "--rounds", str(rounds)],
                          capture_output=True, text=True, check=True)
    document = json.loads(said.stdout)
    rows = [[r["case"], r["what"], f"{r['p50']:.2f}", f"{r['least']:.2f} to {r['greatest']:.2f}"]
            for r in document["ratios"]]
    part.table(f"`keylane bench hop --rounds {rounds}`: ratios to floors, each within a round.",
               ["case", "ratio", "median", "range"], rows)
    rows = [[r["case"], r["way"], figures(r["p50"] / 1e3), figures(r["p99"] / 1e3),
             f"{100 * r['spread']:.0f} %", r["samples"]] for r in document["times"]]
    part.table("The times behind them.", ["case", "way", "p50 us", "p99 us", "spread", "samples"], rows)
    for goal in document["goals"]:
        what = f"{goal['bench']}, {goal['case']}: {goal['what']}"
        form = (lambda n: f"{figures(n / 1e3)} us") if goal["unit"] == "ns" else ratio
        part.at_most(what, goal["aim"], goal["measured"], form)
    for missing in document["missing"]:
        part.remark(f"{missing['way']}: {missing['why']}")
