"""Rule "trade date": a trade happened while the exchange was open and settles on the right day.

The trading calendar is the dates on which the market has prices. Until 2017 US shares settled on
the third trading day after the trade.
"""

import _strptime  # strptime loads it when first called; here it is loaded with the function
from datetime import datetime, time
from decimal import Decimal

CENT = Decimal("0.01")
OPENING = time(9, 30)
CLOSING = time(16, 0)
SETTLEMENT_DAYS = 3

# strptime takes this one form of a date and no other; datetime.fromisoformat also takes week
# dates, and times without separators.
TIMESTAMP = "%Y-%m-%dT%H:%M:%S"
DATE = "%Y-%m-%d"


def fault(executed, settles, calendar):
    """Why these dates are wrong, or None. `calendar` is {date: its place}."""
    place = calendar.get(executed.date())
    if place is None:
        return "not a trading day"
    if not OPENING <= executed.time() < CLOSING:
        return "outside trading hours"
    if calendar.get(settles) != place + SETTLEMENT_DAYS:
        return "wrong settlement date"
    return None


def handler(event, context):
    days = [datetime.strptime(row[0], DATE).date() for row in event["market"]]
    calendar = {day: place for place, day in enumerate(days)}
    violations = []
    for trade in event["trades"]:
        executed = datetime.strptime(trade["executed"], TIMESTAMP)
        settles = datetime.strptime(trade["settles"], DATE).date()
        reason = fault(executed, settles, calendar)
        if reason is not None:
            amount = (Decimal(trade["price"]) * abs(trade["quantity"])).quantize(CENT)
            violations.append(
                {
                    "trade": trade["id"],
                    "account": trade["account"],
                    "amount": str(amount),
                    "reason": reason,
                }
            )
    return {
        "rule": "trddate",
        "slice": event["number"],
        "checked": len(event["trades"]),
        "violations": violations,
    }
