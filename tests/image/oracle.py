"""Holds the image example's output against Pillow called directly: the same photograph, one process, no
base64 and no PNG in between.

    oracle.py PACKAGES ORIENTATION SIZE... < OUTPUT

PACKAGES is a folder with Pillow in it; ORIENTATION is what the photograph's metadata claimed, 1 for nothing.
Says what differs, and ends with 1 if anything does. Pixels are compared one by one.

What passing does not show: that Pillow decodes rightly. Both sides use it.
"""

import base64
import io
import json
import sys
from pathlib import Path

PHOTO = Path(__file__).resolve().parents[2] / "docs/examples/image/data/china.jpg"


def expected(orientation, sizes):
    """{file: image}. What orientations mean is written out here, after the Exif standard (2.3, tag 0112)."""
    from PIL import Image

    turn = Image.Transpose
    ways = {1: None, 2: turn.FLIP_LEFT_RIGHT, 3: turn.ROTATE_180, 4: turn.FLIP_TOP_BOTTOM, 5: turn.TRANSPOSE,
            6: turn.ROTATE_270, 7: turn.TRANSVERSE, 8: turn.ROTATE_90}
    photo = Image.open(PHOTO)
    if ways[orientation] is not None:
        photo = photo.transpose(ways[orientation])
    grey = stretched(photo.convert("L"))
    images = {"china.grey.png": grey}
    for size in sizes:
        small = grey.copy()
        small.thumbnail((size, size), Image.Resampling.LANCZOS)
        images[f"china.{size}.png"] = small
    return images


def stretched(grey):
    """The darkest and the brightest hundredth are cut off, the rest is stretched to the whole range."""
    histogram = grey.histogram()
    cut = sum(histogram) * 1 // 100

    def border(levels):
        left = cut
        for level in levels:
            left -= histogram[level]
            if left < 0:
                return level
        raise ValueError("a picture without pixels")

    low, high = border(range(256)), border(range(255, -1, -1))
    scale = 255.0 / (high - low)
    return grey.point([max(0, min(255, int(level * scale + -low * scale))) for level in range(256)])


def main():
    from PIL import Image

    orientation, *sizes = map(int, sys.argv[2:])
    output = json.load(sys.stdin)
    wanted, wrong = expected(orientation, sizes), []
    if sorted(wanted) != sorted(output["files"]):
        wrong.append(f"files {sorted(output['files'])} instead of {sorted(wanted)}")
    for name in wanted.keys() & output["files"].keys():
        got = Image.open(io.BytesIO(base64.b64decode(output["files"][name]["base64"])))
        if (got.mode, got.size) != (wanted[name].mode, wanted[name].size):
            wrong.append(f"{name} is {got.mode} {got.size} instead of {wanted[name].mode} {wanted[name].size}")
        elif got.tobytes() != wanted[name].tobytes():
            differ = sum(a != b for a, b in zip(got.tobytes(), wanted[name].tobytes()))
            wrong.append(f"{name} differs in {differ} pixels")
    for listed in output["thumbnails"]:
        if [listed["width"], listed["height"]] != list(wanted[listed["file"]].size):
            wrong.append(f"{listed} is listed with a wrong size")
    photo = Image.open(PHOTO)
    told = output["metadata"]
    if [told["width"], told["height"], told["mode"], told["orientation"]] != [*photo.size, photo.mode, orientation]:
        wrong.append(f"metadata {told}")
    print("\n".join(wrong))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    main()
