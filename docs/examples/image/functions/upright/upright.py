"""Turns a photograph the way up that its metadata tells.

Event: {"jpeg": base64, ...}. Result: the picture as PNG in base64.
"""

from base64 import b64decode, b64encode
from io import BytesIO

from PIL import Image, ImageOps


def handler(event, context):
    with Image.open(BytesIO(b64decode(event["jpeg"])), formats=("JPEG",)) as image:
        turned = ImageOps.exif_transpose(image)
        out = BytesIO()
        turned.save(out, "PNG", compress_level=1)
        return b64encode(out.getvalue()).decode()
