"""What the sentiment example must find, computed apart from its functions: VADER is called here directly, in
one process and sentence by sentence, and the numbers are taken with Python's own statistics.

    oracle.py PACKAGES REVIEWS    the value of "agreement" for the first REVIEWS reviews

PACKAGES is a folder with vaderSentiment in it.

What passing does not show: that VADER judges well. The output says how well, on these sentences.
"""

import csv
import gzip
import json
import statistics
import sys
from collections import Counter
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "docs/examples/sentiment/data/reviews.csv.gz"


def sign(value):
    return "positive" if value >= 0.05 else "negative" if value <= -0.05 else "neutral"


def sentences(reviews):
    with gzip.open(DATA, "rt", newline="") as file:
        rows = list(csv.reader(file))[1:]
    wanted = list(dict.fromkeys(review for review, *_ in rows))[:reviews]
    return [(review, f"{review}.{at}", float(rating), text) for review, at, rating, text in rows if review in wanted]


def shares(pairs):
    same = sum(sign(score) == sign(rating) for score, rating in pairs)
    clear = [(sign(score), sign(rating)) for score, rating in pairs]
    clear = [pair for pair in clear if pair[0] != "neutral" != pair[1]]
    return {
        "agree": round(same / len(pairs), 4),
        "agree, where both are clear": round(sum(a == b for a, b in clear) / len(clear), 4),
    }


def expected(reviews):
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer = SentimentIntensityAnalyzer()
    scored = [
        (review, name, analyzer.polarity_scores(text)["compound"], rating)
        for review, name, rating, text in sentences(reviews)
    ]
    pairs = [(score, rating) for _, _, score, rating in scored]
    counted = Counter((sign(rating), sign(score)) for score, rating in pairs)
    signs = ["negative", "neutral", "positive"]
    # -1, -0.8, ... 0.8, each with what follows up to the next; 1 belongs to the last.
    binned = [sum(round(score, 4) >= round(at / 5 - 1, 1) for at in range(1, 10)) for score, _ in pairs]
    whole = [
        [statistics.fmean(side) for side in zip(*[(s, r) for other, _, s, r in scored if other == review])]
        for review in dict.fromkeys(review for review, *_ in scored)
    ]
    apart = sorted((-abs(score - rating / 4), name, score, rating) for _, name, score, rating in scored)
    return {
        "sentences": len(scored),
        "covered": 1.0,
        "reviews": len(whole),
        "by sentence": shares(pairs),
        "by review": shares(whole),
        "correlation": round(statistics.correlation(*zip(*pairs)), 4),
        "people say, VADER says": {a: {b: counted[a, b] for b in signs} for a in signs},
        "scores from -1 to 1": [binned.count(at) for at in range(10)],
        "farthest apart": [{"id": name, "score": score, "rating": rating} for _, name, score, rating in apart[:5]],
    }


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    json.dump(expected(int(sys.argv[2])), sys.stdout)
