"""Turns an exception into the three texts that Keylane reports: class name, message, trace.

Every text is cut to a limit that Rust hands over (`limit.rs` is the one place for them) and can
be encoded as UTF-8. Frames of the shim are left out: they say nothing about the function.
"""

import errno
import traceback

# Source files of the shim are compiled under names that begin so.
SHIM = "<keylane>"
# Frames kept of one trace, the innermost; a deep recursion repeats itself anyway.
FRAMES = 100

# The function's own tree, with a slash; its files are named without it, as in the project.
tree = ""
name_bytes = 0
cause_bytes = 0


def cut(text, limit):
    """`text` with at most `limit` bytes of UTF-8 and a mark where something is missing."""
    data = text.encode("utf-8", "backslashreplace")
    if len(data) <= limit:
        return data.decode()
    return f"{data[:limit].decode('utf-8', 'ignore')}… [cut, {len(data)} bytes in all]"


def message_of(error):
    """What `error` says. Its `__str__` may be the function's own and may fail."""
    try:
        if isinstance(error, SystemExit):
            code = "" if error.code is None else repr(error.code)
            return f"the function called exit({code})"
        text = str(error)
        # CPython's own MemoryError says nothing.
        if not text and isinstance(error, MemoryError):
            return "the function ran out of memory"
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            # /tmp is all that there is to fill.
            return text + "; the function's /tmp is full: `tmp` in keylane.toml is its size"
        return text
    except BaseException as second:
        return f"(the exception's own text cannot be had: {type(second).__name__})"


def frames_of(error):
    """The frames of `error` as Python prints them, outermost first, without the shim's."""
    walk = [
        (frame, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if not frame.f_code.co_filename.startswith(SHIM)
    ]
    frames = traceback.StackSummary.extract(walk[-FRAMES:])
    for frame in frames:
        # The source line first: it is read from the file under its full name.
        frame.line
        frame.filename = frame.filename.removeprefix(tree)
    return frames.format()


def describe(error):
    """Class name, message and trace of `error`, each within its limit."""
    trace = []
    left = cause_bytes
    # The innermost frames matter most, so they are the last to be dropped.
    for frame in reversed(frames_of(error)):
        frame = cut(frame, left)
        trace.append(frame)
        left -= len(frame.encode())
        if left <= 0:
            break
    trace.reverse()
    return cut(type(error).__name__, name_bytes), cut(message_of(error), cause_bytes), trace
