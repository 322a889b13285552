"""Makes a greyscale version with the full range of brightness.

Event: {"image": JPEG or PNG in base64}. Result: PNG in base64, which keeps every pixel as it is.
"""

from base64 import b64decode, b64encode
from io import BytesIO

from PIL import Image, ImageOps


def handler(event, context):
    with Image.open(BytesIO(b64decode(event["image"])), formats=("JPEG", "PNG")) as image:
        grey = ImageOps.autocontrast(ImageOps.grayscale(image), cutoff=1)
        out = BytesIO()
        grey.save(out, "PNG", compress_level=1)
        return b64encode(out.getvalue()).decode()
