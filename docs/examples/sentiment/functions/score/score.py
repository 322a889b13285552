"""Scores sentences with VADER: somebody else's package, which sees texts and nothing that people said of
them.

Event: [{"id", "text"}, ...]. Result: {id: compound score, -1 to 1}.
"""

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

# Reads the lexicon when the function is loaded: a worker is forked with it.
ANALYZER = SentimentIntensityAnalyzer()


def handler(event, context):
    return {item["id"]: ANALYZER.polarity_scores(item["text"])["compound"] for item in event}
