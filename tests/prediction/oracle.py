"""Holds the prediction example's output against a computation with Python's numbers alone, from the digits
themselves: no picture, no resizing, no numpy.

    oracle.py DIGITS < OUTPUT

Says what differs, and ends with 1 if anything does.

What passing does not show: that the model is a good one; the output's accuracy tells.
"""

import base64
import csv
import gzip
import json
import re
import struct
import sys
import zlib
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "docs/examples/prediction/data"
HELD_OUT = 1347


def digits(count):
    with gzip.open(DATA / "digits.csv.gz", "rt", newline="") as file:
        rows = list(csv.reader(file))[HELD_OUT:HELD_OUT + count]
    return [([int(float(cell)) for cell in row[:64]], int(float(row[64]))) for row in rows]


def predicted(model, pixels):
    """The digit, and how far it is ahead."""
    hidden = []
    for unit, bias in enumerate(model["hidden bias"]):
        total = bias + sum(pixel * row[unit] for pixel, row in zip(pixels, model["hidden"]))
        hidden.append((total if total > 0 else 0) // 2 ** model["shift"])
    out = [
        bias + sum(value * row[digit] for value, row in zip(hidden, model["out"]))
        for digit, bias in enumerate(model["out bias"])
    ]
    first, second = sorted(range(10), key=lambda digit: (-out[digit], digit))[:2]
    return first, out[first] - out[second]


def picture(svg):
    """The lines of the grey PNG in an SVG, without filters, as the standard allows them to be written."""
    data = base64.b64decode(re.search(r'href="data:image/png;base64,([^"]*)"', svg).group(1))
    width, height = struct.unpack(">II", data[16:24])
    body = zlib.decompress(data[41:-16])
    return [body[at * (width + 1) + 1:(at + 1) * (width + 1)] for at in range(height)]


def main():
    count = int(sys.argv[1])
    output = json.load(sys.stdin)
    model = json.loads((DATA / "model.json").read_text())
    known = digits(count)
    guesses = [predicted(model, pixels) for pixels, _ in known]
    wrong = [
        {"at": at, "is": label, "taken for": guess}
        for at, ((_, label), (guess, _)) in enumerate(zip(known, guesses)) if label != guess
    ]
    wanted = {
        "assessment": {"digits": count, "accuracy": round((count - len(wrong)) / count, 4), "wrong": wrong},
        "read": "".join(str(guess) for guess, _ in guesses),
        "doubtful": len([margin for _, margin in guesses if margin < 10_000]),
    }
    differ = [name for name, value in wanted.items() if output[name] != value]
    svg = output["files"]["digits.svg"]
    if re.findall(r"<text[^>]*>(\d)</text>", svg) != list(wanted["read"]):
        differ.append("the digits in the SVG")
    lines = picture(svg)
    # The middle of each of a digit's 64 squares.
    shown = [
        [lines[at // 10 * 32 + y * 4 + 2][at % 10 * 32 + x * 4 + 2] // 15 for y in range(8) for x in range(8)]
        for at in range(count)
    ]
    if shown != [pixels for pixels, _ in known]:
        differ.append("the picture in the SVG")
    print("\n".join(f"differs: {name}" for name in differ))
    sys.exit(bool(differ))


if __name__ == "__main__":
    main()
