//! The scanner against the reference: the same finds, wherever a region is cut out of its neighbours.

use crate::bytes::Bytes;
use crate::{Verdict, ensure, reference};
use keylane_scan::{Neighbours, Place};

/// Bytes of which patterns and their neighbours are made; a fuzzer's byte chooses one or stands for
/// itself.
const ALPHABET: [u8; 16] = [
    0x0f, 0x01, 0xef, 0xae, 0xc7, 0xf3, 0x48, 0x66, 0x28, 0x6f, 0xd0, 0xdf, 0x18, 0xe8, 0x00, 0x90,
];

/// A find: the offset of the byte 0F, and the instruction.
pub type Find = (i64, &'static str);

/// A scanner of a region between two neighbours; offsets count from the region's start.
pub type Scanner = fn(&[u8], &[u8], &[u8]) -> Vec<Find>;

/// Checks Keylane's scanner.
pub fn check(data: &[u8]) -> Verdict {
    judge(data, keylane)
}

/// Judges a scanner on what the data say.
pub fn judge(data: &[u8], scanner: Scanner) -> Verdict {
    let mut bytes = Bytes::new(data);
    let (from, to) = (usize::from(bytes.byte()), usize::from(bytes.byte()));
    // Long enough for several blocks of the scanner, now and then.
    let filler = vec![0x90; usize::from(bytes.byte() % 4) * 50];
    let whole: Vec<u8> = bytes
        .rest()
        .iter()
        .map(|byte| letter(*byte))
        .chain(filler)
        .collect();
    let from = from.min(whole.len());
    let to = to.clamp(from, whole.len().max(from));
    let (rest, after) = whole.split_at(to);
    let (before, region) = rest.split_at(from);
    let start = i64::try_from(from).unwrap_or(0);
    let end = i64::try_from(to).unwrap_or(0);
    let expected: Vec<Find> = reference::all(&whole)
        .into_iter()
        .filter_map(|(at, name)| Some((i64::try_from(at).ok()?, name)))
        .filter(|(at, _)| at + 3 > start && *at < end)
        .map(|(at, name)| (at - start, name))
        .collect();
    let found = scanner(before, region, after);
    ensure(found == expected || region.is_empty(), || {
        format!("{before:x?} | {region:x?} | {after:x?}: found {found:?} instead of {expected:?}")
    })
}

fn letter(byte: u8) -> u8 {
    let low = ALPHABET.get(usize::from(byte)).copied();
    low.unwrap_or(byte)
}

fn keylane(before: &[u8], region: &[u8], after: &[u8]) -> Vec<Find> {
    let mut finds = Vec::new();
    let number = |at: usize| i64::try_from(at).unwrap_or(i64::MAX);
    keylane_scan::region(region, Neighbours { before, after }, |place, pattern| {
        let at = match place {
            Place::AcrossStart { before, at } => number(at) - number(before),
            Place::Inside(at) | Place::AcrossEnd(at) => number(at),
        };
        finds.push((at, pattern.name));
    });
    finds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutate::Mutator;

    /// Whether some mutation of a few seeds shows that a scanner is wrong.
    fn is_found_out(scanner: Scanner) -> bool {
        let seeds = [b"\x04\x09\x00\x0f\x0f\x00\x01\x02\x0f\x05\x06\x00\x03\x0b".to_vec()];
        let mut mutator = Mutator::new(3);
        (0..3000).any(|_| judge(&mutator.next(&seeds), scanner).is_err())
    }

    #[test]
    fn scanners_with_the_known_mistakes_are_found_out() {
        assert!(!is_found_out(keylane));
        // A find at offset 0 taken for none, and the end of the search.
        assert!(is_found_out(|before, region, after| {
            keylane(before, region, after)
                .into_iter()
                .take_while(|(at, _)| *at != 0)
                .collect()
        }));
        // Neighbours ignored; the one before ignored; the one after ignored.
        assert!(is_found_out(|_, region, _| keylane(&[], region, &[])));
        assert!(is_found_out(|_, region, after| keylane(&[], region, after)));
        assert!(is_found_out(|before, region, _| keylane(
            before,
            region,
            &[]
        )));
        // Resumed behind a whole find, or ended by the first.
        assert!(is_found_out(|before, region, after| {
            keylane(before, region, after).into_iter().take(1).collect()
        }));
        // Prefixes that are not looked at.
        assert!(is_found_out(|before, region, after| {
            let bases = |name: &str| name.ends_with("BASE");
            keylane(before, region, after)
                .into_iter()
                .filter(|(_, name)| !bases(name))
                .collect()
        }));
    }
}
