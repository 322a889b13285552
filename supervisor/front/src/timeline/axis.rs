//! The scale of time: from nanoseconds to columns, and where its lines are.

use crate::render::duration::nanoseconds;

/// Maps time to columns of the picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    left: f64,
    width: f64,
    span_ns: f64,
}

impl Axis {
    /// An axis from 0 to `end_ns` over `width` columns from `left`.
    pub(super) fn new(left: f64, width: f64, end_ns: u64) -> Axis {
        Axis {
            left,
            width,
            span_ns: end_ns.max(1) as f64,
        }
    }

    /// The column of an instant.
    pub(super) fn at(&self, ns: u64) -> f64 {
        let part = (ns as f64 / self.span_ns).clamp(0.0, 1.0);
        self.left + part * self.width
    }

    /// Instants with round numbers, some six to eleven of them, and their labels.
    pub(super) fn ticks(&self) -> Vec<(u64, String)> {
        let mut step = 1u64;
        let grows = [2.0, 2.5, 2.0];
        let mut turn = grows.iter().cycle();
        while self.span_ns / step as f64 > 11.0 {
            let grow = turn.next().copied().unwrap_or(2.0);
            step = (step as f64 * grow) as u64;
        }
        (0u64..)
            .map(|n| n.saturating_mul(step))
            .take_while(|&at| at as f64 <= self.span_ns)
            .take(32)
            .map(|at| (at, label(at)))
            .collect()
    }
}

/// A round instant: `2.5 ms`, without needless zeros.
fn label(ns: u64) -> String {
    if ns == 0 {
        return "0".to_owned();
    }
    let text = nanoseconds(ns);
    match text.split_once(' ') {
        Some((number, unit)) if number.contains('.') => {
            let number = number.trim_end_matches('0').trim_end_matches('.');
            format!("{number} {unit}")
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_few_and_within_the_span() {
        for end in [
            1,
            7,
            999,
            123_456,
            143_000_000,
            3_600_000_000_000,
            u64::MAX / 2,
        ] {
            let ticks = Axis::new(0.0, 100.0, end).ticks();
            assert!((2..=12).contains(&ticks.len()), "{end}: {ticks:?}");
            assert!(ticks.iter().all(|(at, _)| *at <= end), "{end}");
        }
        let ticks = Axis::new(0.0, 1.0, 143_000_000).ticks();
        let labels: Vec<_> = ticks.into_iter().map(|(_, label)| label).collect();
        assert_eq!(
            labels,
            [
                "0", "20 ms", "40 ms", "60 ms", "80 ms", "100 ms", "120 ms", "140 ms"
            ]
        );
    }

    #[test]
    fn an_instant_out_of_range_stays_in_the_picture() {
        let axis = Axis::new(10.0, 100.0, 1000);
        assert_eq!(axis.at(0), 10.0);
        assert_eq!(axis.at(500), 60.0);
        assert_eq!(axis.at(u64::MAX), 110.0);
    }
}
