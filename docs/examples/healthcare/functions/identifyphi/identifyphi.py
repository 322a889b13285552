"""Finds protected health information in a clinical note.

Event: {"id", "text"}. Result: {"text", "spans": [{"start", "end", "kind"}, ...], "found": {kind: how
many}}; spans are counted in characters, in order, and do not overlap. Kinds: NAME, RECORD, BIRTH,
VISIT, DATE, PHONE, MAIL, ADDRESS, ZIP.

Rules, not a model: each looks for a form (a date, a telephone number) or for words that announce a
name; a name that was announced once is then found wherever it stands. That is enough for the notes of
this example, all of which are made from a few patterns; it is not enough for real ones.
"""

import re
from collections import Counter

MONTH = "January|February|March|April|May|June|July|August|September|October|November|December"
DATE = rf"(?:\d{{4}}-\d\d-\d\d|\d\d/\d\d/\d{{4}}|\d{{1,2}} (?:{MONTH}) \d{{4}})"
# A capital letter, then letters of any script, with an apostrophe where it stands in a name.
WORD = r"[A-Z][^\W\d_]*(?:'[A-Z]?[^\W\d_]+)?"

# The order matters: what an earlier rule took, a later one leaves alone.
FORMS = [
    ("RECORD", rf"MRN-\d+"),
    ("MAIL", r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    ("PHONE", r"\(\d{3}\) \d{3}-\d{4}"),
    ("BIRTH", rf"(?<=born ){DATE}"),
    ("VISIT", rf"(?<=Seen on ){DATE}"),
    ("DATE", DATE),
    ("ADDRESS", rf"(?<=Lives at )\d+ {WORD}(?: {WORD})*, {WORD}(?: {WORD})*"),
    ("ZIP", r"\b\d{5}\b"),
]
ANNOUNCED = [
    rf"Patient: ({WORD}) ({WORD})",
    rf"(?:Dr|Mr|Ms)\. ({WORD})",
    rf"(?:daughter|son|wife|husband) ({WORD})",
]


def names(text):
    found = {name for rule in ANNOUNCED for match in re.finditer(rule, text) for name in match.groups()}
    # Longer ones first, so that none is found inside of another.
    return sorted(found, key=lambda name: (-len(name), name))


def handler(event, context):
    text = event["text"]
    rules = FORMS + [("NAME", rf"\b{re.escape(name)}\b") for name in names(text)]
    spans = []
    for kind, rule in rules:
        for match in re.finditer(rule, text):
            start, end = match.span()
            if all(end <= span["start"] or span["end"] <= start for span in spans):
                spans.append({"start": start, "end": end, "kind": kind})
    spans.sort(key=lambda span: span["start"])
    return {"text": text, "spans": spans, "found": dict(sorted(Counter(s["kind"] for s in spans).items()))}
