//! Reads values out of a parsed TOML table and collects everything that is wrong with them, each
//! with its place, instead of stopping at the first.

use super::name::BadName;
use super::quantity;
use crate::problem::Problem;
use crate::source::{Position, Source};
use crate::suggest;
use std::ops::{Range, RangeInclusive};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value and where it stands.
pub(crate) type Value<'t, 'i> = &'t Spanned<DeValue<'i>>;

/// Collects problems while a table is read.
pub(crate) struct Reader<'s> {
    source: &'s Source,
    problems: Vec<Problem>,
}

impl<'s> Reader<'s> {
    pub(crate) fn new(source: &'s Source) -> Reader<'s> {
        Reader {
            source,
            problems: Vec::new(),
        }
    }

    /// All problems, in the order of their places.
    pub(crate) fn finish(mut self) -> Vec<Problem> {
        self.problems
            .sort_by_key(|problem| (problem.line, problem.column));
        self.problems
    }

    /// Where a span begins.
    pub(crate) fn start(&self, span: &Range<usize>) -> Position {
        self.source.start(span)
    }

    pub(crate) fn error(&mut self, span: &Range<usize>, message: String, suggestion: String) {
        let place = self.source.start(span);
        self.problems
            .push(Problem::at(self.source, place, message).suggest(suggestion));
    }

    /// Reports the keys of a table that nobody asks for.
    pub(crate) fn refuse_others(&mut self, table: &DeTable<'_>, within: &str, known: &[&str]) {
        for (key, _value) in table {
            let name = key.get_ref().as_ref();
            if known.contains(&name) {
                continue;
            }
            let suggestion = match suggest::nearest(name, known.iter().copied()) {
                Some(near) => format!("write `{near}`, if that was meant"),
                None => format!("remove it; the keys here are {}", known.join(", ")),
            };
            self.error(
                &key.span(),
                format!("unknown key {name:?} in {within}"),
                suggestion,
            );
        }
    }

    /// The text of a key that must be there, as the type that checks it.
    pub(crate) fn required<'t, 'i, T>(
        &mut self,
        table: &'t DeTable<'i>,
        header: &Range<usize>,
        within: &str,
        key: &str,
        example: &str,
    ) -> Option<T>
    where
        T: for<'x> TryFrom<&'x str, Error = BadName>,
    {
        match table.get(key) {
            Some(value) => self.checked(value, key),
            None => {
                let message = format!("{within} has no `{key}`");
                self.error(
                    header,
                    message,
                    format!("add a line such as `{key} = {example}`"),
                );
                None
            }
        }
    }

    /// A text as the type that checks it.
    pub(crate) fn checked<T>(&mut self, value: Value<'_, '_>, key: &str) -> Option<T>
    where
        T: for<'x> TryFrom<&'x str, Error = BadName>,
    {
        let text = self.text(value, key)?;
        match T::try_from(text) {
            Ok(checked) => Some(checked),
            Err(bad) => {
                self.error(&value.span(), format!("`{key}`: {}", bad.wrong), bad.advice);
                None
            }
        }
    }

    pub(crate) fn text<'t>(&mut self, value: Value<'t, '_>, key: &str) -> Option<&'t str> {
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wrong_type(value, key, "a text in quotation marks");
        }
        text
    }

    pub(crate) fn table<'t, 'i>(
        &mut self,
        value: Value<'t, 'i>,
        what: &str,
    ) -> Option<&'t DeTable<'i>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong_type(value, what, "a table");
        }
        table
    }

    /// A list of texts, not empty.
    pub(crate) fn list<T>(&mut self, value: Value<'_, '_>, key: &str) -> Option<Vec<T>>
    where
        T: for<'x> TryFrom<&'x str, Error = BadName>,
    {
        let Some(items) = value.get_ref().as_array() else {
            self.wrong_type(value, key, "a list of texts");
            return None;
        };
        if items.is_empty() {
            let message = format!("`{key}` is an empty list");
            self.error(
                &value.span(),
                message,
                "name something in it, or remove the key".into(),
            );
            return None;
        }
        let read: Vec<Option<T>> = items.iter().map(|item| self.checked(item, key)).collect();
        read.into_iter().collect()
    }

    /// A list of ports of TCP, not empty.
    pub(crate) fn ports(&mut self, value: Value<'_, '_>, key: &str) -> Option<Vec<u16>> {
        let Some(items) = value.get_ref().as_array() else {
            self.wrong_type(value, key, "a list of numbers");
            return None;
        };
        if items.is_empty() {
            let message = format!("`{key}` is an empty list");
            let advice = "name a port in it, or remove the key";
            self.error(&value.span(), message, advice.into());
            return None;
        }
        let range = 1..=u64::from(u16::MAX);
        let read = items
            .iter()
            .map(|item| self.count(item, key, range.clone()));
        // Every wrong one is told.
        let read: Vec<Option<u64>> = read.collect();
        read.into_iter()
            .map(|port| port.and_then(|port| u16::try_from(port).ok()))
            .collect()
    }

    /// An amount of bytes within a range.
    pub(crate) fn bytes(
        &mut self,
        value: Value<'_, '_>,
        key: &str,
        range: RangeInclusive<u64>,
    ) -> Option<u64> {
        let amount = match value.get_ref() {
            DeValue::String(text) => quantity::bytes(text),
            DeValue::Integer(number) => number.to_u64(),
            _ => None,
        };
        let Some(amount) = amount else {
            self.wrong_type(
                value,
                key,
                "an amount such as \"16MiB\" (KiB, MiB, GiB, TiB)",
            );
            return None;
        };
        let (low, high) = (quantity::show(*range.start()), quantity::show(*range.end()));
        self.within(value, key, amount, &range, quantity::show, (&low, &high))
    }

    /// True or false.
    pub(crate) fn flag(&mut self, value: Value<'_, '_>, key: &str) -> Option<bool> {
        let DeValue::Boolean(flag) = value.get_ref() else {
            self.wrong_type(value, key, "true or false");
            return None;
        };
        Some(*flag)
    }

    /// A whole number within a range.
    pub(crate) fn count(
        &mut self,
        value: Value<'_, '_>,
        key: &str,
        range: RangeInclusive<u64>,
    ) -> Option<u64> {
        let DeValue::Integer(number) = value.get_ref() else {
            self.wrong_type(value, key, "a whole number");
            return None;
        };
        let Some(number) = number.to_u64() else {
            self.wrong_type(value, key, "a whole number that is not negative");
            return None;
        };
        let (low, high) = (range.start().to_string(), range.end().to_string());
        self.within(value, key, number, &range, |n| n.to_string(), (&low, &high))
    }

    /// Seconds, whole or not, as milliseconds within a range.
    pub(crate) fn seconds(
        &mut self,
        value: Value<'_, '_>,
        key: &str,
        range: RangeInclusive<u64>,
    ) -> Option<u64> {
        let seconds = match value.get_ref() {
            DeValue::Integer(number) => number.to_u64().map(|n| n as f64),
            DeValue::Float(number) => number.as_str().replace('_', "").parse::<f64>().ok(),
            _ => None,
        };
        let Some(seconds) = seconds.filter(|s| s.is_finite() && *s >= 0.0) else {
            self.wrong_type(value, key, "a number of seconds, such as 60 or 0.5");
            return None;
        };
        // Out of range is answered below; the cast saturates.
        let milliseconds = (seconds * 1000.0).round() as u64;
        let show = |ms: u64| format!("{} s", ms as f64 / 1000.0);
        let (low, high) = (show(*range.start()), show(*range.end()));
        self.within(value, key, milliseconds, &range, show, (&low, &high))
    }

    fn within(
        &mut self,
        value: Value<'_, '_>,
        key: &str,
        amount: u64,
        range: &RangeInclusive<u64>,
        show: impl Fn(u64) -> String,
        (low, high): (&str, &str),
    ) -> Option<u64> {
        if range.contains(&amount) {
            return Some(amount);
        }
        let message = format!("`{key}` is {}, out of range", show(amount));
        self.error(
            &value.span(),
            message,
            format!("choose between {low} and {high}"),
        );
        None
    }

    fn wrong_type(&mut self, value: Value<'_, '_>, key: &str, wanted: &str) {
        let found = match value.get_ref() {
            DeValue::String(text) => format!("the text {text:?}"),
            other => format!("of type {}", other.type_str()),
        };
        let message = format!("`{key}` is {found}");
        self.error(&value.span(), message, format!("write {wanted}"));
    }
}

/// The value of a TOML integer, whatever its base.
trait ToU64 {
    fn to_u64(&self) -> Option<u64>;
}

impl ToU64 for toml::de::DeInteger<'_> {
    fn to_u64(&self) -> Option<u64> {
        u64::from_str_radix(self.as_str(), self.radix()).ok()
    }
}
