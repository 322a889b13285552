"""Somebody else's analytics: the code that must never see a record.

Event: [{"text": a note without what is protected, "facts": what `anonymize` made of it}, ...]. Result:
for each diagnosis how many notes, of which ages, the mean blood pressure, what is complained of and
after how many days people come back.
"""

import re
from collections import Counter, defaultdict


def handler(event, context):
    groups = defaultdict(list)
    for note in event:
        groups[note["facts"]["diagnosis"]].append(note)
    return {"notes": len(event), "diagnoses": {code: summary(groups[code]) for code in sorted(groups)}}


def summary(notes):
    facts = [note["facts"] for note in notes]
    texts = [note["text"] for note in notes]
    symptoms = [re.search(r"reports (\w+) for", text).group(1) for text in texts]
    returns = [int(re.search(r"\[visit\+(\d+) days\]", text).group(1)) for text in texts]
    return {
        "notes": len(notes),
        "ages": dict(sorted(Counter(fact["age"] for fact in facts).items())),
        "women": sum(fact["sex"] == "F" for fact in facts),
        "mean systolic": round(sum(fact["systolic"] for fact in facts) / len(notes), 1),
        "symptoms": dict(sorted(Counter(symptoms).items())),
        "mean days to return": round(sum(returns) / len(notes), 1),
    }
