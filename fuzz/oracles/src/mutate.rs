//! Mutations of seeds from a fixed sequence of numbers: a small fuzzer without feedback.

use std::fmt;

/// Pieces of definitions, paths, calls and JSON that a mutation puts in.
const PIECES: &[&str] = &[
    "\"",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "$",
    "$$",
    ".",
    "..",
    "*",
    "@",
    "?(",
    ")",
    "'",
    "\\",
    "-1",
    "0",
    "1e9",
    "1e400",
    "18446744073709551616",
    "null",
    "true",
    "\\u0000",
    "\\ud800",
    "[*]",
    "[-1]",
    "[0:1]",
    "States.Array(",
    "States.Format('{}',",
    "States.StringToJson(",
    "\"Next\"",
    "\"End\":true",
    "\"Type\":\"Map\"",
    "\"Type\":\"Parallel\"",
    "\"Catch\":[]",
    "\"x.$\":\"$\"",
    "\"States.ALL\"",
    "é",
    "\u{202e}",
];

/// A sequence of mutations.
pub struct Mutator {
    state: u64,
}

impl fmt::Debug for Mutator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mutator({})", self.state)
    }
}

impl Mutator {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Mutator {
        Mutator { state: seed }
    }

    fn draw(&mut self, bound: usize) -> usize {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.state >> 33).unwrap_or(0) % bound.max(1)
    }

    /// A mutation of one of the seeds.
    pub fn next(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let seed = self.draw(seeds.len());
        let mut data = seeds.get(seed).cloned().unwrap_or_default();
        for _ in 0..=self.draw(4) {
            self.mutate(&mut data, seeds);
        }
        data
    }

    fn mutate(&mut self, data: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let from = self.draw(data.len() + 1);
        let to = (from + self.draw(12)).min(data.len());
        match self.draw(7) {
            0 => {
                data.drain(from..to);
            }
            1 => {
                let place = self.draw(PIECES.len());
                let piece = PIECES.get(place).copied().unwrap_or("");
                data.splice(from..from, piece.bytes());
            }
            2 => {
                let byte = u8::try_from(self.draw(256)).unwrap_or(0);
                if let Some(place) = data.get_mut(from) {
                    *place = byte;
                }
            }
            3 => {
                let bit = 1 << self.draw(8);
                if let Some(place) = data.get_mut(from) {
                    *place ^= bit;
                }
            }
            4 => {
                let copied: Vec<u8> = data.get(from..to).unwrap_or(&[]).to_vec();
                let at = self.draw(data.len() + 1);
                data.splice(at..at, copied);
            }
            5 => {
                let place = self.draw(seeds.len());
                let other = seeds.get(place).map_or(&[][..], Vec::as_slice);
                let cut = self.draw(other.len() + 1);
                data.truncate(from);
                data.extend_from_slice(other.get(cut..).unwrap_or(&[]));
            }
            _ => {
                let more = self.draw(16);
                for _ in 0..more {
                    let byte = u8::try_from(self.draw(256)).unwrap_or(0);
                    data.push(byte);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_same_seed_makes_the_same_mutations_and_they_differ_from_each_other() {
        let seeds = [b"{\"a\": [1, 2]}".to_vec(), b"$.a[*]".to_vec()];
        let make = |seed| {
            let mut mutator = Mutator::new(seed);
            (0..200).map(|_| mutator.next(&seeds)).collect::<Vec<_>>()
        };
        assert_eq!(make(1), make(1));
        let distinct: BTreeSet<_> = make(1).into_iter().collect();
        assert!(distinct.len() > 150, "{}", distinct.len());
    }
}
