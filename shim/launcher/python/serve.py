"""Answers calls: JSON in, the handler, JSON out.

Rust calls `start` once in the zygote, `worker` and `hear` once in each worker and `call` for each
request. `call` is written for speed: everything it needs is bound beforehand. The function's code
shares this interpreter and can change anything here; nothing outside the instance relies on it.
"""

import json
import os
import sys
import time
from json.encoder import c_make_encoder, encode_basestring

import _keylane_failure as failure
import _keylane_load as load

# `ResponseKind` in policy/src/abi/channel.rs.
RESULT = 1
ERROR = 2

# Ready beforehand, for a moment in which nothing can be allocated.
OUT_OF_MEMORY = (
    ERROR,
    b'{"errorType":"MemoryError","errorMessage":"the function ran out of memory","stackTrace":[]}',
)
UNDESCRIBABLE = (
    ERROR,
    b'{"errorType":"Runtime.Unknown","errorMessage":'
    b'"the function raised an exception that cannot be described","stackTrace":[]}',
)

# Bytes that an answer may have; `worker` learns it.
capacity = 1 << 30

# The word of the channel that tells of heartbeats; `hear` sets it.
beats = None

# What `start` leaves for Rust: the function that answers requests, or a failure's three texts.
call = None
loaded = None


class Context:
    """What a handler learns about its call. Only what is known in here is told."""

    __slots__ = ("_deadline", "_id")

    function_name = ""
    identity = None
    client_context = None

    def __init__(self, deadline):
        self._deadline = deadline
        self._id = None

    def heartbeat(self):
        """Tells the lane that this call still works, for a state with HeartbeatSeconds."""
        if beats is not None:
            beats[0] = (beats[0] + 1) & 0xFFFFFFFF

    @property
    def aws_request_id(self):
        """A number drawn for this call, in the form of a UUID. Nobody outside knows it."""
        if self._id is None:
            d = os.urandom(16).hex()
            self._id = f"{d[:8]}-{d[8:12]}-4{d[13:16]}-a{d[17:20]}-{d[20:]}"
        return self._id

    def get_remaining_time_in_millis(self):
        """Milliseconds until the lane gives this call up."""
        if not self._deadline:
            raise NotImplementedError("the deadline of this call is not told to the function")
        return max(0, (self._deadline - time.monotonic_ns()) // 1_000_000)


def refuse_constant(name):
    """JSON has no NaN and no infinities."""
    raise ValueError(f"{name} is not JSON")


decoder = json.JSONDecoder(parse_constant=refuse_constant)
scan = decoder.scan_once
decode = decoder.decode


def unserialisable(value):
    """What the encoder calls for a type that JSON does not have."""
    raise TypeError(f"a value of type {type(value).__name__} is not JSON")


# The encoder's memory of the containers that it is in. It is emptied by each success.
inside = {}
# Arguments: no indentation, the two separators, keys unsorted and none skipped, no NaN.
encode = c_make_encoder(
    inside, unserialisable, encode_basestring, None, ":", ",", False, False, False
)


def error_bytes(name, message, trace):
    """The error as JSON, cut until it fits the channel."""
    data = marshal({"errorType": name, "errorMessage": message, "stackTrace": trace})
    limit = failure.cause_bytes
    while len(data) > capacity:
        limit //= 2
        text = failure.cut(message, limit)
        data = marshal({"errorType": name, "errorMessage": text, "stackTrace": []})
    return data


def marshal(value):
    """`value` as JSON in UTF-8."""
    return "".join(encode(value, 0)).encode()


def raised(error, name=None, about=""):
    """The answer for `error`: under its own name, or under `name` with a sentence before it."""
    try:
        own, message, trace = failure.describe(error)
        return ERROR, error_bytes(name or own, about + message, trace)
    except BaseException as second:
        inside.clear()
        if isinstance(error, MemoryError) or isinstance(second, MemoryError):
            return OUT_OF_MEMORY
        return UNDESCRIBABLE


def flush():
    """Hands on what the function wrote. The streams may be closed or the function's own."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        pass


def make_call(handler, takes_context):
    """The function that answers one request."""

    def call(data, deadline):
        try:
            text = data.decode()
            try:
                event, end = scan(text, 0)
            except StopIteration:
                end = -1
            if end != len(text):
                # White space around the value, or an error that deserves a message.
                event = decode(text)
        except BaseException as error:
            return raised(error, "Runtime.UnmarshalError", "the request is not JSON: ")
        # A large request should not live three times while the handler runs.
        del text
        try:
            result = handler(event, Context(deadline)) if takes_context else handler(event)
        except BaseException as error:
            answer = raised(error)
        else:
            try:
                answer = RESULT, marshal(result)
            except MemoryError as error:
                inside.clear()
                answer = raised(error)
            except BaseException as error:
                inside.clear()
                answer = raised(
                    error, "Runtime.MarshalError", "the function's result cannot be sent: "
                )
        flush()
        return answer

    return call


def start(name, tree, handler, name_bytes, cause_bytes):
    """Loads the function. True with `call` ready; else False with `loaded` telling why not."""
    global call, loaded
    failure.name_bytes = name_bytes
    failure.tree = os.fsdecode(tree) + "/"
    failure.cause_bytes = cause_bytes
    Context.function_name = os.fsdecode(name)
    sys.argv = [Context.function_name]
    sys.stdout.reconfigure(line_buffering=True)
    try:
        call = make_call(*load.find(os.fsdecode(tree), os.fsdecode(handler)))
        return True
    except BaseException as error:
        loaded = load_failure(error)
        return False
    finally:
        flush()


def load_failure(error):
    """The three texts of `error`, as bytes."""
    name, message, trace = failure.describe(error)
    if isinstance(error, SystemExit):
        message = message.replace("the function", "the module", 1) + " while it was imported"
    if isinstance(error, SyntaxError):
        trace += failure.traceback.format_exception_only(error)
    return name.encode(), message.encode(), "".join(trace).encode()


def threads(handler):
    """The three texts of the failure that names the threads that an import left running."""
    return load_failure(load.threads_left(os.fsdecode(handler).rpartition(".")[0]))


def hear(word):
    """`context.heartbeat()` changes this word."""
    global beats
    beats = word.cast("I")


def worker(size):
    """What a fresh worker does before its first call.

    CPython's own hook has reseeded `random` by now. numpy has none: without this, all workers
    would draw the same numbers. Generators that the function made itself are its own affair.
    """
    global capacity
    capacity = size
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        drawn = os.urandom(32)
        numpy_random.seed([int.from_bytes(drawn[i : i + 4], "little") for i in range(0, 32, 4)])
