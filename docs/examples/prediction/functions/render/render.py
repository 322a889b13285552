"""Draws the sheet with the digit that was predicted beside each cell; doubtful ones are red.

Event: {"png": base64, "cells": {"side", "columns", "count"}, "guesses": [[{"digit", "margin"}, ...], ...]}.
Result: {"read": the digits as text, "doubtful": how many, "svg"}. The sheet is an image in the SVG and is
not decoded here.
"""

from base64 import b64decode, b64encode

# Predictions that are ahead by less are as often wrong as right; see the README.
DOUBTFUL = 10_000


def handler(event, context):
    cells = {name: int(event["cells"][name]) for name in ("side", "columns", "count")}
    guesses = [guess for chunk in event["guesses"] for guess in chunk]
    side, columns = cells["side"], cells["columns"]
    width, height = columns * side, -(-cells["count"] // columns) * side
    # Read and written again: nothing but base64 stands in the attribute.
    sheet = b64encode(b64decode(event["png"], validate=True)).decode()
    words = []
    for at, guess in enumerate(guesses):
        colour = "#e04030" if guess["margin"] < DOUBTFUL else "#40b060"
        x, y = (at % columns + 1) * side - 2, (at // columns + 1) * side - 3
        words.append(f'<text x="{x}" y="{y}" fill="{colour}">{int(guess["digit"])}</text>')
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="{side // 3}" font-weight="bold" text-anchor="end">'
        f'<image width="{width}" height="{height}" href="data:image/png;base64,{sheet}"/>{"".join(words)}</svg>'
    )
    return {
        "read": "".join(str(int(guess["digit"])) for guess in guesses),
        "doubtful": sum(guess["margin"] < DOUBTFUL for guess in guesses),
        "svg": svg,
    }
