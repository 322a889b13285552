"""Rule "volume": no account trades more than one per cent of a day's volume in a share.

The trade that would take its account over the limit is the violation; it is not counted, so one
trade that is too large does not taint the account's later ones. It also reports the largest share
of a day's volume that an account reached within the limit.
"""

import _strptime  # strptime loads it when first called; here it is loaded with the function
from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal

CENT = Decimal("0.01")
LIMIT = Decimal("0.01")
PRECISION = Decimal("0.000001")


def handler(event, context):
    market = {
        date.fromisoformat(day): Decimal(volume)
        for day, _high, _low, _close, volume in event["market"]
    }
    totals = defaultdict(int)
    largest = Decimal(0)
    violations = []
    for trade in event["trades"]:
        day = datetime.strptime(trade["executed"], "%Y-%m-%dT%H:%M:%S").date()
        if day not in market:
            continue  # No such trading day: that is for the trade date's rule to report.
        account, quantity = trade["account"], trade["quantity"]
        total = totals[account, day] + quantity
        share = (total / market[day]).quantize(PRECISION)
        if quantity <= 0:
            reason = "quantity is not positive"
        elif share > LIMIT:
            reason = "more than one per cent of the day's volume"
        else:
            totals[account, day] = total
            largest = max(largest, share)
            continue
        amount = (Decimal(trade["price"]) * abs(quantity)).quantize(CENT)
        violations.append(
            {
                "trade": trade["id"],
                "account": account,
                "amount": str(amount),
                "reason": reason,
            }
        )
    return {
        "rule": "volume",
        "slice": event["number"],
        "checked": len(event["trades"]),
        "violations": violations,
        "largest": str(largest),
    }
