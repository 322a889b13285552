"""Counts words."""

from collections import Counter


def handler(event, context):
    """`event` is a list of words."""
    counts = Counter(event)
    return {"words": len(event), "counts": dict(sorted(counts.items()))}
