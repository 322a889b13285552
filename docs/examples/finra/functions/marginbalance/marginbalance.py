"""Margin balance: add the checks' reports up and see which accounts still have enough margin.

The money of a trade that broke a rule is held back from its account. A margin account must keep
25 per cent of the value of its shares as equity; what is missing is called.

Input:  {"reports": [one report of each check], "portfolio": {...}}
"""

from collections import defaultdict
from decimal import Decimal

CENT = Decimal("0.01")
MAINTENANCE = Decimal("0.25")


def add_up(reports):
    """The reports by rule, and the money held back by account."""
    rules = {}
    held_back = defaultdict(Decimal)
    for report in reports:
        rule = rules.setdefault(
            report["rule"], {"checked": 0, "violations": 0, "reasons": {}, "trades": []}
        )
        rule["checked"] += report["checked"]
        rule["violations"] += len(report["violations"])
        for violation in report["violations"]:
            reason = violation["reason"]
            rule["reasons"][reason] = rule["reasons"].get(reason, 0) + 1
            rule["trades"].append(violation["trade"])
            held_back[violation["account"]] += Decimal(violation["amount"])
    return rules, held_back


def balance(account, closes, held_back):
    """One account's margin."""
    value = sum(Decimal(closes[symbol]) * n for symbol, n in account["shares"].items())
    equity = value - Decimal(account["debit"]) - held_back
    required = value * MAINTENANCE if account["type"] == "margin" else Decimal(0)
    missing = max(required - equity, Decimal(0))
    return {
        "account": account["account"],
        "value": str(value.quantize(CENT)),
        "held_back": str(held_back.quantize(CENT)),
        "equity": str(equity.quantize(CENT)),
        "required": str(required.quantize(CENT)),
        "call": str(missing.quantize(CENT)),
    }


def handler(event, context):
    reports, portfolio = event["reports"], event["portfolio"]
    rules, held_back = add_up(reports)
    accounts = [
        balance(account, portfolio["closes"], held_back[account["account"]])
        for account in portfolio["accounts"]
    ]
    turnover = defaultdict(Decimal)
    for report in reports:
        for direction, amount in report.get("turnover", {}).items():
            turnover[direction] += Decimal(amount)
    notional = sum(Decimal(r["notional"]) for r in reports if "notional" in r)
    farthest = max(Decimal(r["farthest"]) for r in reports if "farthest" in r)
    largest = max(Decimal(r["largest"]) for r in reports if "largest" in r)
    return {
        "checks": len(reports),
        "rules": rules,
        "notional": str(notional),
        "turnover": {direction: str(amount) for direction, amount in turnover.items()},
        "farthest_from_last_close": str(farthest),
        "largest_share_of_volume": str(largest),
        "accounts": accounts,
        "calls": [account["account"] for account in accounts if Decimal(account["call"]) > 0],
    }
