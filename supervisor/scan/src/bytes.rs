//! One slice, at every offset.
//!
//! Two bytes decide almost everywhere that there is nothing: the escape and one of the few second bytes. They
//! are compared for a block at once, in a loop without branches that the compiler turns into vector
//! instructions; a block that has such a pair somewhere is then read offset by offset.

use keylane_policy::instruction::{ESCAPE, OPCODE_BYTES, PREFIX_BYTES, Pattern, recognise};

/// Offsets that are looked at together.
const BLOCK: usize = 64;

/// The second bytes of the patterns; a test compares them with the table.
const SECONDS: [u8; 3] = [0x01, 0xae, 0xc7];

/// Calls `found` with the offset and the pattern of each find, in order. An offset is where the
/// escape byte stands; prefixes in front of it are not part of a find.
pub fn each(bytes: &[u8], mut found: impl FnMut(usize, &'static Pattern)) {
    let seconds = bytes.get(1..).unwrap_or_default();
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let (nexts, _) = seconds.as_chunks::<BLOCK>();
    let mut from = 0;
    for (block, next) in blocks.iter().zip(nexts) {
        if is_suspicious(block, next) {
            one_by_one(bytes, from, from + BLOCK, &mut found);
        }
        from += BLOCK;
    }
    one_by_one(bytes, from, bytes.len(), &mut found);
}

/// Whether a pair of first and second bytes stands at one of these offsets.
fn is_suspicious(block: &[u8; BLOCK], next: &[u8; BLOCK]) -> bool {
    let [a, b, c] = SECONDS;
    let pairs = block.iter().zip(next).map(|(first, second)| {
        u8::from(*first == ESCAPE)
            & (u8::from(*second == a) | u8::from(*second == b) | u8::from(*second == c))
    });
    pairs.fold(0, |any, one| any | one) != 0
}

fn one_by_one(
    bytes: &[u8],
    from: usize,
    to: usize,
    found: &mut impl FnMut(usize, &'static Pattern),
) {
    for at in from..to {
        let Some(&[first, second, third]) = bytes.get(at..at + OPCODE_BYTES) else {
            continue;
        };
        if first != ESCAPE {
            continue;
        }
        let before = bytes.get(at.saturating_sub(PREFIX_BYTES)..at);
        if let Some(pattern) = recognise(before.unwrap_or_default(), [first, second, third]) {
            found(at, pattern);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keylane_policy::instruction::PATTERNS;

    fn finds(bytes: &[u8]) -> Vec<(usize, &'static str)> {
        let mut finds = Vec::new();
        each(bytes, |at, pattern| finds.push((at, pattern.name)));
        finds
    }

    #[test]
    fn the_second_bytes_are_those_of_the_table() {
        let mut table: Vec<u8> = PATTERNS.iter().map(|pattern| pattern.second).collect();
        table.sort_unstable();
        table.dedup();
        assert_eq!(table, SECONDS);
    }

    #[test]
    fn a_pattern_is_found_at_every_offset_of_slices_of_every_length() {
        for length in 3..200 {
            for at in 0..=length - 3 {
                let mut bytes = vec![0x0f; length];
                bytes[at..at + 3].copy_from_slice(&[0x0f, 0x01, 0xef]);
                assert_eq!(finds(&bytes), [(at, "WRPKRU")], "{at} of {length}");
            }
        }
    }

    #[test]
    fn a_find_at_the_start_or_right_after_another_does_not_end_the_search() {
        let bytes = [0x0f, 0x01, 0xef].repeat(50);
        let expected: Vec<_> = (0..50).map(|i| (i * 3, "WRPKRU")).collect();
        assert_eq!(finds(&bytes), expected);
    }

    #[test]
    fn what_is_shorter_than_a_pattern_holds_none() {
        for bytes in [&[][..], &[0x0f], &[0x0f, 0x01], &[0x01, 0xef], &[0xef]] {
            assert_eq!(finds(bytes), []);
        }
    }

    #[test]
    fn a_pattern_across_two_instructions_or_inside_a_displacement_is_found() {
        // rol $0xf,%r15d; add %ebp,%edi, as libnettle has it; then lea 0xef010f(%rax),%rcx.
        assert_eq!(
            finds(&[0x41, 0xc1, 0xc7, 0x0f, 0x01, 0xef]),
            [(3, "WRPKRU")]
        );
        assert_eq!(
            finds(&[0x48, 0x8d, 0x88, 0x0f, 0x01, 0xef, 0x00]),
            [(3, "WRPKRU")]
        );
    }

    #[test]
    fn prefixes_across_a_blocks_border_count() {
        let mut bytes = vec![0x90; 200];
        bytes[60..70].copy_from_slice(&[0xf3, 0x66, 0x66, 0x66, 0x66, 0x48, 0x90, 0, 0, 0]);
        bytes[66..69].copy_from_slice(&[0x0f, 0xae, 0xd1]);
        assert_eq!(finds(&bytes), [(66, "WRFSBASE")]);
    }
}
