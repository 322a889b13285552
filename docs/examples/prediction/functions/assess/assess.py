"""Says how good the predictions are. It sees digits and no picture.

Event: {"guesses": [[{"digit", "margin"}, ...], ...], "labels": [digit, ...] or null}. Result: {"digits",
"accuracy": of 1, null where nobody knows the digits, "wrong": [{"at", "is", "taken for"}, ...]}.
"""


def handler(event, context):
    guesses = [guess["digit"] for chunk in event["guesses"] for guess in chunk]
    labels = event["labels"]
    if labels is None:
        return {"digits": len(guesses), "accuracy": None, "wrong": []}
    wrong = [
        {"at": at, "is": label, "taken for": guess}
        for at, (guess, label) in enumerate(zip(guesses, labels, strict=True))
        if guess != label
    ]
    return {"digits": len(guesses), "accuracy": round(1 - len(wrong) / len(guesses), 4), "wrong": wrong}
