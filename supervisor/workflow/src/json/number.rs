//! Numbers that keep the text in which they came.

use super::scan::Cursor;
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// A JSON number. One that was read and is written again reads the same, digit for digit.
#[derive(Clone, Debug)]
pub(crate) enum Number {
    /// An integer in its plain form.
    Int(i64),
    /// Any other number, as it was written.
    Text(Arc<str>),
}

impl Number {
    /// The number that a valid JSON token stands for.
    pub(super) fn read(token: &str) -> Number {
        // Eighteen digits always fit; "-0" is not what an integer zero is written as.
        if token.len() <= 18
            && token != "-0"
            && let Ok(int) = token.parse()
        {
            return Number::Int(int);
        }
        match token.parse::<i64>() {
            Ok(int) if token != "-0" => Number::Int(int),
            _ => Number::Text(token.into()),
        }
    }

    /// The number that `text` is, if it is exactly one JSON number.
    pub(crate) fn parse(text: &str) -> Option<Number> {
        let mut cursor = Cursor::new(text, 0);
        cursor
            .number()
            .ok()
            .filter(|token| *token == text)
            .map(Number::read)
    }

    /// A computed number; none if it is not finite. A whole number is written without a point.
    pub(crate) fn computed(value: f64) -> Option<Number> {
        if !value.is_finite() {
            return None;
        }
        if value.fract() == 0.0 && value.abs() < 9.0e15 {
            return Some(Number::read(&format!("{value:.0}")));
        }
        Some(Number::Text(format!("{value:?}").into()))
    }

    /// The nearest double.
    pub(crate) fn as_f64(&self) -> f64 {
        match self {
            Number::Int(int) => *int as f64,
            Number::Text(text) => text.parse().unwrap_or(f64::NAN),
        }
    }

    /// The integer that the number is, `5.0` and `5e0` included.
    pub(crate) fn as_i64(&self) -> Option<i64> {
        match self {
            Number::Int(int) => Some(*int),
            Number::Text(_) => {
                let value = self.as_f64();
                let whole = value.fract() == 0.0 && value.abs() < 9.0e15;
                whole.then(|| format!("{value:.0}").parse().ok()).flatten()
            }
        }
    }

    /// Numeric order.
    pub(crate) fn order(&self, other: &Number) -> Ordering {
        match (self, other) {
            (Number::Int(a), Number::Int(b)) => a.cmp(b),
            // Validated numbers are finite, so they have an order.
            _ => self
                .as_f64()
                .partial_cmp(&other.as_f64())
                .unwrap_or(Ordering::Equal),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Int(int) => write!(f, "{int}"),
            Number::Text(text) => f.write_str(text),
        }
    }
}
