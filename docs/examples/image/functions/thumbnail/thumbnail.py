"""Makes a small version.

Event: {"image": PNG in base64, "size": the longer side in pixels}. Result: {"size", "width", "height", "png":
base64}.
"""

from base64 import b64decode, b64encode
from io import BytesIO

from PIL import Image


def handler(event, context):
    with Image.open(BytesIO(b64decode(event["image"])), formats=("PNG",)) as image:
        image.thumbnail((event["size"], event["size"]), Image.Resampling.LANCZOS)
        out = BytesIO()
        image.save(out, "PNG")
        return {
            "size": event["size"],
            "width": image.width,
            "height": image.height,
            "png": b64encode(out.getvalue()).decode(),
        }
