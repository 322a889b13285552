"""The disks of one run: what of this checkout, and of --share, goes into the guest.

In the guest the checkout's subset lies read-only at /keylane, under the paths it
has here, and the checkout's own path leads there as well, so that paths which
were compiled into test binaries stay true:

    bin/keylane     the built program (first in PATH)
    docs/ tests/    as they are here
    target/...      binaries that COMMAND or --with names
"""

import contextlib
import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDERS = ("docs", "tests")
LEFT_OUT = shutil.ignore_patterns("target", "__pycache__", "*.pyc")
USER_IDS = {"root": 0, "tester": 1000, "other": 1001, "nobody": 65534}


class Unusable(Exception):
    """What was asked for cannot be taken along."""


def cache_folder():
    """The same rule as in `fetch`."""
    if own := os.environ.get("KEYLANE_RIG_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "keylane" / "rig"


def target_folder(checkout):
    """Where cargo builds this checkout."""
    return Path(os.environ.get("CARGO_TARGET_DIR") or checkout / "target").absolute()


def built_keylane(checkout):
    """KEYLANE_BIN, or else the newer of the release and the debug build, or None."""
    if named := os.environ.get("KEYLANE_BIN"):
        if not os.access(named, os.X_OK) or not Path(named).is_file():
            raise Unusable(f"KEYLANE_BIN={named} is not a program")
        return Path(named).absolute()
    builds = [target_folder(checkout) / profile / "keylane" for profile in ("release", "debug")]
    return max((path for path in builds if path.is_file()), key=lambda path: path.stat().st_mtime, default=None)


def named_by_command(command, checkout):
    """The words of COMMAND that are files cargo built: they go along unasked."""
    target = target_folder(checkout)
    paths = [Path(word).absolute() for word in command]
    return [path for path in paths if path.is_relative_to(target) and path.is_file()]


def place(source, at):
    """Puts a file there, by a second link where that is possible."""
    at.parent.mkdir(parents=True, exist_ok=True)
    if at.exists():
        return
    try:
        os.link(source.resolve(), at)
    except OSError:
        shutil.copy2(source, at)


def fill(stage, checkout, chosen):
    """Fills the folder that becomes /keylane; returns links to make in the guest."""
    links = {}
    for name in FOLDERS:
        if (checkout / name).is_dir():
            shutil.copytree(checkout / name, stage / name, symlinks=True, ignore=LEFT_OUT)
    along = [*map(Path.absolute, chosen.along), *named_by_command(chosen.command, checkout)]
    if keylane := built_keylane(checkout):
        place(keylane, stage / "bin" / "keylane")
        # Under its own path too, which cargo compiles into the tests beside it.
        along.append(keylane)
    for path in along:
        if not path.is_file():
            raise Unusable(f"--with {path}: no such file")
        if path.is_relative_to(checkout):
            place(path, stage / path.relative_to(checkout))
        elif path not in links:
            inside = Path("along") / str(len(links)) / path.name
            place(path, stage / inside)
            links[path] = Path("/keylane") / inside
    return links


def settings_for(checkout, links, chosen):
    """What the guest is told: shell assignments (guest/init has the defaults)."""
    environment = {"KEYLANE_BIN": "/keylane/bin/keylane", "KEYLANE_RIG": chosen.kernel}
    # Where this machine has keys and a kernel that carries `mpk`, a test that
    # says it found none is wrong.
    if chosen.kernel == "6.12" and not chosen.no_pku:
        environment["KEYLANE_REQUIRE_MPK"] = "1"
    assignments = {
        "user": chosen.user,
        "cgroup": "no" if chosen.no_cgroup else "yes",
        "userns": "no" if chosen.no_userns else "yes",
        "share": "yes" if chosen.share else "no",
        "checkout": str(checkout),
        "links": "\n".join(f"{at}\t{to}" for at, to in links.items()),
        "environment": " ".join(f"{name}={shlex.quote(value)}" for name, value in environment.items()),
        "command": shlex.join(chosen.command),
    }
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in assignments.items())


def image(folder, at, owner):
    """An open ext4 image of a folder."""
    subprocess.run([HERE / "disk", folder, at, str(owner), "64"], check=True)
    return open(at, "rb")


@contextlib.contextmanager
def disks(checkout, root, chosen):
    """Yields the open disk images in the guest's order, and the settings.

    The images have no name any more when this yields: however the run ends,
    nothing of it stays.
    """
    if chosen.share and not chosen.share.is_dir():
        raise Unusable(f"--share {chosen.share}: no such folder")
    with contextlib.ExitStack() as opened:
        with tempfile.TemporaryDirectory(prefix="run.", dir=cache_folder()) as folder:
            stage = Path(folder) / "keylane"
            (stage / "bin").mkdir(parents=True)
            links = fill(stage, checkout, chosen)
            images = [opened.enter_context(open(root / "root.ext4", "rb"))]
            images.append(opened.enter_context(image(stage, Path(folder) / "keylane.ext4", 0)))
            if chosen.share:
                owner = USER_IDS[chosen.user]
                images.append(opened.enter_context(image(chosen.share, Path(folder) / "share.ext4", owner)))
        yield images, settings_for(checkout, links, chosen)
