"""Makes of a note the few facts that may be shared, each so coarse that many people have it.

Event: what `identifyphi` found. Result: {"age": ten years, "sex", "region": three digits of the postal
code, "year" of the visit, "diagnosis": its code, "systolic": blood pressure}. Ages from 90 on are one
group.
"""

import re
from datetime import datetime

FORMS = ("%Y-%m-%d", "%m/%d/%Y", "%d %B %Y")


def day(text):
    for form in FORMS:
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    raise ValueError("a date in a form that is not known")


def only(kind, event):
    """The one span of a kind."""
    found = [event["text"][span["start"]:span["end"]] for span in event["spans"] if span["kind"] == kind]
    if len(found) != 1:
        raise ValueError(f"{len(found)} spans of kind {kind} instead of one")
    return found[0]


def handler(event, context):
    text = event["text"]
    birth, visit = day(only("BIRTH", event)), day(only("VISIT", event))
    age = visit.year - birth.year - ((visit.month, visit.day) < (birth.month, birth.day))
    low = age // 10 * 10
    return {
        "age": "90 and over" if age >= 90 else f"{low} to {low + 9}",
        "sex": "F" if re.search(r"\bwoman\b", text) else "M",
        "region": only("ZIP", event)[:3],
        "year": visit.year,
        "diagnosis": re.search(r"\b[A-Z]\d\d(?:\.\d)?\b", text).group(),
        "systolic": int(re.search(r"\bBP (\d+)/", text).group(1)),
    }
