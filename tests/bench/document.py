"""docs/BENCHMARKS.md from what was measured and what people wrote."""

import json
from pathlib import Path

import table

HERE = Path(__file__).resolve().parent
DOCS = HERE.parents[1] / "docs"

# In the order of the document. Each is parts/NAME.py; words/NAME.md explains it, if it is there.
NAMES = ["hop", "transfer", "fanout", "finra", "start", "fresh", "load", "memory", "tax"]
# Explained by hand alone: how to measure these is said there.
BY_HAND = ["scan", "rig"]

NOTE = "<!-- Made by tests/bench/all: change tests/bench/words/, not this file. -->"


def found(name):
    path = HERE / "measured" / f"{name}.json"
    return json.loads(path.read_text()) if path.is_file() else None


def words(name):
    path = HERE / "words" / f"{name}.md"
    return path.read_text().strip() if path.is_file() else ""


def goals(parts):
    marks = {True: "yes", False: "**no**", None: "-"}
    rows = [
        [goal[0], goal[1], goal[2], marks[goal[3]]]
        for part in parts.values() if part
        for goal in part["goals"]
    ]
    if not rows:
        return ""
    judged = [row for row in rows if row[3] != "-"]
    met = sum(row[3] == "yes" for row in judged)
    return (f"## Goals\n\n{met} of {len(judged)} are met. A goal is reported and decides nothing.\n\n"
            + table.markdown(["what", "goal", "measured", "met"], rows))


def pictures(parts):
    """{name: SVG} of all parts."""
    every = (part["pictures"].items() for part in parts.values() if part)
    return {file: svg for items in every for file, (_, svg) in items}


def section(name, part):
    lines = [f"## {part['title']}", "", f"`tests/bench/all {'--quick ' if part['quick'] else ''}{name}`: "
             + "; ".join(part["conditions"]) + "."]
    if explained := words(name):
        lines += ["", explained]
    for file, (caption, _) in part["pictures"].items():
        lines += ["", f"![{caption}](pictures/{file})"]
    for caption, head, rows in part["tables"]:
        lines += ["", caption, "", table.markdown(head, rows)]
    for block in part["blocks"]:
        lines += ["", block.strip()]
    if part["remarks"]:
        lines += ["", *(f"- {remark}" for remark in part["remarks"])]
    return "\n".join(lines)


def files():
    """{path: text} of the document and its pictures."""
    parts = {name: found(name) for name in NAMES}
    blocks = [f"# Measurements\n\n{NOTE}", words("first"), goals(parts)]
    absent = []
    for name, part in parts.items():
        if part is not None:
            blocks.append(section(name, part))
        elif before := words(f"{name}-before"):
            # Measured by other means, before there was a part for it.
            blocks.append(before)
        else:
            absent.append(f"`{name}`")
    if absent:
        blocks.append(f"## Not measured yet\n\n{', '.join(absent)}: `tests/bench/all` measures them.")
    blocks += [words(name) for name in BY_HAND]
    text = "\n\n".join(block for block in blocks if block) + "\n"
    drawn = {DOCS / "pictures" / file: svg for file, svg in pictures(parts).items()}
    return {DOCS / "BENCHMARKS.md": text, **drawn}


def write():
    for path, text in files().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def stale():
    """Files that are not what they would be made into now."""
    return [str(path.relative_to(HERE.parents[1])) for path, text in files().items()
            if not path.is_file() or path.read_text() != text]
