"""Reads the reviews: the only function that has the file.

Event: {"reviews": how many, or absent for all; "chunk": sentences in one chunk, 100 if absent}. Result:
{"chunks": [[{"id", "text"}, ...], ...], "ratings": {id: mean of the people's ratings, -4 to 4}}. The two
are apart so that the workflow can give each function the one it needs.

Event: {"quote": [id, ...]}. Result: {id: text}.
"""

import csv
import gzip
from itertools import groupby


def read(path):
    """All reviews in the order of the file: for each its sentences as (id, rating, text)."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        [(f"{row['review']}.{row['sentence']}", float(row["rating"]), row["text"]) for row in group]
        for _, group in groupby(rows, key=lambda row: row["review"])
    ]


# Read when the function is loaded, once, and not at each call.
REVIEWS = read("data/reviews.csv.gz")


def whole(event, name, default, most):
    value = event.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise ValueError(f"{name} must be a whole number from 1 to {most}, and is {value!r}")
    return value


def quoted(names):
    texts = {name: text for review in REVIEWS for name, _, text in review}
    return {name: texts[name] for name in names}


def handler(event, context):
    if "quote" in event:
        return quoted(event["quote"])
    reviews = whole(event, "reviews", len(REVIEWS), len(REVIEWS))
    chunk = whole(event, "chunk", 100, 1000)
    sentences = [sentence for review in REVIEWS[:reviews] for sentence in review]
    texts = [{"id": name, "text": text} for name, _, text in sentences]
    return {
        "chunks": [texts[at:at + chunk] for at in range(0, len(texts), chunk)],
        "ratings": {name: rating for name, rating, _ in sentences},
    }
