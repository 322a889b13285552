"""Which texts a JSON Schema accepts: the few keywords that the one of keylane.toml uses.

Standard input: {"schema": ..., "texts": [TOML, ...]}. Standard output: [true or false, ...]. A keyword
that is not known here is an error, so that nothing in the schema goes unread.
"""

import json
import re
import sys
import tomllib

SILENT = {"$schema", "title", "description", "default"}


def number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


TYPES = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: number(value) and isinstance(value, int),
    "number": number,
}


def matches(pattern, text):
    # ECMA 262's `$` is the end alone; Python's also stands before a last line end.
    return re.search(re.sub(r"\$$", r"\\Z", pattern), text) is not None


def members(value, schema):
    """Whether an object's members are as `properties` and its like want them."""
    known = schema.get("properties", {})
    others = schema.get("additionalProperties", True)
    for name, member in value.items():
        if not accepts(schema.get("propertyNames", {}), name):
            return False
        wanted = known.get(name, others)
        if wanted is False or (wanted is not True and not accepts(wanted, member)):
            return False
    return True


CHECKS = {
    "type": lambda value, wanted, schema: TYPES[wanted](value),
    "enum": lambda value, wanted, schema: value in wanted,
    "anyOf": lambda value, wanted, schema: any(accepts(one, value) for one in wanted),
    "pattern": lambda value, wanted, schema: not isinstance(value, str) or matches(wanted, value),
    "maxLength": lambda value, wanted, schema: not isinstance(value, str) or len(value) <= wanted,
    "minimum": lambda value, wanted, schema: not number(value) or value >= wanted,
    "maximum": lambda value, wanted, schema: not number(value) or value <= wanted,
    "items": lambda value, wanted, schema: not isinstance(value, list) or all(accepts(wanted, one) for one in value),
    "minItems": lambda value, wanted, schema: not isinstance(value, list) or len(value) >= wanted,
    "required": lambda value, wanted, schema: not isinstance(value, dict) or all(name in value for name in wanted),
    "minProperties": lambda value, wanted, schema: not isinstance(value, dict) or len(value) >= wanted,
    "maxProperties": lambda value, wanted, schema: not isinstance(value, dict) or len(value) <= wanted,
    "properties": lambda value, wanted, schema: not isinstance(value, dict) or members(value, schema),
    "propertyNames": lambda value, wanted, schema: not isinstance(value, dict) or members(value, schema),
    "additionalProperties": lambda value, wanted, schema: not isinstance(value, dict) or members(value, schema),
}


def accepts(schema, value):
    return all(
        CHECKS[keyword](value, wanted, schema)
        for keyword, wanted in schema.items()
        if keyword not in SILENT
    )


asked = json.load(sys.stdin)
json.dump([accepts(asked["schema"], tomllib.loads(text)) for text in asked["texts"]], sys.stdout)
