"""Spellings, links and names: ways to a file that is not the function's."""

import errno
import os

SECRETS = ["etc/passwd", "proc/self/mem", "proc/1/environ", "sys/kernel", "root"]
PREFIXES = ["/", "//", "/./", "/../../", "/tmp/../", "/function/../", "/proc/self/root/", "/proc/thread-self/root/",
            "/proc/1/root/", "/dev/fd/../../../", "/proc/self/cwd/../", "/proc/self/fd/0/../../", "/usr/../", "/lib64/../../"]


def attempt(action):
    try:
        answer = action()
        return answer if isinstance(answer, str) else "works"
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error.errno))
    except ValueError:
        return "EINVAL"


def spellings():
    found = []
    for prefix in PREFIXES:
        for secret in SECRETS:
            for flags in (os.O_RDONLY, os.O_RDWR, os.O_RDONLY | os.O_NOFOLLOW, os.O_RDONLY | os.O_DIRECTORY):
                try:
                    os.close(os.open(prefix + secret, flags))
                    found.append(prefix + secret)
                except OSError:
                    pass
    return found


def by_directory():
    """Beneath descriptors of folders that it may open."""
    found = []
    for folder in ("/function", "/tmp", "/usr/lib/python3.11", "/lib64"):
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            continue
        for way in ("../etc/passwd", "../../etc/passwd", "../../../etc/passwd", "../proc/self/mem", "../../../../proc/1/maps"):
            try:
                os.close(os.open(way, os.O_RDONLY, dir_fd=descriptor))
                found.append((folder, way))
            except OSError:
                pass
    return found


def by_path_descriptor():
    """O_PATH opens without asking Landlock; what can be done with it?"""
    try:
        descriptor = os.open("/", 0o10000000 | os.O_DIRECTORY)
    except OSError as error:
        return errno.errorcode[error.errno]
    for action in (
        lambda: os.open("etc/passwd", os.O_RDONLY, dir_fd=descriptor),
        lambda: os.open("proc/self/mem", os.O_RDWR, dir_fd=descriptor),
        lambda: os.open(f"/proc/self/fd/{descriptor}/etc/passwd", os.O_RDONLY),
        lambda: os.listdir(descriptor),
    ):
        if attempt(action) == "works":
            return "works"
    return "EACCES"


def deep():
    """A tower of folders, deeper than a path can be, taken down again."""
    here, depth = os.getcwd(), 0
    try:
        os.chdir("/tmp")
        for _ in range(300):
            os.mkdir("d" * 100)
            os.chdir("d" * 100)
            depth += 1
    except OSError:
        pass
    for _ in range(depth):
        os.chdir("..")
        os.rmdir("d" * 100)
    os.chdir(here)
    return depth


def names():
    """Names that a careless program would obey when it shows or removes them."""
    made = []
    for name in (b"\n", b"\x1b[2J", b"-rf", b"*", b"$(id)", b"\xff\xfe", b" ", b"..\xe2\x80\xae", b"a" * 255, b"keylane-forged"):
        try:
            os.close(os.open(b"/tmp/" + name, os.O_CREAT | os.O_RDWR, 0o6777))
            made.append(name)
        except OSError:
            pass
    setuid = [os.stat(b"/tmp/" + name).st_mode & 0o6000 for name in made]
    for name in made:
        os.unlink(b"/tmp/" + name)
    return "works" if any(setuid) else "EPERM"


TMP = "/tmp/k"
TRIES = {
    "a symlink in tmp": lambda: os.symlink("/etc/passwd", TMP),
    "a hard link to its code": lambda: os.link(__file__, TMP),
    "a hard link between its own files": lambda: (open(TMP, "w").close(), os.link(TMP, TMP + "2"))[1],
    "its code moved to tmp": lambda: os.rename(__file__, TMP),
    "its code replaced from tmp": lambda: (open(TMP, "w").close(), os.replace(TMP, __file__))[1],
    "a file without a name, then a name": lambda: os.link(
        f"/proc/self/fd/{os.open('/tmp', 0o20200000 | os.O_RDWR, 0o600)}", TMP + "3", follow_symlinks=True
    ),
    "an executable in tmp": lambda: (open(TMP, "wb").write(b"#!/bin/sh\n"), os.chmod(TMP, 0o755))[1],
    "a program run from tmp": lambda: (open(TMP, "wb").write(b"#!/bin/sh\n"), os.execv(TMP, [TMP]))[1],
    "a fifo in tmp": lambda: os.mkfifo(TMP + "4"),
    "a device in tmp": lambda: os.mknod(TMP + "5", 0o20666, os.makedev(1, 1)),
    "a socket in tmp": lambda: os.mknod(TMP + "6", 0o140666),
    "its tree as a folder for files": lambda: os.mkdir("/function/x"),
    "the terminal's master": lambda: os.open("/dev/pts/ptmx", os.O_RDWR),
    "shared memory by path": lambda: os.open("/dev/shm/k", os.O_CREAT | os.O_RDWR),
    "message queues by path": lambda: os.open("/dev/mqueue/k", os.O_CREAT | os.O_RDWR),
    "writing its own program": lambda: os.write(os.open("/proc/self/exe", os.O_RDWR), b"x"),
    "the userfaultfd device": lambda: os.open("/dev/userfaultfd", os.O_RDWR),
    "kernel memory": lambda: os.open("/dev/kmem", os.O_RDWR),
    "writing /dev/zero": lambda: os.open("/dev/zero", os.O_RDWR),
    "seeding the host's random numbers": lambda: os.open("/dev/urandom", os.O_WRONLY),
    "a path of a million bytes": lambda: os.open("/tmp/" + "x/" * 500_000, os.O_RDONLY),
    "a folder of descriptors as the working one": lambda: os.fchdir(os.open("/", os.O_RDONLY | os.O_DIRECTORY)),
    "O_PATH of the root": by_path_descriptor,
    "set-user-id files with odd names": names,
}
SWEEPS = {"spellings of secrets": spellings, "secrets beneath folders": by_directory}


def handler(event, context):
    if event == "nothing":
        return event
    name = event["attack"]
    if name in SWEEPS:
        return SWEEPS[name]()
    if name == "a tower of folders":
        return deep()
    return attempt(TRIES[name])
