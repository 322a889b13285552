//! Decimal numbers of a fixed number of places, as far as FINRA's rules need them: exact, and
//! rounded half to even where they are rounded.

use keylane::Error;
use std::cmp::Ordering;

/// `units` at 10 to the power of minus `places`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decimal {
    units: i128,
    places: u32,
}

/// The integer nearest to `over / under`, half to even.
fn nearest(over: i128, under: i128) -> i128 {
    let (quotient, rest) = (over.div_euclid(under), over.rem_euclid(under));
    match (rest * 2).cmp(&under.abs()) {
        Ordering::Less => quotient,
        Ordering::Greater => quotient + 1,
        Ordering::Equal => quotient + quotient % 2,
    }
}

fn power(places: u32) -> i128 {
    10_i128.pow(places)
}

impl Decimal {
    pub(crate) const ZERO: Decimal = Decimal {
        units: 0,
        places: 0,
    };

    pub(crate) fn parse(text: &str) -> Result<Decimal, Error> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let places = u32::try_from(part.len())?;
        Ok(Decimal {
            units: format!("{whole}{part}").parse()?,
            places,
        })
    }

    pub(crate) fn times(self, factor: i128) -> Decimal {
        Decimal {
            units: self.units * factor,
            ..self
        }
    }

    /// This with so many places.
    pub(crate) fn quantize(self, places: u32) -> Decimal {
        let units = if places >= self.places {
            self.units * power(places - self.places)
        } else {
            nearest(self.units, power(self.places - places))
        };
        Decimal { units, places }
    }

    /// `over / under` with so many places.
    pub(crate) fn ratio(over: i128, under: i128, places: u32) -> Decimal {
        let units = nearest(over * power(places), under);
        Decimal { units, places }
    }

    pub(crate) fn plus(self, other: Decimal) -> Decimal {
        let places = self.places.max(other.places);
        let units = self.quantize(places).units + other.quantize(places).units;
        Decimal { units, places }
    }

    /// How far this lies from `other`, as a part of `other`, with so many places.
    pub(crate) fn distance(self, other: Decimal, places: u32) -> Decimal {
        let common = self.places.max(other.places);
        let (this, that) = (self.quantize(common).units, other.quantize(common).units);
        Decimal::ratio((this - that).abs(), that, places)
    }

    /// The larger one, this if they are equal.
    pub(crate) fn max(self, other: Decimal) -> Decimal {
        if other > self { other } else { self }
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Decimal) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Decimal) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Decimal) -> Ordering {
        let places = self.places.max(other.places);
        self.quantize(places)
            .units
            .cmp(&other.quantize(places).units)
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.units < 0 { "-" } else { "" };
        let (units, one) = (self.units.abs(), power(self.places));
        let width = self.places as usize;
        match width {
            0 => write!(f, "{sign}{units}"),
            _ => write!(f, "{sign}{}.{:0width$}", units / one, units % one),
        }
    }
}
