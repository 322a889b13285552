//! Timestamps (RFC 3339) to and from nanoseconds since the epoch. Reads no clock.

/// Nanoseconds in a second.
pub(crate) const SECOND: u64 = 1_000_000_000;
const DAY: i64 = 86_400;

/// `seconds` as nanoseconds, at most what a `u64` holds.
pub(crate) fn seconds(seconds: f64) -> u64 {
    let ns = (seconds * 1.0e9).clamp(0.0, 9.0e18);
    std::time::Duration::try_from_secs_f64(ns / 1.0e9)
        .ok()
        .and_then(|duration| u64::try_from(duration.as_nanos()).ok())
        .unwrap_or(u64::MAX)
}

/// `2016-08-18T17:33:00.123Z` for an instant.
pub fn format(ns: u64) -> String {
    let millis = ns / 1_000_000 % 1000;
    let seconds = i64::try_from(ns / SECOND).unwrap_or(0);
    let (year, month, day) = civil(seconds.div_euclid(DAY));
    let rest = seconds.rem_euclid(DAY);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// The instant that an RFC 3339 timestamp names, in nanoseconds; none if it is no timestamp.
pub(crate) fn parse(text: &str) -> Option<i128> {
    let mut at = Reader { rest: text };
    let (year, month, day) = (at.digits(4)?, at.after('-')?, at.after('-')?);
    if !at.take('T') && !at.take('t') {
        return None;
    }
    let (hour, minute, second) = (at.digits(2)?, at.after(':')?, at.after(':')?);
    let nanos = if at.take('.') { at.fraction()? } else { 0 };
    let offset = at.offset()?;
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let days = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=days).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = days_from_civil(year, month, day) * DAY + hour * 3600 + minute * 60 + second;
    Some(i128::from(seconds - offset) * i128::from(SECOND) + i128::from(nanos))
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn take(&mut self, wanted: char) -> bool {
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.rest.split_at_checked(count)?;
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        self.rest = rest;
        digits.parse().ok()
    }

    fn after(&mut self, separator: char) -> Option<i64> {
        if self.take(separator) {
            self.digits(2)
        } else {
            None
        }
    }

    fn fraction(&mut self) -> Option<i64> {
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        let nanos: String = digits.chars().chain("000000000".chars()).take(9).collect();
        if digits.is_empty() {
            None
        } else {
            nanos.parse().ok()
        }
    }

    /// Seconds east of UTC; nothing may follow.
    fn offset(&mut self) -> Option<i64> {
        if self.take('Z') || self.take('z') {
            return self.rest.is_empty().then_some(0);
        }
        let sign = if self.take('+') {
            1
        } else if self.take('-') {
            -1
        } else {
            return None;
        };
        let (hours, minutes) = (self.digits(2)?, self.after(':')?);
        let valid = self.rest.is_empty() && hours <= 23 && minutes <= 59;
        valid.then_some(sign * (hours * 3600 + minutes * 60))
    }
}

/// Days since the epoch of a date in the Gregorian calendar. Years begin in March here, so that
/// the leap day is the last of its year.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_read_with_fractions_and_offsets() {
        assert_eq!(parse("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(parse("1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(
            parse("2016-03-14T01:59:00.5Z"),
            Some(1_457_920_740_500_000_000)
        );
        assert_eq!(parse("1969-12-31T23:59:59Z"), Some(-1_000_000_000));
    }

    #[test]
    fn what_is_no_timestamp_is_refused() {
        for text in [
            "",
            "2016",
            "2016-03-14",
            "2016-03-14T01:59:00",
            "2016-13-01T00:00:00Z",
            "2015-02-29T00:00:00Z",
            "2016-03-14T24:00:00Z",
            "2016-03-14T01:59:00Zx",
            "2016-03-14T01:59:00.Z",
            "2016-03-14 01:59:00Z",
            "é016-03-14T01:59:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn formatting_and_reading_agree_over_four_centuries() {
        for days in (0..150_000_u64).step_by(97) {
            let ns = (days * 86_400 + days % 86_400) * SECOND + 123_000_000;
            assert_eq!(parse(&format(ns)), Some(i128::from(ns)), "{}", format(ns));
        }
        assert_eq!(format(1_709_164_800 * SECOND), "2024-02-29T00:00:00.000Z");
    }
}
