"""Splits a text into words."""

import re


def handler(event, context):
    """`event` is what the state got, `{"text": ...}`; what is returned must have a JSON form."""
    # An exception ends the run with its name, unless the state has a Catch for that name.
    return re.findall(r"\w+", event["text"].lower())
