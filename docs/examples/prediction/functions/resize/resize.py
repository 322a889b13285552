"""Cuts a sheet into its cells and makes each as small as the model wants it.

Event: {"png": base64, "cells": {"side": pixels, "columns", "count"}}. Result: the cells in chunks of at most
50: [[[64 numbers from 0 to 16], ...], ...].
"""

from base64 import b64decode
from io import BytesIO

from PIL import Image

CHUNK = 50
MOST = 1000


def handler(event, context):
    cells = event["cells"]
    side, columns, count = cells["side"], cells["columns"], cells["count"]
    if not (8 <= side <= 256 and 1 <= columns <= 100 and 1 <= count <= MOST):
        raise ValueError(f"a sheet has 1 to {MOST} cells of 8 to 256 pixels in 1 to 100 columns")
    data = b64decode(event["png"], validate=True)
    with Image.open(BytesIO(data), formats=("PNG",)) as image:
        rows = -(-count // columns)
        if image.size != (columns * side, rows * side):
            raise ValueError(f"the sheet has {image.size[0]} by {image.size[1]} pixels, which is not what its cells take")
        small = image.convert("L").resize((columns * 8, rows * 8), Image.Resampling.BOX)
    pixels = small.load()
    read = [
        [round(pixels[at % columns * 8 + x, at // columns * 8 + y] / 15) for y in range(8) for x in range(8)]
        for at in range(count)
    ]
    return [read[at:at + CHUNK] for at in range(0, count, CHUNK)]
