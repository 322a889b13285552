"""Makes a sheet of handwritten digits, as a scanner would: one picture. The only function that has the
digits and knows which they are.

Event: {"digits": how many, 1 to 450; 100 if absent}. Result: {"png": base64, "cells": {"side", "columns",
"count"}, "labels": [digit, ...]}. Only digits that the model was not trained with are on it.
"""

import csv
import gzip
import struct
import zlib
from base64 import b64encode

HELD_OUT = 1347
SIDE, COLUMNS = 32, 10


def read(path):
    with gzip.open(path, "rt", newline="") as file:
        rows = [[int(float(cell)) for cell in row] for row in csv.reader(file)]
    return rows[HELD_OUT:]


DIGITS = read("data/digits.csv.gz")


def drawn(digits):
    """The lines of a picture in 8-bit grey: of each digit's 8 by 8 pixels every one is a square."""
    each = SIDE // 8
    for at in range(0, len(digits), COLUMNS):
        row = digits[at:at + COLUMNS]
        row = row + [[0] * 64] * (COLUMNS - len(row))
        for line in range(8):
            pixels = bytes(digit[line * 8 + x] * 15 for digit in row for x in range(8) for _ in range(each))
            yield from [pixels] * each


def png(lines):
    """A picture of these lines as PNG: signature, header, compressed lines, end."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", len(lines[0]), len(lines), 8, 0, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + line for line in lines))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def handler(event, context):
    count = event.get("digits", 100)
    if type(count) is not int or not 1 <= count <= len(DIGITS):
        raise ValueError(f"digits must be a whole number from 1 to {len(DIGITS)}, and is {count!r}")
    digits = DIGITS[:count]
    return {
        "png": b64encode(png(list(drawn(digits)))).decode(),
        "cells": {"side": SIDE, "columns": COLUMNS, "count": count},
        "labels": [digit[64] for digit in digits],
    }
