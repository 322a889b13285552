"""What /proc says of a process and of all that descend from it (proc(5)): memory, processor time."""

import os
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def family(pid):
    """The process and its descendants, as far as they are there."""
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
        children = [
            int(child) for task in tasks
            for child in Path(f"/proc/{pid}/task/{task}/children").read_text().split()
        ]
    except OSError:
        return []
    return [pid, *(other for child in children for other in family(child))]


def memory(pids):
    """Sums over processes in KiB: private, shared (mapped by several), and Pss, a share of each page."""
    sums = {"private": 0, "shared": 0, "pss": 0}
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
        except OSError:
            continue
        for name, kib in ((line.split()[0], int(line.split()[1])) for line in lines):
            if name in ("Private_Clean:", "Private_Dirty:"):
                sums["private"] += kib
            elif name in ("Shared_Clean:", "Shared_Dirty:"):
                sums["shared"] += kib
            elif name == "Pss:":
                sums["pss"] += kib
    return sums


def processor_seconds(pids):
    """User and system time of these processes and of their children that were waited for."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(field) for field in fields[11:15])
    return total / TICK
