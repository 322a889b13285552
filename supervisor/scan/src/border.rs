//! A region of address space with what lies right before and right after it.
//!
//! Neighbours count whatever their protection is now: a page that cannot be executed, or even read, may become
//! executable later, and then nobody looks at the bytes across the border again.

use crate::each;
use keylane_policy::instruction::{
    ESCAPE, OPCODE_BYTES, PATTERNS, PREFIX_BYTES, Pattern, recognise,
};

/// Bytes before a border that an instruction across it can begin with: prefixes and two of the three
/// bytes that decide.
const LEAD: usize = PREFIX_BYTES + OPCODE_BYTES - 1;
/// Bytes after a border that it can end with.
const TAIL: usize = OPCODE_BYTES - 1;

/// What lies beside a region. Empty where nothing is mapped.
#[derive(Clone, Copy, Debug, Default)]
pub struct Neighbours<'a> {
    /// Bytes that end where the region begins; the last 14 matter.
    pub before: &'a [u8],
    /// Bytes that begin where the region ends; the first two matter.
    pub after: &'a [u8],
}

/// Where a find lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Across the start: the three bytes begin so many bytes before the region (1 or 2), or, with 0
    /// and more, an F3 that makes them the instruction stands before it.
    AcrossStart {
        /// Bytes of the three that lie before the region.
        before: usize,
        /// Offset in the region of the first of the three that lies in it.
        at: usize,
    },
    /// Inside, at this offset.
    Inside(usize),
    /// Across the end: the three bytes begin at this offset and end in the neighbour.
    AcrossEnd(usize),
}

/// Calls `found` for each find that touches the region, in order.
pub fn region(
    region: &[u8],
    neighbours: Neighbours<'_>,
    mut found: impl FnMut(Place, &'static Pattern),
) {
    let skip = neighbours.before.len().saturating_sub(LEAD);
    let before = neighbours.before.get(skip..).unwrap_or_default();
    let after = neighbours.after;
    let after = after.get(..TAIL.min(after.len())).unwrap_or_default();
    // The first offsets see prefixes in front of the region, the last two bytes beyond it; what is
    // between is searched where it is.
    let head = PREFIX_BYTES.min(region.len());
    let tail = region.len().saturating_sub(TAIL).max(head);
    let seam = [
        before,
        region
            .get(..(head + TAIL).min(region.len()))
            .unwrap_or_default(),
    ];
    let mut seam = seam.concat();
    if region.len() < head + TAIL {
        seam.extend_from_slice(after);
        seam.truncate(before.len() + head + TAIL);
    }
    each(&seam, |at, pattern| {
        let Some(inside) = at.checked_sub(before.len()) else {
            let outside = before.len() - at;
            // Whole in the neighbour, or cut off by a region that is shorter than what is missing.
            if outside < OPCODE_BYTES && !region.is_empty() {
                found(
                    Place::AcrossStart {
                        before: outside,
                        at: 0,
                    },
                    pattern,
                );
            }
            return;
        };
        if inside >= head {
            return;
        }
        let place = if inside + OPCODE_BYTES > region.len() {
            Place::AcrossEnd(inside)
        } else if stands_alone(region, inside) {
            Place::Inside(inside)
        } else {
            Place::AcrossStart {
                before: 0,
                at: inside,
            }
        };
        found(place, pattern);
    });
    each(region, |at, pattern| {
        if (head..tail).contains(&at) {
            found(Place::Inside(at), pattern);
        }
    });
    let lead = tail.saturating_sub(PREFIX_BYTES);
    let seam = [region.get(lead..).unwrap_or_default(), after].concat();
    each(&seam, |at, pattern| {
        if lead + at >= tail {
            found(Place::AcrossEnd(lead + at), pattern);
        }
    });
}

/// Whether bytes end in the beginning of a pattern, which whatever is put behind them could complete.
/// Two regions of which the first is not open hold no pattern across their border.
pub fn is_open(bytes: &[u8]) -> bool {
    let lead = bytes
        .get(bytes.len().saturating_sub(LEAD)..)
        .unwrap_or_default();
    PATTERNS.iter().any(|pattern| {
        let whole = (0..=u8::MAX).filter(|byte| pattern.third.holds(*byte));
        let opcodes = whole.map(|third| [ESCAPE, pattern.second, third]);
        opcodes.into_iter().any(|opcode| {
            // All of the three bytes behind the border, with F3 before it, or the last of them.
            (0..OPCODE_BYTES).any(|held| {
                let (inside, outside) = opcode.split_at(held);
                let crosses = held > 0 || pattern.needs_repeat;
                let ends = lead.strip_suffix(inside);
                crosses
                    && !outside.is_empty()
                    && ends.is_some_and(|before| recognise(before, opcode).is_some())
            })
        })
    })
}

/// Whether a find at this offset is one without the bytes before the region.
fn stands_alone(region: &[u8], at: usize) -> bool {
    let mut alone = false;
    let upto = region.get(..at + OPCODE_BYTES).unwrap_or_default();
    each(upto, |one, _| alone |= one == at);
    alone
}

#[cfg(test)]
mod tests {
    use super::*;
    use keylane_policy::instruction::Instruction::{self, Wrgsbase, Wrpkru, Xrstor};

    fn finds(before: &[u8], bytes: &[u8], after: &[u8]) -> Vec<(Place, Instruction)> {
        let mut finds = Vec::new();
        region(bytes, Neighbours { before, after }, |place, pattern| {
            finds.push((place, pattern.instruction));
        });
        finds
    }

    /// Where the whole lies as `cut` says, the parts find what the whole holds and that crosses or touches them.
    fn compare(whole: &[u8], from: usize, to: usize) {
        let (before, after) = (&whole[..from], &whole[to..]);
        let mut expected = Vec::new();
        each(whole, |at, pattern| {
            if at + OPCODE_BYTES > from && at < to {
                expected.push((at, pattern.instruction));
            }
        });
        let found: Vec<_> = finds(before, &whole[from..to], after)
            .into_iter()
            .map(|(place, instruction)| {
                let at = match place {
                    Place::AcrossStart { before, at } => from + at - before,
                    Place::Inside(at) | Place::AcrossEnd(at) => from + at,
                };
                let crosses = at < from || at + OPCODE_BYTES > to;
                assert_eq!(
                    crosses,
                    !matches!(
                        place,
                        Place::Inside(_) | Place::AcrossStart { before: 0, .. }
                    )
                );
                (at, instruction)
            })
            .collect();
        assert_eq!(found, expected, "{whole:x?} cut at {from} and {to}");
    }

    #[test]
    fn every_way_to_cut_a_region_finds_what_the_whole_holds() {
        let mut state = 7_u64;
        for _ in 0..60 {
            let whole: Vec<u8> = (0..48)
                .map(|_| {
                    state = state
                        .wrapping_mul(6364136223846793005)
                        .wrapping_add(1442695040888963407);
                    [
                        0x0f, 0x0f, 0x01, 0xae, 0xef, 0x2f, 0xf3, 0x48, 0xd8, 0xc7, 0x18, 0x00,
                    ][usize::try_from(state >> 33).unwrap() % 12]
                })
                .collect();
            for from in 0..=whole.len() {
                for to in from + 1..=whole.len() {
                    compare(&whole, from, to);
                }
            }
        }
    }

    #[test]
    fn a_pattern_that_is_split_over_a_border_is_found_from_both_sides() {
        let page = [0x90; 4096];
        let mut first = page;
        for (end, start) in [(&[0x0f][..], &[0x01, 0xef][..]), (&[0x0f, 0x01], &[0xef])] {
            first[4096 - end.len()..].copy_from_slice(end);
            let mut second = page;
            second[..start.len()].copy_from_slice(start);
            let at = 4096 - end.len();
            assert_eq!(
                finds(&[], &first, &second),
                [(Place::AcrossEnd(at), Wrpkru)]
            );
            let place = Place::AcrossStart {
                before: end.len(),
                at: 0,
            };
            assert_eq!(finds(&first, &second, &[]), [(place, Wrpkru)]);
            assert_eq!(finds(&[], &first, &[]), []);
            first = page;
        }
    }

    #[test]
    fn a_region_of_one_byte_between_two_others_is_seen() {
        let place = Place::AcrossStart { before: 1, at: 0 };
        assert_eq!(finds(&[0x0f], &[0xae], &[0x28]), [(place, Xrstor)]);
    }

    #[test]
    fn an_f3_on_the_other_side_of_a_border_counts() {
        let place = Place::AcrossStart { before: 0, at: 1 };
        assert_eq!(
            finds(&[0xf3], &[0x48, 0x0f, 0xae, 0xd8], &[]),
            [(place, Wrgsbase)]
        );
        assert_eq!(finds(&[], &[0x48, 0x0f, 0xae, 0xd8], &[]), []);
    }

    #[test]
    fn an_open_end_is_one_that_some_bytes_behind_it_complete() {
        for open in [
            &[0x0f][..],
            &[0x90, 0x0f, 0x01],
            &[0x0f, 0xae],
            &[0x0f, 0xc7],
            &[0xf3],
            &[0xf3, 0x48],
        ] {
            assert!(is_open(open), "{open:x?}");
        }
        for closed in [
            &[][..],
            &[0x90],
            &[0x0f, 0x00],
            &[0x0f, 0x01, 0xef],
            &[0xf3, 0x90],
            &[0x48],
            &[0x01],
        ] {
            assert!(!is_open(closed), "{closed:x?}");
        }
    }

    #[test]
    fn what_lies_in_a_neighbour_alone_is_the_neighbours() {
        let find = [0x0f, 0x01, 0xef];
        assert_eq!(finds(&find, &[0x90; 20], &find), []);
    }
}
