//! The rule that decides whether branches run one after the other or on other lanes as well.
//!
//! With `r` branches left, `t` the measured time of one branch, `n` lanes and `h` the measured cost
//! of a hand-over, running them here takes `r*t`; spreading them takes about `ceil(r/n)*t + h`, since
//! a branch is not divided. They are spread when that is less.
//!
//! Branches are lent in portions: each lane is given `r/(2n)` of what is left, so that portions
//! shrink towards the end and all lanes finish together (guided self-scheduling), but never so few
//! that running them takes less time than handing them over, which would leave the borrower idle. A
//! borrower that has nothing gets just that least portion first: it starts at once, and runs while
//! the lender prepares the next.

/// The figures that the rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Branches that have not been started.
    pub remaining: u64,
    /// Nanoseconds of one branch; `None` while none has been measured.
    pub branch_ns: Option<u64>,
    /// Lanes that can be used, this one included.
    pub lanes: u64,
    /// Nanoseconds of a hand-over.
    pub handover_ns: u64,
}

/// What the rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// No other lane is there.
    Alone,
    /// No branch has been measured; the next one runs here.
    Measure,
    /// Spreading would take longer than running them here.
    Sequence,
    /// Lend branches; both portions are at least one and at most half of what remains.
    Spread {
        /// For a lane that has nothing to do.
        first: u64,
        /// For a lane that runs a portion already.
        next: u64,
    },
}

/// Nanoseconds of a hand-over until one has been measured: two wakes across cores, each way.
pub const ASSUMED_HANDOVER_NS: u64 = 250_000;

impl Figures {
    /// Nanoseconds that the remaining branches take one after the other here.
    pub fn in_sequence_ns(&self) -> Option<u64> {
        self.branch_ns
            .map(|branch| branch.saturating_mul(self.remaining))
    }

    /// Nanoseconds that they take when they are spread.
    pub fn spread_ns(&self) -> Option<u64> {
        let rounds = self.remaining.div_ceil(self.lanes.max(1));
        Some(
            rounds
                .saturating_mul(self.branch_ns?)
                .saturating_add(self.handover_ns),
        )
    }

    /// Applies the rule.
    pub fn decide(&self) -> Decision {
        if self.lanes < 2 {
            return Decision::Alone;
        }
        let (Some(sequence), Some(spread)) = (self.in_sequence_ns(), self.spread_ns()) else {
            return Decision::Measure;
        };
        if self.remaining == 0 || spread >= sequence {
            return Decision::Sequence;
        }
        let share = self
            .remaining
            .checked_div(self.lanes.saturating_mul(2))
            .unwrap_or(0);
        let least = self
            .handover_ns
            .checked_div(self.branch_ns.unwrap_or(0))
            .unwrap_or(self.remaining)
            .saturating_add(1);
        // The lender keeps at least as much as it gives away.
        let most = self.remaining.div_ceil(2);
        Decision::Spread {
            first: least.min(most).max(1),
            next: share.max(least).min(most).max(1),
        }
    }

    /// The decision in words, with its figures.
    pub fn explain(&self) -> String {
        let ms = |ns: Option<u64>| match ns {
            // Microseconds as u32 keep the conversion exact; longer times need no digits.
            Some(ns) => match u32::try_from(ns / 1000) {
                Ok(us) => format!("{:.3} ms", f64::from(us) / 1000.0),
                Err(_) => format!("{} s", ns / 1_000_000_000),
            },
            None => "an unknown time".to_owned(),
        };
        let figures = || {
            format!(
                "{} branches of {} take {} in sequence, {} on {} lanes; a hand-over costs {}",
                self.remaining,
                ms(self.branch_ns),
                ms(self.in_sequence_ns()),
                ms(self.spread_ns()),
                self.lanes,
                ms(Some(self.handover_ns)),
            )
        };
        match self.decide() {
            Decision::Alone => "in sequence: no other lane was free".to_owned(),
            Decision::Measure => "in sequence: no branch had been measured".to_owned(),
            Decision::Sequence => format!("in sequence: {}", figures()),
            Decision::Spread { .. } => format!("spread: {}", figures()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: Figures = Figures {
        remaining: 200,
        branch_ns: Some(300_000),
        lanes: 2,
        handover_ns: 200_000,
    };

    #[test]
    fn long_branches_are_spread_and_short_ones_are_not() {
        assert_eq!(BASE.decide(), Decision::Spread { first: 1, next: 50 });
        assert_eq!(
            Figures {
                branch_ns: Some(1_000),
                ..BASE
            }
            .decide(),
            Decision::Sequence
        );
        assert_eq!(
            Figures {
                remaining: 1,
                ..BASE
            }
            .decide(),
            Decision::Sequence
        );
        assert_eq!(
            Figures {
                remaining: 0,
                ..BASE
            }
            .decide(),
            Decision::Sequence
        );
    }

    #[test]
    fn nothing_is_spread_without_a_measurement_or_a_second_lane() {
        assert_eq!(
            Figures {
                branch_ns: None,
                ..BASE
            }
            .decide(),
            Decision::Measure
        );
        assert_eq!(Figures { lanes: 1, ..BASE }.decide(), Decision::Alone);
        assert_eq!(Figures { lanes: 0, ..BASE }.decide(), Decision::Alone);
    }

    #[test]
    fn a_portion_is_worth_its_hand_over_and_never_more_than_half() {
        for remaining in 1..500 {
            for branch in [1, 999, 50_000, 10_000_000] {
                let figures = Figures {
                    remaining,
                    branch_ns: Some(branch),
                    ..BASE
                };
                if let Decision::Spread { first, next } = figures.decide() {
                    assert!(first >= 1 && first <= next && next <= remaining.div_ceil(2));
                    let worth = first * branch >= BASE.handover_ns;
                    assert!(worth || first == remaining.div_ceil(2), "{figures:?}");
                }
            }
        }
    }

    #[test]
    fn extreme_figures_do_not_overflow() {
        let extreme = Figures {
            remaining: u64::MAX,
            branch_ns: Some(u64::MAX),
            lanes: u64::MAX,
            handover_ns: u64::MAX,
        };
        let _no_panic = (extreme.decide(), extreme.explain());
        let zero = Figures {
            branch_ns: Some(0),
            ..BASE
        };
        assert_eq!(zero.decide(), Decision::Sequence);
    }
}
