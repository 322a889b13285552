"""The hospital's records: hands out clinical notes.

Event: {"notes": how many}. Result: [{"id", "text"}, ...].
"""

import json
from pathlib import Path

# Read when the function is loaded, once, and not at each call.
NOTES = json.loads(Path("data/notes.json").read_text(encoding="utf-8"))


def handler(event, context):
    wanted = event.get("notes", len(NOTES))
    if not isinstance(wanted, int) or not 1 <= wanted <= len(NOTES):
        raise ValueError(f"notes must be a whole number from 1 to {len(NOTES)}, and is {wanted!r}")
    return NOTES[:wanted]
