"""Boots the rig and runs one command in it: options in, exit status out.

The parts: `fetch` fills the cache, payload.py makes the disks of this one run,
machine.py is QEMU and its streams, guest/ is what runs inside.
"""

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

import machine  # noqa: E402  (the path above comes first)
import payload  # noqa: E402

# As timeout(1) and docker-run(1) have them; a command may return these too, so
# every failure of the rig also says `rig: error:` on stderr.
TIMED_OUT = 124
RIG_FAILED = 125


def options(arguments):
    """What the command line asks for; ends the program with 125 where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="tests/rig/run",
        description="Run COMMAND in an emulated machine with protection keys.",
        usage="%(prog)s [options] -- COMMAND...",
        epilog="stdin of COMMAND is empty. Its exit status is returned; 124 is a timeout, 125 a failure of the rig.",
    )
    parser.add_argument("--kernel", choices=("6.12", "6.1"), default="6.12", help="default: %(default)s")
    parser.add_argument("--no-pku", action="store_true", help="a CPU without protection keys")
    parser.add_argument("--no-landlock", action="store_true", help="a kernel with Landlock switched off")
    parser.add_argument("--no-userns", action="store_true", help="nobody may make user namespaces")
    parser.add_argument("--no-cgroup", action="store_true", help="no cgroup file system is mounted")
    parser.add_argument("--parallel", action="store_true",
                        help="a host thread for each processor: real races, but the kernel may oops (README)")
    parser.add_argument("--share", type=Path, metavar="DIR", help="a copy of DIR lies at /share; changes are lost")
    parser.add_argument("--with", type=Path, metavar="FILE", action="append", default=[], dest="along",
                        help="take FILE along; it keeps its path. Repeatable")
    parser.add_argument("--timeout", type=float, metavar="S", default=600.0,
                        help="seconds that COMMAND may take (default: %(default)g)")
    parser.add_argument("--user", choices=("root", "tester", "other", "nobody"), default="root",
                        help="who runs COMMAND (default: %(default)s; tester is uid 1000)")
    parser.exit_on_error = True
    parser.error = lambda message: fail(f"{message}\n{parser.format_usage().strip()}")
    if "--" not in arguments:
        if {"-h", "--help"} & set(arguments):
            parser.parse_args(["--help"])
        parser.error("no COMMAND: put it behind --")
    border = arguments.index("--")
    chosen = parser.parse_args(arguments[:border])
    chosen.command = arguments[border + 1:]
    if not chosen.command:
        parser.error("no COMMAND behind --")
    return chosen


def fail(message):
    """Ends the program for a failure that is not the command's."""
    print(f"rig: error: {message}", file=sys.stderr, flush=True)
    sys.exit(RIG_FAILED)


def main():
    # An exception on SIGTERM, so that folders of this run go as they do on ^C.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    chosen = options(sys.argv[1:])
    fetched = subprocess.run([HERE / "fetch", chosen.kernel], stdout=subprocess.PIPE, text=True, check=False)
    if fetched.returncode != 0:
        fail("the kernel and the root could not be fetched; the lines above say why")
    kernel, root = map(Path, fetched.stdout.splitlines())
    qemu = subprocess.run([machine.QEMU, "--version"], stdout=subprocess.PIPE, text=True, check=True)
    print(f"rig: kernel {(kernel / 'version').read_text().strip()}, {qemu.stdout.splitlines()[0]}",
          file=sys.stderr, flush=True)
    try:
        with payload.disks(CHECKOUT, root, chosen) as (disks, settings):
            return machine.run(kernel, disks, settings, chosen)
    except payload.Unusable as problem:
        fail(str(problem))
    except machine.Hung as problem:
        print(f"rig: error: {problem}", file=sys.stderr, flush=True)
        return TIMED_OUT
    except machine.Died as problem:
        fail(str(problem))


try:
    sys.exit(main())
except BrokenPipeError:
    # Whoever read us has gone; that is how `run ... | head` ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(128 + signal.SIGPIPE)
except KeyboardInterrupt:
    sys.exit(128 + signal.SIGINT)
