//! FINRA's five rules in Rust: what `docs/examples/finra/functions/` has in Python, result for
//! result.

use crate::decimal::Decimal;
use keylane::{Context, Error};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const CENT: u32 = 2;

/// A slice of trades and what the market did on their days.
#[derive(Deserialize)]
struct Slice {
    number: i64,
    isin: String,
    listed: String,
    holdings: BTreeMap<String, i128>,
    /// Date, high, low, close, volume.
    market: Vec<(String, String, String, String, i128)>,
    trades: Vec<Trade>,
}

#[derive(Deserialize)]
struct Trade {
    id: String,
    account: String,
    isin: String,
    side: String,
    /// `2012-07-16T09:30:00`.
    executed: String,
    settles: String,
    price: String,
    quantity: i128,
}

#[derive(Serialize)]
struct Violation {
    trade: String,
    account: String,
    amount: String,
    reason: &'static str,
}

#[derive(Serialize)]
struct Report {
    rule: &'static str,
    slice: i64,
    checked: usize,
    violations: Vec<Violation>,
    #[serde(flatten)]
    more: BTreeMap<&'static str, serde_json::Value>,
}

impl Trade {
    fn day(&self) -> &str {
        self.executed.get(..10).unwrap_or_default()
    }

    fn time(&self) -> &str {
        self.executed.get(11..).unwrap_or_default()
    }

    fn amount(&self) -> Result<Decimal, Error> {
        Ok(Decimal::parse(&self.price)?
            .times(self.quantity.abs())
            .quantize(CENT))
    }

    fn violation(&self, reason: &'static str) -> Result<Violation, Error> {
        Ok(Violation {
            trade: self.id.clone(),
            account: self.account.clone(),
            amount: self.amount()?.to_string(),
            reason,
        })
    }
}

impl Slice {
    fn report(&self, rule: &'static str, violations: Vec<Violation>) -> Report {
        Report {
            rule,
            slice: self.number,
            checked: self.trades.len(),
            violations,
            more: BTreeMap::new(),
        }
    }
}

/// A trade's price lies between the low and the high of its day.
#[keylane::function(export = "lastpx")]
fn lastpx(slice: Slice, _context: &Context<'_>) -> Result<Report, Error> {
    let mut market = BTreeMap::new();
    for pair in slice.market.windows(2) {
        if let [(.., before, _), (day, high, low, ..)] = pair {
            let day_of = (
                Decimal::parse(low)?,
                Decimal::parse(high)?,
                Decimal::parse(before)?,
            );
            market.insert(day.as_str(), day_of);
        }
    }
    let (mut notional, mut farthest) = (Decimal::ZERO, Decimal::ZERO);
    let mut violations = Vec::new();
    for trade in &slice.trades {
        let Some(&(low, high, before)) = market.get(trade.day()) else {
            continue;
        };
        let price = Decimal::parse(&trade.price)?;
        notional = notional.plus(trade.amount()?);
        farthest = farthest.max(price.distance(before, 4));
        if price > high {
            violations.push(trade.violation("price above the day's high")?);
        } else if price < low {
            violations.push(trade.violation("price below the day's low")?);
        }
    }
    let mut report = slice.report("lastpx", violations);
    report.more.insert("notional", notional.to_string().into());
    report.more.insert("farthest", farthest.to_string().into());
    Ok(report)
}

fn side_fault(trade: &Trade, direction: Option<&str>, held: i128) -> Option<&'static str> {
    match direction {
        None => Some("unknown side code"),
        Some("short") if !trade.account.starts_with('M') => Some("short sale in a cash account"),
        Some("sold") if trade.quantity > held => Some("sale of shares that are not held"),
        Some(_) => None,
    }
}

/// The side code of a trade is known, and the account may trade that way.
#[keylane::function(export = "side")]
fn side(mut slice: Slice, _context: &Context<'_>) -> Result<Report, Error> {
    let mut holdings = std::mem::take(&mut slice.holdings);
    let mut turnover = ["bought", "sold", "short"].map(|direction| (direction, Decimal::ZERO));
    let mut violations = Vec::new();
    let mut trades: Vec<&Trade> = slice.trades.iter().collect();
    trades.sort_by(|one, other| one.executed.cmp(&other.executed));
    for trade in trades {
        let direction = match trade.side.as_str() {
            "1" => Some("bought"),
            "2" => Some("sold"),
            "5" | "6" => Some("short"),
            _ => None,
        };
        let held = holdings
            .get_mut(&trade.account)
            .ok_or_else(|| Error::new("KeyError", &trade.account))?;
        if let Some(reason) = side_fault(trade, direction, *held) {
            violations.push(trade.violation(reason)?);
            continue;
        }
        match direction {
            Some("bought") => *held += trade.quantity,
            Some("sold") => *held -= trade.quantity,
            Some(_) | None => {}
        }
        for (_, sum) in turnover
            .iter_mut()
            .filter(|(name, _)| Some(*name) == direction)
        {
            *sum = sum.plus(trade.amount()?);
        }
    }
    let mut report = slice.report("side", violations);
    let turnover = turnover.map(|(direction, sum)| (direction.to_owned(), sum.to_string().into()));
    let turnover: serde_json::Map<_, _> = turnover.into_iter().collect();
    report.more.insert("turnover", turnover.into());
    Ok(report)
}

/// A trade happened while the exchange was open and settles on the right day.
#[keylane::function(export = "trddate")]
fn trddate(slice: Slice, _context: &Context<'_>) -> Result<Report, Error> {
    let calendar: BTreeMap<&str, usize> = slice
        .market
        .iter()
        .enumerate()
        .map(|(place, row)| (row.0.as_str(), place))
        .collect();
    let mut violations = Vec::new();
    for trade in &slice.trades {
        let fault = match calendar.get(trade.day()) {
            None => Some("not a trading day"),
            Some(_) if !("09:30:00".."16:00:00").contains(&trade.time()) => {
                Some("outside trading hours")
            }
            Some(place) if calendar.get(trade.settles.as_str()) != Some(&(place + 3)) => {
                Some("wrong settlement date")
            }
            Some(_) => None,
        };
        if let Some(reason) = fault {
            violations.push(trade.violation(reason)?);
        }
    }
    Ok(slice.report("trddate", violations))
}

/// No account trades more than one per cent of a day's volume in a share.
#[keylane::function(export = "volume")]
fn volume(slice: Slice, _context: &Context<'_>) -> Result<Report, Error> {
    let market: BTreeMap<&str, i128> = slice
        .market
        .iter()
        .map(|(day, .., volume)| (day.as_str(), *volume))
        .collect();
    let limit = Decimal::parse("0.01")?;
    let mut totals: BTreeMap<(&str, &str), i128> = BTreeMap::new();
    let mut largest = Decimal::ZERO;
    let mut violations = Vec::new();
    for trade in &slice.trades {
        let Some(volume) = market.get(trade.day()) else {
            continue;
        };
        let key = (trade.account.as_str(), trade.day());
        let total = totals.get(&key).copied().unwrap_or(0) + trade.quantity;
        let share = Decimal::ratio(total, *volume, 6);
        if trade.quantity <= 0 {
            violations.push(trade.violation("quantity is not positive")?);
        } else if share > limit {
            let reason = "more than one per cent of the day's volume";
            violations.push(trade.violation(reason)?);
        } else {
            totals.insert(key, total);
            largest = largest.max(share);
        }
    }
    let mut report = slice.report("volume", violations);
    report.more.insert("largest", largest.to_string().into());
    Ok(report)
}

/// The ISIN's own checksum: letters count as two digits, then the Luhn sum.
fn check_digit_is_right(isin: &str) -> bool {
    let digits: Option<String> = isin
        .chars()
        .map(|letter| letter.to_digit(36).map(|value| value.to_string()))
        .collect();
    let Some(digits) = digits.filter(|_| isin.len() == 12) else {
        return false;
    };
    let values = digits.chars().rev().filter_map(|digit| digit.to_digit(10));
    let total: u32 = values
        .enumerate()
        .map(|(place, value)| if place % 2 == 1 { value * 2 } else { value })
        .map(|value| value / 10 + value % 10)
        .sum();
    total.is_multiple_of(10)
}

/// A trade names the right share and quotes a price that the share can have.
#[keylane::function(export = "instrument")]
fn instrument(slice: Slice, _context: &Context<'_>) -> Result<Report, Error> {
    let one = Decimal::parse("1")?;
    let mut violations = Vec::new();
    for trade in &slice.trades {
        let price = Decimal::parse(&trade.price)?;
        let fault = if !check_digit_is_right(&trade.isin) {
            Some("wrong check digit")
        } else if trade.isin != slice.isin {
            Some("another share's ISIN")
        } else if trade.day() < slice.listed.as_str() {
            Some("traded before it was listed")
        } else if price >= one && price != price.quantize(CENT) {
            Some("price finer than a cent")
        } else {
            None
        };
        if let Some(reason) = fault {
            violations.push(trade.violation(reason)?);
        }
    }
    Ok(slice.report("instrument", violations))
}
