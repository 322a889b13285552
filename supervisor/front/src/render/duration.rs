//! Spans of time for people.

/// Nanoseconds with three figures and a unit: `1.43 ms`.
pub fn nanoseconds(ns: u64) -> String {
    let (unit, name) = match ns {
        0..1_000 => return format!("{ns} ns"),
        1_000..1_000_000 => (1e3, "us"),
        1_000_000..1_000_000_000 => (1e6, "ms"),
        _ => (1e9, "s"),
    };
    let amount = ns as f64 / unit;
    let decimals = if amount < 10.0 {
        2
    } else {
        usize::from(amount < 100.0)
    };
    format!("{amount:.decimals$} {name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_three_figures_and_a_unit() {
        let shown = [0, 999, 1_000, 54_321, 143_210_000, 61_000_000_000].map(nanoseconds);
        assert_eq!(
            shown,
            ["0 ns", "999 ns", "1.00 us", "54.3 us", "143 ms", "61.0 s"]
        );
    }
}
