"""FINRA, by tests/bench/finra."""

import subprocess

from common import ROOT, Part, keylane_program, ratio

AIM = 1.5


def measure(context):
    part = Part("FINRA: against a plain loop, and against a process per branch")
    n, rounds = ("5,50,200", 5) if context.quick else ("5,50,200,1000", 15)
    command = [ROOT / "tests/bench/finra", "--n", n, "--rounds", str(rounds), "--cold-rounds", "3",
               "--keylane", keylane_program()]
    said = subprocess.run(command, capture_output=True, text=True)
    if said.returncode != 0:
        raise RuntimeError(said.stderr[-500:])
    text = said.stdout.partition("\n")[2].strip()
    # The conditions are told with those of every part.
    lines = text.splitlines()
    while lines and lines[-1].startswith("- "):
        lines.pop()
    part.block("\n".join(lines))
    for line in lines:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] == "200":
            part.at_most("FINRA, N = 200, against the better of loop and loop / cores", AIM,
                         float(cells[1].split()[0]), ratio)
            break
    return part.end()
