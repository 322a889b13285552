"""The archive: the only function that has the photograph.

Event: {"photo": its name, china.jpg if absent; "turned": an orientation from 1 to 8 that its metadata shall
claim, as a camera that was held differently writes it; absent for none}. Result: {"name", "jpeg": the
file's bytes in base64}.
"""

import struct
from base64 import b64encode
from pathlib import Path

PHOTOS = {path.name: path.read_bytes() for path in Path("data").glob("*.jpg")}
ORIENTATION = 0x0112


def claiming(orientation, jpeg):
    """The same picture with an Exif segment of one tag behind its first marker."""
    tag = struct.pack("<HHIHH", ORIENTATION, 3, 1, orientation, 0)
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + tag + bytes(4)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]


def handler(event, context):
    name = event.get("photo", "china.jpg")
    if name not in PHOTOS:
        raise KeyError(f"there is no photo {name!r}")
    jpeg = PHOTOS[name]
    turned = event.get("turned")
    if turned is not None:
        if turned not in range(1, 9):
            raise ValueError(f"an orientation is a number from 1 to 8, and not {turned!r}")
        jpeg = claiming(turned, jpeg)
    return {"name": name, "jpeg": b64encode(jpeg).decode()}
