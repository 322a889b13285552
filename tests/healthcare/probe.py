"""Stands in for the third party's analytics and searches all that it was sent and can read: its event,
its files, its memory.

The memory is found without /proc, which no function can open: mmap(2) with MAP_FIXED_NOREPLACE says
EEXIST where something is mapped, and write(2) into a pipe copies what can be read, or says EFAULT.

All bytes are searched in disguise (XOR 90), and the list of what to search for, which is disguised as
well, is read only after the memory was: so the search does not find itself.

Event: a list, which is searched; or {"earlier": anything}, which is only received.
"""

import ctypes
import json
import mmap
import os

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.mmap.restype = ctypes.c_void_p
LIBC.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
LIBC.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
LIBC.write.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]
# MAP_PRIVATE, MAP_ANONYMOUS, MAP_NORESERVE, MAP_FIXED_NOREPLACE.
FREE = 0x02 | 0x20 | 0x4000 | 0x100000
EEXIST = 17
FAILED = ctypes.c_void_p(-1).value
PAGE, LEAF, CHUNK = 4096, 1 << 16, 1 << 40
# Where addresses of processes end on x86_64 with four levels of tables, and where mmap may begin.
END, BEGIN = (1 << 47) - PAGE, 1 << 16
# More than an instance of Python holds; beyond it the copy fails, and with it the search.
ROOM = 1 << 28
ZEROS = bytes(PAGE)
DISGUISE = bytes(byte ^ 90 for byte in range(256))
# Places beside its own tree where a record might lie.
PLACES = ["/tmp", "/dev/shm", "/proc/self", "/proc/1", "/var/tmp", "/run", "..", "../.."]


def mapped(low, size):
    """The pieces of at most LEAF bytes in which something is mapped, upwards."""
    if low >= END:
        return
    size = min(size, END - low)
    at = LIBC.mmap(low, size, 0, FREE, -1, 0)
    if at == low:
        LIBC.munmap(at, size)
        return
    if at != FAILED or ctypes.get_errno() != EEXIST:
        raise OSError(ctypes.get_errno(), f"cannot ask for {size} bytes at {low:#x}")
    if size <= LEAF:
        yield low, size
    else:
        half = 1 << ((size - 1).bit_length() - 1)
        yield from mapped(low, half)
        yield from mapped(low + half, size - half)


def memory():
    """All that can be read of this process's memory, in disguise, without pages of zeros."""
    reading, writing = os.pipe()
    # What is copied goes to a place of its own, which is left out: elsewhere the copy would grow the
    # memory that is being copied, for ever.
    store = mmap.mmap(-1, ROOM)
    own = ctypes.addressof(ctypes.c_char.from_buffer(store))
    pieces = [piece for low in range(BEGIN, END, CHUNK) for piece in mapped(low, CHUNK)]
    length = 0
    for start, size in pieces:
        for at in range(start, start + size, PAGE):
            if not own <= at < own + ROOM and LIBC.write(writing, at, PAGE) == PAGE:
                page = os.read(reading, PAGE)
                if page != ZEROS:
                    store[length : length + PAGE] = page.translate(DISGUISE)
                    length += PAGE
    return store[:length]


def files():
    """All that can be read of its own tree and of PLACES, in disguise; and how many could be opened."""
    found, opened = [], 0
    for place in [".", *PLACES]:
        for folder, _, names in os.walk(place):
            for name in names:
                try:
                    with open(os.path.join(folder, name), "rb") as file:
                        found.append(file.read(1 << 26).translate(DISGUISE))
                        opened += 1
                except OSError:
                    continue
    return b"\n".join(found), opened


def handler(event, context):
    if isinstance(event, dict):
        return None
    held = memory()
    own, opened = files()
    places = {"event": json.dumps(event, ensure_ascii=False).encode().translate(DISGUISE), "memory": held, "files": own}
    with open("forms.json") as file:
        forms = {name: bytes.fromhex(form) for name, form in json.load(file).items()}
    # What must be there, or the search is blind: a word of this call's event, and one of the code.
    control = {"event": b"three weeks", "memory": b"for three weeks. BP", "files": b"MAP_FIXED_NOREPLACE"}
    return {
        "sees": {place: word.translate(DISGUISE) in places[place] for place, word in control.items()},
        "bytes": {place: len(content) for place, content in places.items()},
        "opened": opened,
        "forms": len(forms),
        "found": [[place, name] for place, content in places.items() for name, form in forms.items() if form in content],
    }
