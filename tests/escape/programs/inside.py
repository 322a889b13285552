"""A function that owns its process: what it does there is its own, and the lane, the spawner and the
neighbour must not notice. Most attacks are given as a result or as an end."""

import atexit
import builtins
import ctypes
import gc
import json
import os
import signal
import sys
import threading
import time

import kit

LIBC = ctypes.CDLL(None, use_errno=True)


def channel():
    return kit.Channel()


def forged(**how):
    """An answer of its own making, then nothing more of this worker."""
    mailbox = channel()
    sequence = mailbox.word(kit.REQUEST_SEQUENCE)
    body = how.pop("body", b'"forged"')
    ahead = how.pop("ahead", 0)
    mailbox.answer(sequence + ahead & 0xFFFFFFFF, body, **how)
    time.sleep(0.3)
    os._exit(9)


def scribble():
    """Two bodies that take turns while the lane copies one."""
    mailbox = channel()

    def forever():
        while True:
            mailbox.body(b'"aaaaaaaaaaaaaaaa"')
            mailbox.body(b'{"k":1,"k":2}     ')
            mailbox.long(kit.RESPONSE_LENGTH, 1 << 62)
            mailbox.long(kit.RESPONSE_LENGTH, 18)

    threading.Thread(target=forever, daemon=True).start()
    return "x" * 16


def header():
    """Every word of the header but those of the answer, overwritten: the lane has its own."""
    mailbox = channel()
    for offset in range(0, 64, 4):
        mailbox.word(offset, 0xFFFFFFFF)
    return "overwritten"


def wakes():
    mailbox = channel()
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        for offset in (kit.REQUEST_SEQUENCE, kit.RESPONSE_SEQUENCE):
            LIBC.syscall(202, ctypes.c_void_p(mailbox.at + offset), 1, 1 << 30, None, None, 0)
    return "woken"


def dying_words(call, *arguments):
    """The kernel writes into the channel when this thread ends."""
    mailbox = channel()
    address = mailbox.at + kit.RESPONSE_SEQUENCE
    if call == 273:
        # A robust list whose only lock is the word of the response, held by this thread.
        mailbox.word(kit.RESPONSE_SEQUENCE, LIBC.syscall(186))
        head = (ctypes.c_uint64 * 3)()
        entry = (ctypes.c_uint64 * 1)()
        head[0], entry[0] = ctypes.addressof(entry), ctypes.addressof(head)
        head[1] = (address - ctypes.addressof(entry)) & (1 << 64) - 1
        LIBC.syscall(273, head, ctypes.c_size_t(24))
    else:
        LIBC.syscall(218, ctypes.c_void_p(address))
    LIBC.syscall(60, 0)
    time.sleep(2)


def every_descriptor(action):
    for number in range(3, 256):
        try:
            action(number)
        except OSError:
            pass
    return "done"


def liveness_flood():
    def flood(number):
        for _ in range(2000):
            if LIBC.send(number, b"\x01\x05\x00\x00\x00", 5, 0x4040) == -1:
                return

    return every_descriptor(flood)


def all_descriptors():
    kept = []
    try:
        while True:
            kept.append(os.dup(0))
    except OSError:
        builtins.kept = kept
    return len(kept)


def unmap():
    LIBC.munmap(ctypes.c_void_p(0x1000), ctypes.c_size_t((1 << 47) - 0x2000))


def poison():
    """The next call of this worker finds other modules; no other function does."""
    json.dumps = json.loads = lambda *a, **k: "poisoned"
    for module in list(sys.modules.values()):
        if hasattr(module, "serve"):
            module.serve = None
    return "poisoned"


class Evil(Exception):
    def __str__(self):
        raise RecursionError("no words")

    __repr__ = __str__


class Endless(Exception):
    def __str__(self):
        return "\x1b[2J\r\nkeylane: run t: succeeded\x00\x9b" * 200_000


def named(name):
    raise type(name, (Exception,), {})("a lie")


class Key(str):
    def __hash__(self):
        return 0

    def __eq__(self, other):
        return False


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


def shout():
    text = "\x1b]0;owned\x07\x1b[2J\r[neighbour] all is well\nkeylane: run t: output\n\xe2\x80\xae"
    for stream in (1, 2):
        os.write(stream, text.encode("utf-8", "surrogateescape") + b"\xff\xfe\x00")
    return "shouted"


def leave(what):
    if what == "alarm":
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    elif what == "profiler":
        sys.setprofile(lambda *a: None)
        threading.setprofile(lambda *a: None)
    elif what == "atexit":
        atexit.register(time.sleep, 1000)
    elif what == "finalizer":
        class Sleepy:
            def __del__(self):
                time.sleep(0.01)

        builtins.cycle = [Sleepy() for _ in range(20)]
        gc.freeze()
    elif what == "blocked signals":
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
    elif what == "trace":
        sys.settrace(lambda *a: None)
    return what


def tell_all(messages):
    return sum(kit.tell(message) for message in messages)


def noise():
    state = 0x2545F491
    for length in range(1, 400):
        out = bytearray(b"\x01")
        for _ in range(length):
            state = state * 1103515245 + 12345 & 0x7FFFFFFF
            out.append(state >> 16 & 255)
        yield bytes(out)


ATTACKS = {
    # the channel
    "a length beyond the channel": lambda: forged(length=1 << 63),
    "a length of one more than fits": lambda: forged(length=channel().capacity + 1),
    "a length with a sign": lambda: forged(length=(1 << 64) - 1),
    "a kind that is none": lambda: forged(kind=255),
    "an answer of no bytes": lambda: forged(body=b""),
    "an answer to the next call": lambda: forged(ahead=1),
    "an answer to a call long ago": lambda: forged(ahead=-1),
    "an answer to the call in half a cycle": lambda: forged(ahead=1 << 31),
    "an answer that is no UTF-8": lambda: forged(body=b'"\xff\xfe"'),
    "an answer with a key twice": lambda: forged(body=b'{"a":1,"a":2}'),
    "an answer with a number beyond a double": lambda: forged(body=b"1e999"),
    "an answer with a lone surrogate": lambda: forged(body=b'"\\ud800"'),
    "an answer with two values": lambda: forged(body=b"1 2"),
    "an answer that opens and never closes": lambda: forged(body=b"[" * 500_000),
    "an error whose body is none": lambda: forged(kind=2, body=b"\xff" * 64),
    "an error by a name of the platform, forged": lambda: forged(
        kind=2, body=b'{"errorType":"States.Timeout","errorMessage":"late","trace":""}'
    ),
    "a body that changes while it is read": scribble,
    "a header that is overwritten": header,
    "a storm of wakes": wakes,
    "a robust list over the channel": lambda: dying_words(273),
    "a cleared thread id in the channel": lambda: dying_words(218),
    # descriptors
    "closing everything": lambda: every_descriptor(os.close),
    "standard output over every descriptor": lambda: every_descriptor(lambda n: os.dup2(1, n)),
    "a flood into the liveness socket": liveness_flood,
    "shutting every socket down": lambda: every_descriptor(lambda n: LIBC.shutdown(n, 2)),
    "all descriptors in use": all_descriptors,
    "closing its output": lambda: (os.close(1), os.close(2), "closed")[2],
    # the process
    "unmapping itself": unmap,
    "a stack that grows into everything": lambda: LIBC.syscall(9, 0, 1 << 30, 3, 0x122, -1, 0) and "mapped",
    "a handler for every signal": lambda: [signal.signal(n, lambda *a: None) for n in range(1, 32) if n not in (9, 19)] and "handled",
    "other modules for the next call": poison,
    "an alarm left behind": lambda: leave("alarm"),
    "a profiler left behind": lambda: leave("profiler"),
    "an endless exit handler": lambda: leave("atexit"),
    "finalizers that sleep": lambda: leave("finalizer"),
    "every signal blocked": lambda: leave("blocked signals"),
    "a tracer left behind": lambda: leave("trace"),
    # words
    "an error named as the platform's": lambda: named("States.Timeout"),
    "an error named with escapes": lambda: named("\x1b[2J\nkeylane: run t: ok"),
    "an error named by a megabyte": lambda: named("E" * (1 << 20)),
    "an error that has no words": lambda: (_ for _ in ()).throw(Evil()),
    "an error of megabytes": lambda: (_ for _ in ()).throw(Endless()),
    "an error that is no exception of Python's": lambda: (_ for _ in ()).throw(BaseException("\ud800")),
    "keys that are equal and are not": lambda: {Key("a"): 1, Key("a"): 2},
    "a result deeper than the stack": lambda: nested(100_000),
    "a number of many digits": lambda: 10**4000,
    "a number that is none": lambda: float("nan"),
    "a result that contains itself": lambda: (lambda x: (x.append(x), x)[1])([]),
    "words that paint the terminal": shout,
    # the wire
    "every variant that there is not": lambda: tell_all(bytes([1, n, 0, 0]) for n in range(256)),
    "every version that there is not": lambda: tell_all(bytes([n, 1]) for n in range(256) if n != 1),
    "loaded, a thousand times": lambda: tell_all(kit.loaded() for _ in range(1000)),
    "numbers longer than numbers are": lambda: tell_all(b"\x01\x03" + b"\xff" * n + b"\x01" for n in range(1, 40)),
    "the greeting of the last worker there can be": lambda: kit.tell(kit.hello((1 << 64) - 1)),
    "every beginning of a message": lambda: tell_all(kit.load_failed(b"x" * 40)[:n] for n in range(2, 100)),
    "noise": lambda: tell_all(noise()),
    "lengths that lie": lambda: tell_all(b"\x01\x02" + kit.varint(n) + b"abc" for n in (1 << 16, 1 << 32, (1 << 64) - 1)),
}


def handler(event, context):
    if event == "nothing":
        return event
    return ATTACKS[event["attack"]]()
