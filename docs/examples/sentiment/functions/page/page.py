"""Writes the report: one page of HTML that needs nothing else.

Event: {"agreement": what `agreement` found, "texts": {id: text}, "chart": SVG}. Result: {"summary": a few
lines of Markdown, "page": HTML}.

None of it is trusted. The reviews were written by strangers and the chart by another function: texts
are escaped, the chart is an image (in which nothing runs), and the page's own policy forbids scripts and
everything that would be fetched.
"""

from base64 import b64encode
from html import escape

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
STYLE = (
    "body{font:15px/1.5 sans-serif;max-width:46em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse}td,th{border:1px solid #bbb;padding:.2em .6em;text-align:right}"
    "blockquote{margin:.6em 0;padding-left:.8em;border-left:3px solid #bbb}"
)


def percent(share):
    return "unknown" if share is None else f"{share:.1%}"


def lines(found):
    """What the numbers say, a sentence each."""
    return [
        f"{found['sentences']} sentences of {found['reviews']} reviews were scored ({percent(found['covered'])}).",
        f"For {percent(found['by sentence']['agree'])} of the sentences people and VADER agree on the sign; "
        f"where both are clear, for {percent(found['by sentence']['agree, where both are clear'])}.",
        f"For whole reviews they agree on {percent(found['by review']['agree'])}.",
        f"The correlation of scores and ratings is {found['correlation']}.",
    ]


def table(found):
    rows = found["people say, VADER says"]
    head = "".join(f"<th>VADER: {escape(sign)}</th>" for sign in rows)
    body = "".join(
        f"<tr><th>people: {escape(sign)}</th>" + "".join(f"<td>{int(count)}</td>" for count in row.values()) + "</tr>"
        for sign, row in rows.items()
    )
    return f"<table><tr><th></th>{head}</tr>{body}</table>"


def quotes(found, texts):
    return "".join(
        f"<blockquote>{escape(texts[item['id']])}<br><small>VADER {item['score']:+.2f}, "
        f"people {item['rating']:+.2f} (of 4)</small></blockquote>"
        for item in found["farthest apart"]
    )


def handler(event, context):
    found, texts = event["agreement"], event["texts"]
    said = lines(found)
    image = b64encode(event["chart"].encode()).decode()
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">'
        f"<title>Reviews</title><style>{STYLE}</style></head><body><h1>What the reviews say</h1>"
        + "".join(f"<p>{escape(line)}</p>" for line in said)
        + f'<p><img alt="How many sentences have which score" src="data:image/svg+xml;base64,{image}"></p>'
        + table(found)
        + "<h2>Farthest apart</h2>"
        + quotes(found, texts)
        + "</body></html>\n"
    )
    return {"summary": "".join(f"- {line}\n" for line in said), "page": page}
