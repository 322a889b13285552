"""What a hostile zygote can say on its socket, descriptor 3: postcard by hand.

The source of an attack begins with this text, because a function has a single file here.
"""


def varint(n):
    out = b""
    while True:
        byte, n = n & 0x7F, n >> 7
        if not n:
            return out + bytes([byte])
        out += bytes([byte | 0x80])


def text(value):
    return varint(len(value)) + value.encode()


def load_failed(name, message):
    return b"\x01\x02" + text(name) + text(message) + text("")


def serial_of(order):
    """The serial of a Fork order."""
    n = shift = 0
    for byte in order[2:]:
        n |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return n


LOADED = b"\x01\x01"


def worker_ended(serial):
    return b"\x01\x05" + varint(serial) + b"\x00\x00"
