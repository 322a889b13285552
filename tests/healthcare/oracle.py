"""What the healthcare example must answer, computed apart from its functions; and every form in which a
protected field could reach somebody.

    oracle.py expected N    the workflow's output for the first N notes, as far as it follows from the truth
    oracle.py forms N       {"note/kind/form": the form in hexadecimal, each byte XOR 90, ...}

Reads truth.json, which the generator wrote beside the notes and no function sees; the notes themselves
only to count. The forms are disguised so that a search for them does not find its own list.

What passing does not show: forms that are not listed here, such as compressed or encrypted ones.
"""

import base64
import json
import re
import sys
from collections import Counter
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "docs/examples/healthcare/data"
DISGUISE = 90
# Shorter ones occur by chance.
SHORTEST = 6
# Parts that are ordinary words, which any program holds, and name nobody.
ORDINARY = {"Street", "Avenue", "example", "January", "February", "August", "September", "October", "November", "December"}


def load(name, count):
    return json.loads((DATA / name).read_text(encoding="utf-8"))[:count]


def expected(count):
    truths = load("truth.json", count)
    groups = {}
    for truth in truths:
        groups.setdefault(truth["facts"]["diagnosis"], []).append(truth)
    diagnoses = {}
    for code, members in groups.items():
        mean = lambda values: round(sum(values) / len(members), 1)
        diagnoses[code] = {
            "notes": len(members),
            "ages": Counter(member["facts"]["age"] for member in members),
            "women": [member["facts"]["sex"] for member in members].count("F"),
            "mean systolic": mean([member["facts"]["systolic"] for member in members]),
            "symptoms": Counter(member["symptom"] for member in members),
            "mean days to return": mean([member["return"] for member in members]),
        }
    found = [counted(note["text"], truth) for note, truth in zip(load("notes.json", count), truths)]
    return {"analytics": {"notes": len(truths), "diagnoses": diagnoses}, "found": found}


def counted(text, truth):
    """How often each kind stands in a note, by the values that the generator put there."""
    whole, *names = truth["protected"]["NAME"]
    assert whole in text
    once = dict.fromkeys(["ADDRESS", "BIRTH", "VISIT", "DATE", "MAIL", "PHONE", "RECORD", "ZIP"], 1)
    return once | {"NAME": sum(text.count(name) for name in set(names))}


def in_base64(value):
    """The letters that a value leaves in a longer text's base64, at each of its three alignments."""
    for before, lost in ((0, 0), (1, 2), (2, 3)):
        letters = base64.b64encode(bytes(before) + value)
        whole = (before + len(value)) * 8 // 6
        yield f"base64+{before}", letters[lost:whole]
        if {43, 47} & set(letters[lost:whole]):
            yield f"base64url+{before}", base64.urlsafe_b64encode(bytes(before) + value)[lost:whole]


def forms(value):
    utf8 = value.encode()
    yield "plain", utf8
    if not value.isascii():
        yield "latin-1", value.encode("latin-1")
    for code in ("utf-16-le", "utf-16-be", "utf-32-le"):
        yield code, value.encode(code)
    yield from in_base64(utf8)
    yield "json", json.dumps(value)[1:-1].encode()
    yield "json-all", "".join(f"\\u{ord(c):04x}" for c in value).encode()
    yield "hex", utf8.hex().encode()
    digits = re.sub(r"\D", "", value)
    if len(digits) > 6:
        yield "digits", digits.encode()
    for part in re.findall(r"[^\W\d_']{4,}|\d{7,}", value):
        if part not in ORDINARY:
            yield "part", part.encode()


def disguised(count):
    named = {}
    for truth in load("truth.json", count):
        for kind, values in truth["protected"].items():
            for number, value in enumerate(values):
                for at, (form, found) in enumerate(forms(value)):
                    if len(found) >= SHORTEST:
                        name = f"{truth['id']}/{kind}-{number}/{form}"
                        named[f"{name}-{at}" if form == "part" else name] = bytes(b ^ DISGUISE for b in found).hex()
    return named


if __name__ == "__main__":
    what = {"expected": expected, "forms": disguised}[sys.argv[1]]
    json.dump(what(int(sys.argv[2])), sys.stdout)
