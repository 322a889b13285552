//! Draws choices from a fuzzer's bytes. Bytes that have run out are zeros, so that every input
//! means something and a shorter one means something simpler.

/// A reader of choices.
#[derive(Clone, Debug)]
pub struct Bytes<'a> {
    rest: &'a [u8],
}

impl<'a> Bytes<'a> {
    /// A reader from the first byte.
    pub fn new(data: &'a [u8]) -> Bytes<'a> {
        Bytes { rest: data }
    }

    /// Whether every byte was read.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        match self.rest.split_first() {
            Some((first, rest)) => {
                self.rest = rest;
                *first
            }
            None => 0,
        }
    }

    /// The next eight bytes.
    pub fn number(&mut self) -> u64 {
        (0..8).fold(0, |number, _| number << 8 | u64::from(self.byte()))
    }

    /// A number below `bound`, which is taken to be 1 at least.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::from(self.byte()) % bound.max(1)
    }

    /// One of some values; the first where there are none left.
    pub fn pick<T: Copy>(&mut self, first: T, others: &[T]) -> T {
        match self.below(others.len() + 1) {
            0 => first,
            place => others.get(place - 1).copied().unwrap_or(first),
        }
    }

    /// What was not read.
    pub fn rest(self) -> &'a [u8] {
        self.rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_follow_the_bytes_and_are_the_first_when_none_are_left() {
        let mut bytes = Bytes::new(&[2, 9]);
        assert_eq!(bytes.pick('a', &['b', 'c']), 'c');
        assert_eq!(bytes.below(4), 1);
        assert!(bytes.is_empty());
        assert_eq!(bytes.pick('a', &['b', 'c']), 'a');
        assert_eq!(bytes.number(), 0);
    }
}
