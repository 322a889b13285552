"""What the FINRA example must put out, computed apart from it.

    python3.11 oracle.py --n 200 [--seed 1] --result result.json

compares a result (the workflow's output, or a report of `keylane run --json` that carries it)
with what this file computes from the price file, and exits with 1 and a sentence that names the
first difference. Without --result it prints what it expects.

Nothing of the example's functions is used here, and the way is another one. Money is whole
ten-thousandths of a dollar and fractions, not decimals. Trades are columns over all slices, not
records of one. The random sequence is not stepped through: each draw comes from the sequence's
closed form. Dates are day numbers, and Luhn's sum is a weighting of the ISIN's digits.

Each violation is predicted twice: from the plan that says which trade is spoilt in which way, and
from the five rules asked of the columns. If the two part, the oracle itself is wrong and says so
(OracleError), so "every planted violation is found and nothing else" is part of what it knows.

What a match does not prove: that the prices are right, or that the rules are FINRA's.
"""

import argparse
import gzip
import json
import sys
from datetime import date
from fractions import Fraction
from pathlib import Path

PRICES = Path(__file__).resolve().parents[2] / "docs/examples/finra/data/prices.csv.gz"

UNIT = 10_000  # of a dollar; the file has no price with more than four decimals
PER_SLICE = 64
PER_DAY = 8

ISIN = {
    "AAPL": "US0378331005",
    "FB": "US30303M1027",
    "GOOG": "US38259P5089",
    "IBM": "US4592001014",
    "MSFT": "US5949181045",
}
SYMBOLS = sorted(ISIN)
ACCOUNTS = ["C1", "C2", "C3", "M1", "M2", "M3", "M4"]
EMPTY_ACCOUNT = "M9"
SIDES_OF = {"C": "1111111122222222", "M": "1111111222222556"}

# The plan: a trade's number modulo 97 -> the rule that it must break, and the reason given.
PLAN = {
    3: ("lastpx", "price above the day's high"),
    8: ("lastpx", "price below the day's low"),
    14: ("side", "unknown side code"),
    17: ("side", "short sale in a cash account"),
    22: ("side", "sale of shares that are not held"),
    27: ("trddate", "not a trading day"),
    31: ("trddate", "outside trading hours"),
    36: ("trddate", "wrong settlement date"),
    41: ("volume", "more than one per cent of the day's volume"),
    45: ("volume", "quantity is not positive"),
    50: ("instrument", "wrong check digit"),
    55: ("instrument", "another share's ISIN"),
    60: ("instrument", "price finer than a cent"),
}
RULES = ["lastpx", "side", "trddate", "volume", "instrument"]


class OracleError(Exception):
    """The oracle contradicts itself."""


# --- The market, by column -------------------------------------------------------------------


def units(text):
    """A price of the file in ten-thousandths of a dollar."""
    whole, _, part = text.partition(".")
    if len(part) > 4:
        raise OracleError(f"the price {text} has more than four decimals")
    return int(whole) * UNIT + int(part.ljust(4, "0"))


def read_market():
    """{symbol: {column: [values in the order of the dates]}}."""
    market = {
        symbol: {"day": [], "high": [], "low": [], "close": [], "volume": []}
        for symbol in SYMBOLS
    }
    lines = gzip.decompress(PRICES.read_bytes()).decode("ascii").splitlines()
    for line in lines[1:]:
        symbol, day, _, high, low, close, volume, _ = line.split(",")
        columns = market[symbol]
        columns["day"].append(date.fromisoformat(day).toordinal())
        columns["high"].append(units(high))
        columns["low"].append(units(low))
        columns["close"].append(units(close))
        columns["volume"].append(int(volume))
    for symbol, columns in market.items():
        if columns["day"] != sorted(set(columns["day"])):
            raise OracleError(f"the dates of {symbol} are not in order")
    return market


# --- The random sequence, by its closed form -------------------------------------------------

FACTOR, STEP, MODULUS = 6364136223846793005, 1442695040888963407, 2**64


def draw(seed, stream, number):
    """The draw with this number (the first is 1) of a stream.

    x[n] = a**n * x[0] + c * (a**n - 1) / (a - 1), the division being exact before the modulus.
    """
    start = (seed * 0x9E3779B97F4A7C15 + stream * 0xD1342543DE82EF95 + 1) % MODULUS
    power = pow(FACTOR, number, MODULUS * (FACTOR - 1))
    series = (power - 1) // (FACTOR - 1)
    return (power * start + STEP * series) % MODULUS // 2**16


# --- The trades, by column -------------------------------------------------------------------


def trades_of(seed, slices, market):
    """The columns of all trades of these slices.

    `row` is the place of the trade's day in its symbol's columns; `price` and `low`, `high` are in
    units; `second` counts from midnight; `day` and `settles` are day numbers.
    """
    columns = {
        name: []
        for name in "number symbol row account side price quantity day second settles isin".split()
    }
    for number in range(slices * PER_SLICE):
        part, place = divmod(number, PER_SLICE)
        symbol = SYMBOLS[part % 5]
        table = market[symbol]
        first = 1 + draw(seed, part, 1) % (len(table["day"]) - 12)
        row = first + place // PER_DAY
        rest = draw(seed, part, 2 + place)

        # Cents that lie within the day's range.
        low, high = -(-table["low"][row] // 100), table["high"][row] // 100
        lots_max = min(20, max(1, table["volume"][row] // 2_000_000))
        fields = []
        for radix in (48, 60, high - low + 1, lots_max, len(ACCOUNTS), 16):
            fields.append(rest % radix)
            rest //= radix
        minute, second, above, lots, account, side = fields

        trade = {
            "number": number,
            "symbol": symbol,
            "row": row,
            "account": ACCOUNTS[account],
            "side": SIDES_OF[ACCOUNTS[account][0]][side],
            "price": (low + above) * 100,
            "quantity": 100 + 100 * lots,
            "day": table["day"][row],
            "second": (570 + number % PER_DAY * 48 + minute) * 60 + second,
            "settles": table["day"][row + 3],
            "isin": ISIN[symbol],
        }
        spoil(trade, number % 97, rest, low, high, table)
        for name, column in columns.items():
            column.append(trade[name])
    return columns


def spoil(trade, residue, rest, low, high, table):
    """Changes a planned trade in the way that marketdata documents."""
    row = trade["row"]
    if residue == 3:
        trade["price"] = (high + 1 + rest % 50) * 100
    elif residue == 8:
        trade["price"] = (low - 1 - rest % 50) * 100
    elif residue == 14:
        trade["side"] = "7"
    elif residue == 17:
        trade.update(account=ACCOUNTS[rest % 3], side="5")
    elif residue == 22:
        trade.update(account=EMPTY_ACCOUNT, side="2")
    elif residue == 27:
        # Day number 6 is a Saturday (number 1, 0001-01-01, was a Monday).
        trade["day"] += (6 - trade["day"]) % 7
    elif residue == 31:
        trade["second"] = (16 * 60 + rest % 60) * 60
    elif residue == 36:
        trade["settles"] = table["day"][row + 1 + rest % 2]
    elif residue == 41:
        trade.update(side="1", quantity=table["volume"][row] // 5000 * 100)
    elif residue == 45:
        trade["quantity"] *= -1
    elif residue == 50:
        isin = trade["isin"]
        trade["isin"] = isin[:11] + str((int(isin[11]) + 1 + rest % 9) % 10)
    elif residue == 55:
        trade["isin"] = [ISIN[s] for s in SYMBOLS if s != trade["symbol"]][rest % 4]
    elif residue == 60:
        trade["price"] = min(trade["price"], high * 100 - 100) + 50


# --- The rules, asked of the columns ---------------------------------------------------------


def luhn_holds(isin):
    """The weighted digit sum of an ISIN, every second digit from the right doubled."""
    digits = [int(d) for c in isin for d in str("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".index(c))]
    single = sum(digits[-1::-2])
    double = sum((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)[d] for d in digits[-2::-2])
    return (single + double) % 10 == 0


def find_violations(t, market, shares):
    """{(rule, trade number): reason} by the rules alone."""
    found = {}
    count = range(len(t["number"]))
    column = {
        name: [market[t["symbol"][i]][name][t["row"][i]] for i in count]
        for name in ("high", "low", "volume", "day")
    }
    open_day = [t["day"][i] == column["day"][i] for i in count]

    for i in count:
        if open_day[i] and t["price"][i] > column["high"][i]:
            found["lastpx", i] = "price above the day's high"
        if open_day[i] and t["price"][i] < column["low"][i]:
            found["lastpx", i] = "price below the day's low"

    for i in count:
        if t["side"][i] not in "1256":
            found["side", i] = "unknown side code"
        elif t["side"][i] in "56" and t["account"][i][0] != "M":
            found["side", i] = "short sale in a cash account"
    # Holdings: by slice and account, the running sum of what was bought and sold, in the order of
    # execution; a sale that is not covered does not happen.
    groups = {}
    for i in count:
        if ("side", i) not in found and t["side"][i] in "12":
            groups.setdefault((i // PER_SLICE, t["account"][i]), []).append(i)
    for (_, account), members in groups.items():
        held = shares[account][t["symbol"][members[0]]]
        for i in sorted(members, key=lambda i: (t["day"][i], t["second"][i])):
            if t["side"][i] == "1":
                held += t["quantity"][i]
            elif t["quantity"][i] > held:
                found["side", i] = "sale of shares that are not held"
            else:
                held -= t["quantity"][i]

    for i in count:
        table = market[t["symbol"][i]]["day"]
        # The slice shows its function the days from one before its first to three after its last.
        first = t["row"][i] - i % PER_SLICE // PER_DAY
        if t["day"][i] not in table[first - 1 : first + 11]:
            found["trddate", i] = "not a trading day"
        elif not 34_200 <= t["second"][i] < 57_600:
            found["trddate", i] = "outside trading hours"
        elif t["settles"][i] != table[t["row"][i] + 3]:
            found["trddate", i] = "wrong settlement date"

    for i in count:
        if open_day[i] and t["quantity"][i] <= 0:
            found["volume", i] = "quantity is not positive"
    for members in by_account_and_day(t, open_day, found).values():
        total = 0
        for i in members:
            share = Fraction(total + t["quantity"][i], column["volume"][i])
            if round(share * 10**6) > 10**4:
                found["volume", i] = "more than one per cent of the day's volume"
            else:
                total += t["quantity"][i]

    right = set(ISIN.values())
    for i in count:
        if not luhn_holds(t["isin"][i]):
            found["instrument", i] = "wrong check digit"
        elif t["isin"][i] != ISIN[t["symbol"][i]]:
            found["instrument", i] = "another share's ISIN"
            if t["isin"][i] not in right:
                raise OracleError(f"trade {i} names a share that does not exist")
        elif t["day"][i] < market[t["symbol"][i]]["day"][0]:
            found["instrument", i] = "traded before it was listed"
        elif t["price"][i] % 100:
            found["instrument", i] = "price finer than a cent"
    return found


def by_account_and_day(t, open_day, found):
    """The trades that count against the volume limit, in order, by slice, account and day."""
    groups = {}
    for i in range(len(t["number"])):
        if open_day[i] and ("volume", i) not in found:
            groups.setdefault((i // PER_SLICE, t["account"][i], t["day"][i]), []).append(i)
    return groups


# --- The output ------------------------------------------------------------------------------


def money(amount):
    """Ten-thousandths of a dollar, rounded half to even to cents, as text."""
    cents = round(Fraction(amount) / 100)
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02}"


def decimals(value, places):
    """A fraction, rounded half to even, with this many decimals."""
    number = round(value * 10**places)
    return f"{number // 10**places}.{number % 10**places:0{places}}"


def holdings_of(seed):
    """{account: {symbol: shares}}, and what share of its value each account owes."""
    shares, owes = {}, {}
    for place, account in enumerate(ACCOUNTS):
        stream = 2**32 + place
        shares[account] = {
            symbol: 150_000 + draw(seed, stream, 1 + n) % 300 * 1000
            for n, symbol in enumerate(SYMBOLS)
        }
        borrowed = Fraction(550 + draw(seed, stream, 6) % 220, 1000)
        owes[account] = borrowed if account[0] == "M" else Fraction(0)
    shares[EMPTY_ACCOUNT] = dict.fromkeys(SYMBOLS, 0)
    owes[EMPTY_ACCOUNT] = Fraction(0)
    return shares, owes


def expect(n, seed=1):
    """The exact output of the workflow for this many checks."""
    market = read_market()
    shares, owes = holdings_of(seed)
    t = trades_of(seed, n // 5, market)
    count = range(len(t["number"]))
    found = find_violations(t, market, shares)
    planned = {
        (PLAN[i % 97][0], i): PLAN[i % 97][1] for i in count if i % 97 in PLAN
    }
    if found != planned:
        odd = sorted(set(found.items()) ^ set(planned.items()))[0]
        raise OracleError(f"the plan and the rules part at {odd}")

    amount = [t["price"][i] * abs(t["quantity"][i]) for i in count]
    open_day = [t["day"][i] == market[t["symbol"][i]]["day"][t["row"][i]] for i in count]
    rules = {}
    for rule in RULES:
        numbers = sorted(i for broken, i in planned if broken == rule)
        reasons = {}
        for i in numbers:
            reasons[planned[rule, i]] = reasons.get(planned[rule, i], 0) + 1
        rules[rule] = {
            "checked": len(count),
            "violations": len(numbers),
            "reasons": reasons,
            "trades": [f"T{i:05}" for i in numbers],
        }

    turnover = {"bought": 0, "sold": 0, "short": 0}
    for i in count:
        if ("side", i) not in found:
            turnover[{"1": "bought", "2": "sold"}.get(t["side"][i], "short")] += amount[i]
    farthest = max(
        abs(Fraction(t["price"][i], market[t["symbol"][i]]["close"][t["row"][i] - 1]) - 1)
        for i in count
        if open_day[i]
    )
    largest = max(
        Fraction(
            sum(t["quantity"][i] for i in members),
            market[t["symbol"][members[0]]]["volume"][t["row"][members[0]]],
        )
        for members in by_account_and_day(t, open_day, found).values()
    )

    accounts = []
    calls = []
    for account in ACCOUNTS + [EMPTY_ACCOUNT]:
        value = sum(market[s]["close"][-1] * shares[account][s] for s in SYMBOLS)
        debit = round(value * owes[account] / 100) * 100  # kept in whole cents
        held_back = sum(amount[i] for _, i in found if t["account"][i] == account)
        equity = value - debit - held_back
        required = Fraction(value, 4) if account[0] == "M" else Fraction(0)
        missing = max(required - equity, Fraction(0))
        accounts.append(
            {
                "account": account,
                "value": money(value),
                "held_back": money(held_back),
                "equity": money(equity),
                "required": money(required),
                "call": money(missing),
            }
        )
        if missing > 0:
            calls.append(account)
    return {
        "checks": n,
        "rules": rules,
        "notional": money(sum(amount[i] for i in count if open_day[i])),
        "turnover": {direction: money(total) for direction, total in turnover.items()},
        "farthest_from_last_close": decimals(farthest, 4),
        "largest_share_of_volume": decimals(largest, 6),
        "accounts": accounts,
        "calls": calls,
    }


# --- The comparison --------------------------------------------------------------------------


def first_difference(expected, got, at="the output"):
    """A sentence about the first place where two JSON values differ, or None."""
    if type(expected) is not type(got):
        return f"{at} should be {show(expected)} but is {show(got)}"
    if isinstance(expected, dict):
        for key in expected:
            if key not in got:
                return f"{at} lacks {key!r}"
        for key in got:
            if key not in expected:
                return f"{at} has {key!r}, which was not expected"
        children = [(f"{at}[{key!r}]", expected[key], got[key]) for key in expected]
    elif isinstance(expected, list):
        children = [(f"{at}[{i}]", e, g) for i, (e, g) in enumerate(zip(expected, got))]
    else:
        return None if expected == got else f"{at} should be {expected!r} but is {got!r}"
    for place, wanted, had in children:
        difference = first_difference(wanted, had, place)
        if difference is not None:
            return difference
    if len(expected) != len(got):
        return f"{at} should have {len(expected)} entries but has {len(got)}"
    return None


def show(value):
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


def output_of(document):
    """The workflow's output, be it bare or in a report, as a value or as JSON text."""
    if isinstance(document, dict) and "status" in document:
        if document["status"] != "succeeded":
            raise ValueError(f"the report says {document['status']}: {document.get('error')}")
        document = document.get("output")
    return json.loads(document) if isinstance(document, str) else document


def main():
    parser = argparse.ArgumentParser(description="What the FINRA example must put out.")
    parser.add_argument("--n", type=int, required=True, help="checks: a multiple of 5")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--result", help="file with an output or a report; - is standard input")
    arguments = parser.parse_args()
    if arguments.n % 5 or not 5 <= arguments.n <= 1000:
        parser.error("--n must be a multiple of 5 from 5 to 1000")
    expected = expect(arguments.n, arguments.seed)
    if arguments.result is None:
        print(json.dumps(expected, indent=2))
        return
    if arguments.result == "-":
        text = sys.stdin.read()
    else:
        text = Path(arguments.result).read_text()
    try:
        got = output_of(json.loads(text))
    except ValueError as error:
        sys.exit(f"finra oracle: {arguments.result} holds no output of the workflow: {error}")
    difference = first_difference(expected, got)
    if difference is not None:
        sys.exit(f"finra oracle: {difference}")
    broken = sum(rule["violations"] for rule in expected["rules"].values())
    print(f"finra oracle: n={arguments.n} is as expected, {broken} violations among them")


if __name__ == "__main__":
    main()
