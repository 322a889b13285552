"""Takes protected health information out of a note and leaves the rest readable.

Event: what `identifyphi` found. Result: the note's text. A name becomes [NAME 1], the same one each
time; a date becomes its distance from the visit, which is what a course of treatment needs; all else
becomes its kind.
"""

from datetime import datetime

FORMS = ("%Y-%m-%d", "%m/%d/%Y", "%d %B %Y")


def day(text):
    for form in FORMS:
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    raise ValueError("a date in a form that is not known")


def handler(event, context):
    text, spans = event["text"], event["spans"]
    visits = [day(text[span["start"]:span["end"]]) for span in spans if span["kind"] == "VISIT"]
    numbers = {}

    def shown(kind, words):
        if kind == "NAME":
            return f"[NAME {numbers.setdefault(words, len(numbers) + 1)}]"
        if kind == "DATE" and visits:
            return f"[visit{(day(words) - visits[0]).days:+} days]"
        return f"[{kind}]"

    parts, at = [], 0
    for span in spans:
        parts.append(text[at:span["start"]])
        parts.append(shown(span["kind"], text[span["start"]:span["end"]]))
        at = span["end"]
    return "".join(parts) + text[at:]
