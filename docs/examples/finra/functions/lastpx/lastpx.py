"""Rule "last price": a trade's price lies between the low and the high of its day.

It also reports the money that changed hands, and how far the worst trade's price lay from the
close of the day before.
"""

import _strptime  # strptime loads it when first called; here it is loaded with the function
from datetime import date, datetime
from decimal import Decimal

CENT = Decimal("0.01")
BASIS_POINT = Decimal("0.0001")


def read_market(rows):
    """{date: (low, high, close of the day before)} for every day that has a day before."""
    market = {}
    before = None
    for day, high, low, close, _volume in rows:
        if before is not None:
            market[date.fromisoformat(day)] = (Decimal(low), Decimal(high), before)
        before = Decimal(close)
    return market


def handler(event, context):
    market = read_market(event["market"])
    notional = Decimal(0)
    farthest = Decimal(0)
    violations = []
    for trade in event["trades"]:
        executed = datetime.strptime(trade["executed"], "%Y-%m-%dT%H:%M:%S")
        if executed.date() not in market:
            continue  # No such trading day: that is for the trade date's rule to report.
        low, high, before = market[executed.date()]
        price = Decimal(trade["price"])
        amount = (price * abs(trade["quantity"])).quantize(CENT)
        notional += amount
        farthest = max(farthest, abs(price / before - 1).quantize(BASIS_POINT))
        if price > high:
            reason = "price above the day's high"
        elif price < low:
            reason = "price below the day's low"
        else:
            continue
        violations.append(
            {
                "trade": trade["id"],
                "account": trade["account"],
                "amount": str(amount),
                "reason": reason,
            }
        )
    return {
        "rule": "lastpx",
        "slice": event["number"],
        "checked": len(event["trades"]),
        "violations": violations,
        "notional": str(notional),
        "farthest": str(farthest),
    }
