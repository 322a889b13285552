"""Reads what a file says of itself, without decoding its pixels.

Event: {"jpeg": base64, ...}. Result: {"format", "width", "height", "mode", "bytes", "orientation"}; an
orientation that the file does not tell is 1, upright. What is no picture, and what is none of the forms
that are expected, is an error before any pixel is looked at.
"""

from base64 import b64decode
from io import BytesIO

from PIL import Image

ORIENTATION = 0x0112


def handler(event, context):
    data = b64decode(event["jpeg"], validate=True)
    with Image.open(BytesIO(data), formats=("JPEG",)) as image:
        return {
            "format": image.format,
            "width": image.width,
            "height": image.height,
            "mode": image.mode,
            "bytes": len(data),
            "orientation": image.getexif().get(ORIENTATION, 1),
        }
