"""Rule "instrument": a trade names the right share and quotes a price that the share can have.

The ISIN's check digit must be right, the ISIN must be the share's, the share must have been
listed by then, and the price must be in whole cents (no finer price is allowed from one dollar
up).
"""

from decimal import Decimal

CENT = Decimal("0.01")


def check_digit_is_right(isin):
    """The ISIN's own checksum: letters count as two digits (A is 10), then the Luhn sum."""
    if len(isin) != 12 or not isin.isascii() or not isin.isalnum():
        return False
    digits = "".join(str(int(letter, 36)) for letter in isin)
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit)
        if place % 2 == 1:
            value *= 2
        total += value // 10 + value % 10
    return total % 10 == 0


def fault(trade, price, isin, listed):
    """Why this trade names its instrument wrongly, or None."""
    if not check_digit_is_right(trade["isin"]):
        return "wrong check digit"
    if trade["isin"] != isin:
        return "another share's ISIN"
    if trade["executed"][:10] < listed:
        return "traded before it was listed"
    if price >= 1 and price != price.quantize(CENT):
        return "price finer than a cent"
    return None


def handler(event, context):
    violations = []
    for trade in event["trades"]:
        price = Decimal(trade["price"])
        reason = fault(trade, price, event["isin"], event["listed"])
        if reason is not None:
            violations.append(
                {
                    "trade": trade["id"],
                    "account": trade["account"],
                    "amount": str((price * abs(trade["quantity"])).quantize(CENT)),
                    "reason": reason,
                }
            )
    return {
        "rule": "instrument",
        "slice": event["number"],
        "checked": len(event["trades"]),
        "violations": violations,
    }
