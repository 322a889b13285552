//! Many times of one thing, and the few numbers that say what they were like.

use serde::Serialize;

/// The times of one way to do something, in nanoseconds, round by round.
#[derive(Clone, Debug, Default)]
pub(super) struct Times {
    rounds: Vec<Vec<f64>>,
}

/// What is told of many numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Summary {
    /// How many numbers there are.
    pub(super) samples: usize,
    /// The middle one.
    pub(super) p50: f64,
    /// The 99th percentile; of fewer than a hundred numbers it is the largest.
    pub(super) p99: f64,
    /// The distance between the quartiles as a share of the middle.
    pub(super) spread: f64,
}

impl Times {
    /// Adds a round.
    pub(super) fn push(&mut self, round: Vec<f64>) {
        self.rounds.push(round);
    }

    /// Of all times, whichever round they are of; `None` without any.
    pub(super) fn summary(&self) -> Option<Summary> {
        Summary::of(self.rounds.iter().flatten().copied().collect())
    }

    /// The middle of each round.
    pub(super) fn middles(&self) -> Vec<f64> {
        let middle = |round: &Vec<f64>| Summary::of(round.clone()).map(|summary| summary.p50);
        self.rounds.iter().filter_map(middle).collect()
    }

    /// Each time less its neighbour of the same round and place.
    pub(super) fn less(&self, other: &Times) -> Times {
        let pairs = self.rounds.iter().zip(&other.rounds);
        let rounds = pairs.map(|(ours, theirs)| ours.iter().zip(theirs).map(|(a, b)| a - b));
        Times {
            rounds: rounds.map(Iterator::collect).collect(),
        }
    }
}

impl Summary {
    /// What is told of these numbers; `None` if there are none.
    pub(super) fn of(mut numbers: Vec<f64>) -> Option<Summary> {
        numbers.sort_by(f64::total_cmp);
        let at = |share: f64| -> Option<f64> {
            // The smallest number that at least this share of all does not exceed.
            let rank = (share * numbers.len() as f64).ceil() as usize;
            numbers.get(rank.saturating_sub(1)).copied()
        };
        let (low, p50, high) = (at(0.25)?, at(0.5)?, at(0.75)?);
        let p99 = at(0.99)?;
        Some(Summary {
            samples: numbers.len(),
            p50,
            p99,
            spread: if p50 == 0.0 {
                0.0
            } else {
                (high - low) / p50.abs()
            },
        })
    }
}

/// The ratio of two numbers in each round.
pub(super) fn ratios(above: &[f64], below: &[f64]) -> Vec<f64> {
    let pairs = above.iter().zip(below).filter(|(_, below)| **below > 0.0);
    pairs.map(|(above, below)| above / below).collect()
}

/// The sum of two numbers in each round.
pub(super) fn sums(first: &[f64], second: &[f64]) -> Vec<f64> {
    first.iter().zip(second).map(|(a, b)| a + b).collect()
}
