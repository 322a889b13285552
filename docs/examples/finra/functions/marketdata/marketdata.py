"""Fetch market data: the trades to audit and, beside them, what the market did.

The prices are real (data/prices.csv.gz). The trades are made up from them, always the same ones
for the same seed, and some are wrong on purpose: of every 97 trades in a row, 13 break one rule
each (FAULTS).

Input:  {"checks": 200, "seed": 1}   checks = 5 rules x slices: a multiple of 5 from 5 to 1000
Output: {"slices": [...], "checks": [{"rule": "lastpx", "slice": 0}, ...], "portfolio": {...}}

A slice is 64 trades of one share on eight trading days in a row, with the market's rows of these
days, of the day before and of the three days after (trades settle three trading days later).
"""

import csv
import gzip
import math
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

RULES = ("lastpx", "side", "trddate", "volume", "instrument")

DAYS = 8  # trading days that a slice covers
TRADES_A_DAY = 8
SETTLEMENT_DAYS = 3

CASH_ACCOUNTS = ("C1", "C2", "C3")
MARGIN_ACCOUNTS = ("M1", "M2", "M3", "M4")
ACCOUNTS = CASH_ACCOUNTS + MARGIN_ACCOUNTS
NEW_ACCOUNT = "M9"  # opened today: it holds nothing

# FIX side codes: 1 buy, 2 sell, 5 sell short, 6 sell short exempt. Only a margin account can
# borrow the shares that a short sale delivers.
CASH_SIDES = ("1",) * 8 + ("2",) * 8
MARGIN_SIDES = ("1",) * 7 + ("2",) * 6 + ("5",) * 2 + ("6",)

ISINS = {
    "AAPL": "US0378331005",
    "FB": "US30303M1027",
    "GOOG": "US38259P5089",
    "IBM": "US4592001014",
    "MSFT": "US5949181045",
}
SYMBOLS = tuple(sorted(ISINS))

# What is wrong with a trade, by its number modulo 97.
FAULT_CYCLE = 97
FAULTS = {
    3: "price above the high",
    8: "price below the low",
    14: "side unknown",
    17: "short in a cash account",
    22: "sold without holding",
    27: "not a trading day",
    31: "after hours",
    36: "settles early",
    41: "too much of the volume",
    45: "negative quantity",
    50: "check digit",
    55: "other share's ISIN",
    60: "price finer than a cent",
}


class Day(NamedTuple):
    """One row of the price file."""

    date: str
    high: str
    low: str
    close: str
    volume: int
    lowest_cents: int  # the range of prices in whole cents that lies within the day's range
    highest_cents: int


def load_prices(path):
    """The price file as {symbol: [Day, ...]}, each list in the order of its dates."""
    prices = {symbol: [] for symbol in SYMBOLS}
    with gzip.open(path, "rt", newline="") as file:
        rows = csv.reader(file)
        next(rows)  # the names of the columns
        for symbol, day, _open, high, low, close, volume, _adjusted in rows:
            lowest = math.ceil(Decimal(low) * 100)
            highest = math.floor(Decimal(high) * 100)
            prices[symbol].append(Day(day, high, low, close, int(volume), lowest, highest))
    return prices


# Loaded once, when the function is loaded, and not at every call.
PRICES = load_prices("data/prices.csv.gz")
CLOCK = tuple(f"{minute // 60:02}:{minute % 60:02}" for minute in range(24 * 60))
OPENING_MINUTE = 9 * 60 + 30


def draws(seed, stream):
    """An endless sequence of 48-bit numbers that depends on its two arguments and nothing else.

    It is a linear congruential sequence modulo 2**64, of which the low bits are dropped: simple
    enough to be followed in any language, and good enough to spread trades over a day.
    """
    state = (seed * 0x9E3779B97F4A7C15 + stream * 0xD1342543DE82EF95 + 1) % 2**64
    while True:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        yield state >> 16


def dollars(cents):
    return f"{cents // 100}.{cents % 100:02}"


def make_trade(number, draw, day, settles, symbol):
    """Trade `number` of the seed; `draw` decides everything about it that may vary.

    `settles` has the trading days from one to three days after `day`.
    """
    draw, minute = divmod(draw, 48)
    draw, second = divmod(draw, 60)
    draw, cents = divmod(draw, day.highest_cents - day.lowest_cents + 1)
    draw, lots = divmod(draw, max(1, min(20, day.volume // 2_000_000)))
    draw, account = divmod(draw, len(ACCOUNTS))
    draw, side = divmod(draw, 16)

    # The n-th trade of a day falls into the n-th 48 minutes after the opening at 09:30.
    minute += OPENING_MINUTE + 48 * (number % TRADES_A_DAY)
    cents += day.lowest_cents
    account = ACCOUNTS[account]
    trade = {
        "id": f"T{number:05}",
        "account": account,
        "isin": ISINS[symbol],
        "side": (CASH_SIDES if account in CASH_ACCOUNTS else MARGIN_SIDES)[side],
        "executed": f"{day.date}T{CLOCK[minute]}:{second:02}",
        "settles": settles[-1].date,
        "price": dollars(cents),
        "quantity": 100 * (1 + lots),
    }
    fault = FAULTS.get(number % FAULT_CYCLE)
    if fault is not None:
        trade.update(spoil(fault, trade, cents, draw, day, settles, symbol))
    return trade


def spoil(fault, trade, cents, draw, day, settles, symbol):
    """The fields that make `trade` break exactly one rule, in the way that `fault` names."""
    match fault:
        case "price above the high":
            return {"price": dollars(day.highest_cents + 1 + draw % 50)}
        case "price below the low":
            return {"price": dollars(day.lowest_cents - 1 - draw % 50)}
        case "side unknown":
            return {"side": "7"}
        case "short in a cash account":
            return {"account": CASH_ACCOUNTS[draw % 3], "side": "5"}
        case "sold without holding":
            return {"account": NEW_ACCOUNT, "side": "2"}
        case "not a trading day":
            today = date.fromisoformat(day.date)
            saturday = today + timedelta(days=5 - today.weekday())
            return {"executed": saturday.isoformat() + trade["executed"][10:]}
        case "after hours":
            return {"executed": f"{day.date}T16:{draw % 60:02}:00"}
        case "settles early":
            return {"settles": settles[draw % 2].date}
        case "too much of the volume":
            # Two per cent of what the whole market traded that day; a buy, so that no question
            # of holdings arises.
            return {"side": "1", "quantity": day.volume // 5000 * 100}
        case "negative quantity":
            return {"quantity": -trade["quantity"]}
        case "check digit":
            isin = trade["isin"]
            return {"isin": isin[:-1] + str((int(isin[-1]) + 1 + draw % 9) % 10)}
        case "other share's ISIN":
            others = [other for other in SYMBOLS if other != symbol]
            return {"isin": ISINS[others[draw % 4]]}
        case "price finer than a cent":
            return {"price": dollars(min(cents, day.highest_cents - 1)) + "5"}


def make_slice(seed, number, holdings):
    """Slice `number` of the seed: its trades, and the reference rows that the checks need."""
    symbol = SYMBOLS[number % len(SYMBOLS)]
    days = PRICES[symbol]
    draw = draws(seed, number)
    first = 1 + next(draw) % (len(days) - 1 - DAYS - SETTLEMENT_DAYS)
    trades = []
    trade = number * DAYS * TRADES_A_DAY
    for at in range(first, first + DAYS):
        settles = days[at + 1 : at + 1 + SETTLEMENT_DAYS]
        for _ in range(TRADES_A_DAY):
            trades.append(make_trade(trade, next(draw), days[at], settles, symbol))
            trade += 1
    window = days[first - 1 : first + DAYS + SETTLEMENT_DAYS]
    return {
        "number": number,
        "symbol": symbol,
        "isin": ISINS[symbol],
        "listed": days[0].date,
        "holdings": {account: shares[symbol] for account, shares in holdings.items()},
        "market": [[day.date, day.high, day.low, day.close, day.volume] for day in window],
        "trades": trades,
    }


def make_portfolio(seed):
    """What every account holds and owes, and the last close of each share to value it by."""
    accounts = []
    for number, account in enumerate(ACCOUNTS + (NEW_ACCOUNT,)):
        draw = draws(seed, 2**32 + number)
        # Enough for every sale that a slice of 64 trades can contain.
        shares = {symbol: 1000 * (150 + next(draw) % 300) for symbol in SYMBOLS}
        if account == NEW_ACCOUNT:
            shares = {symbol: 0 for symbol in SYMBOLS}
        value = sum(Decimal(PRICES[symbol][-1].close) * n for symbol, n in shares.items())
        # A margin account may have borrowed between 55 and 76.9 per cent of the value.
        share_owed = Decimal(550 + next(draw) % 220) / 1000
        debit = value * share_owed if account in MARGIN_ACCOUNTS else Decimal(0)
        accounts.append(
            {
                "account": account,
                "type": "margin" if account[0] == "M" else "cash",
                "debit": str(debit.quantize(Decimal("0.01"))),
                "shares": shares,
            }
        )
    closes = {symbol: PRICES[symbol][-1].close for symbol in SYMBOLS}
    return {"closes": closes, "accounts": accounts}


def handler(event, context):
    checks = event.get("checks")
    if type(checks) is not int or checks % 5 != 0 or not 5 <= checks <= 1000:
        raise ValueError(f"checks must be a multiple of 5 from 5 to 1000, not {checks!r}")
    seed = event.get("seed", 1)
    if type(seed) is not int or not 0 <= seed < 2**32:
        raise ValueError(f"seed must be a whole number from 0 to 2**32 - 1, not {seed!r}")

    portfolio = make_portfolio(seed)
    holdings = {account["account"]: account["shares"] for account in portfolio["accounts"]}
    slices = [make_slice(seed, number, holdings) for number in range(checks // len(RULES))]
    return {
        "slices": slices,
        "checks": [{"rule": rule, "slice": at} for rule in RULES for at in range(len(slices))],
        "portfolio": portfolio,
    }
