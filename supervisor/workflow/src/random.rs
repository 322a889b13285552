//! Pseudo-random numbers from the seed that the host gave.
//!
//! They serve jitter, `States.MathRandom` and `States.UUID`. Each branch of a fan-out draws from a
//! sequence of its own, so a branch that another lane runs draws what it would have drawn here.
//! The numbers are not secret: whoever knows the seed knows them all.

use std::cell::Cell;

/// A sequence of numbers (SplitMix64).
#[derive(Debug)]
pub(crate) struct Random(Cell<u64>);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(Cell::new(seed))
    }

    /// Where the sequence is; a sequence made from it goes on from there.
    pub(crate) fn state(&self) -> u64 {
        self.0.get()
    }

    /// The next number.
    pub(crate) fn draw(&self) -> u64 {
        let state = self.0.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.0.set(state);
        mix(state)
    }

    /// A number below `bound`, which is not 0.
    pub(crate) fn below(&self, bound: u64) -> u64 {
        let wide = u128::from(self.draw()) * u128::from(bound.max(1));
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// The seed of branch `index` of the fan-out that is the `fan`-th of this sequence's owner.
    pub(crate) fn seed_of(seed: u64, fan: u64, index: u64) -> u64 {
        mix(mix(seed ^ mix(fan.wrapping_add(1))).wrapping_add(index))
    }

    /// A version 4 UUID.
    pub(crate) fn uuid(&self) -> String {
        let (high, low) = (self.draw(), self.draw());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xFFFF,
            high & 0xFFF,
            0x8000 | (low >> 48) & 0x3FFF,
            low & 0xFFFF_FFFF_FFFF
        )
    }
}

fn mix(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_below_their_bound_and_reach_every_value() {
        let random = Random::new(7);
        let mut seen = [false; 5];
        for _ in 0..200 {
            seen[usize::try_from(random.below(5)).unwrap()] = true;
        }
        assert_eq!(seen, [true; 5]);
    }

    #[test]
    fn a_uuid_has_the_form_of_version_4() {
        let uuid = Random::new(1).uuid();
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&uuid.as_bytes()[19]), "{uuid}");
    }
}
