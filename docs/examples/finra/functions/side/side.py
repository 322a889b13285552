"""Rule "side": the side code of a trade is known, and the account may trade that way.

A sale marked long (code 2) has to be covered by what the account holds at that moment; only a
margin account may sell short. It also reports the money bought, sold and sold short.
"""

import _strptime  # strptime loads it when first called; here it is loaded with the function
from datetime import datetime
from decimal import Decimal

CENT = Decimal("0.01")

# FIX tag 54.
SIDES = {"1": "bought", "2": "sold", "5": "short", "6": "short"}


def executed(trade):
    return datetime.strptime(trade["executed"], "%Y-%m-%dT%H:%M:%S")


def fault(trade, direction, held):
    """Why this trade may not go this way, or None."""
    if direction is None:
        return "unknown side code"
    if direction == "short" and not trade["account"].startswith("M"):
        return "short sale in a cash account"
    if direction == "sold" and trade["quantity"] > held:
        return "sale of shares that are not held"
    return None


def handler(event, context):
    holdings = dict(event["holdings"])
    turnover = {"bought": Decimal(0), "sold": Decimal(0), "short": Decimal(0)}
    violations = []
    # What an account holds depends on the order of its trades.
    for trade in sorted(event["trades"], key=executed):
        account = trade["account"]
        direction = SIDES.get(trade["side"])
        amount = (Decimal(trade["price"]) * abs(trade["quantity"])).quantize(CENT)
        reason = fault(trade, direction, holdings[account])
        if reason is not None:
            violations.append(
                {
                    "trade": trade["id"],
                    "account": account,
                    "amount": str(amount),
                    "reason": reason,
                }
            )
            continue
        turnover[direction] += amount
        if direction == "bought":
            holdings[account] += trade["quantity"]
        elif direction == "sold":
            holdings[account] -= trade["quantity"]
    return {
        "rule": "side",
        "slice": event["number"],
        "checked": len(event["trades"]),
        "violations": violations,
        "turnover": {direction: str(amount) for direction, amount in turnover.items()},
    }
