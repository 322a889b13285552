"""The FINRA workflow as a plain loop: its handlers, loaded from the example and called in order.

This knows what the workflow file says (a Task, a Map with a Choice, a Task) by heart; it is the
thing that Keylane is compared with.
"""

import importlib.util
import os
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2] / "docs/examples/finra"
RULES = ("lastpx", "side", "trddate", "volume", "instrument")
FUNCTIONS = ("marketdata", *RULES, "marginbalance")


def load(name, edit=None):
    """The handler of one function; `edit` may change its source before it is run."""
    path = PROJECT / "functions" / name / f"{name}.py"
    source = path.read_text()
    if edit is not None:
        source = edit(source)
    spec = importlib.util.spec_from_loader(f"finra_{name}", loader=None, origin=str(path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    # A function finds its included files in its working directory; here they are the project's.
    before = os.getcwd()
    os.chdir(PROJECT)
    try:
        exec(compile(source, path, "exec"), module.__dict__)
    finally:
        os.chdir(before)
    return module.handler


def load_all():
    return {name: load(name) for name in FUNCTIONS}


def run(handlers, event):
    """One run of the workflow in this process; objects are handed on, not JSON."""
    data = handlers["marketdata"](event, None)
    reports = [
        handlers[check["rule"]](data["slices"][check["slice"]], None) for check in data["checks"]
    ]
    return handlers["marginbalance"]({"reports": reports, "portfolio": data["portfolio"]}, None)
