"""Compares scores with the ratings that people gave. It never sees a text.

Event: {"scored": [for each chunk {id: score}, or {"lost": true}], "ratings": {id: rating}}. Result:
counts, how often the sign agrees, the correlation, a table of signs, a histogram of the scores, the
sentences that are judged most differently, and what could not be scored.
"""

from collections import defaultdict
from math import fsum, sqrt

# Compound scores nearer to zero than this are neutral: what VADER's authors recommend.
NEUTRAL_SCORE = 0.05
# People's mean of twenty ratings from -4 to 4; one of twenty saying 1 does not make it positive.
NEUTRAL_RATING = 0.05
SIGNS = ("negative", "neutral", "positive")
BINS = 10
SHOWN = 5


def sign(value, border):
    return SIGNS[(value >= border) - (value <= -border) + 1]


def correlation(pairs):
    """Pearson's; None where one side does not vary."""
    count = len(pairs)
    means = [fsum(pair[side] for pair in pairs) / count for side in (0, 1)]
    offsets = [(score - means[0], rating - means[1]) for score, rating in pairs]
    spread = [fsum(pair[side] ** 2 for pair in offsets) for side in (0, 1)]
    if not all(spread):
        return None
    return fsum(a * b for a, b in offsets) / sqrt(spread[0] * spread[1])


def shares(pairs):
    """How often the sign agrees, of all and of those that both sides find not neutral."""
    signs = [(sign(score, NEUTRAL_SCORE), sign(rating, NEUTRAL_RATING)) for score, rating in pairs]
    clear = [pair for pair in signs if "neutral" not in pair]
    return {
        "agree": round(sum(a == b for a, b in signs) / len(signs), 4),
        "agree, where both are clear": round(sum(a == b for a, b in clear) / len(clear), 4) if clear else None,
    }


def handler(event, context):
    scores = {name: score for chunk in event["scored"] if "lost" not in chunk for name, score in chunk.items()}
    ratings = event["ratings"]
    if not scores:
        return {"sentences": 0, "covered": 0.0}
    pairs = {name: (score, ratings[name]) for name, score in scores.items()}

    table = {by_people: dict.fromkeys(SIGNS, 0) for by_people in SIGNS}
    histogram = [0] * BINS
    reviews = defaultdict(list)
    for name, (score, rating) in pairs.items():
        table[sign(rating, NEUTRAL_RATING)][sign(score, NEUTRAL_SCORE)] += 1
        # VADER gives four decimals; in whole numbers a border belongs to one side for certain.
        histogram[min(round((score + 1) * 10_000) * BINS // 20_000, BINS - 1)] += 1
        reviews[name.split(".")[0]].append((score, rating))
    whole = [tuple(fsum(side) / len(side) for side in zip(*sentences)) for sentences in reviews.values()]
    # Both sides brought to the range from -1 to 1; equal distances in the order of the names.
    apart = sorted(pairs, key=lambda name: (-abs(pairs[name][0] - pairs[name][1] / 4), name))
    linear = correlation(list(pairs.values()))
    return {
        "sentences": len(pairs),
        "covered": round(len(pairs) / len(ratings), 4),
        "reviews": len(reviews),
        "by sentence": shares(pairs.values()),
        "by review": shares(whole),
        "correlation": None if linear is None else round(linear, 4),
        "people say, VADER says": table,
        "scores from -1 to 1": histogram,
        "farthest apart": [
            {"id": name, "score": pairs[name][0], "rating": pairs[name][1]} for name in apart[:SHOWN]
        ],
    }
