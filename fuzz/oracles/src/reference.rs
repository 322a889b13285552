//! A second, slow scanner, written from the manuals' encodings and from nothing of Keylane's.
//!
//! It asks for one byte after the other, wherever they come from, so that it can look through a file, a region with
//! neighbours, or an address space alike.

/// The forbidden instruction whose three last bytes begin at `at`, if there is one.
pub fn at(byte: &dyn Fn(i64) -> Option<u8>, at: i64) -> Option<&'static str> {
    match (byte(at)?, byte(at + 1)?, byte(at + 2)?) {
        (0x0f, 0x01, 0xef) => Some("WRPKRU"),
        (0x0f, 0xae, 0x28..=0x2f | 0x68..=0x6f | 0xa8..=0xaf) => Some("XRSTOR"),
        (0x0f, 0xc7, 0x18..=0x1f | 0x58..=0x5f | 0x98..=0x9f) => Some("XRSTORS"),
        (0x0f, 0xae, 0xd0..=0xd7) if has_f3(byte, at) => Some("WRFSBASE"),
        (0x0f, 0xae, 0xd8..=0xdf) if has_f3(byte, at) => Some("WRGSBASE"),
        _ => None,
    }
}

/// Whether F3 is one of the at most twelve prefixes before `at`.
fn has_f3(byte: &dyn Fn(i64) -> Option<u8>, at: i64) -> bool {
    for distance in 1..=12 {
        match byte(at - distance) {
            Some(0xf3) => return true,
            // Segments, sizes, lock, repetition, REX.
            Some(0x26 | 0x2e | 0x36 | 0x3e | 0x64..=0x67 | 0xf0 | 0xf2) => {}
            Some(rex) if rex >> 4 == 4 => {}
            _ => return false,
        }
    }
    false
}

/// All of them in a slice, with their offsets.
pub fn all(bytes: &[u8]) -> Vec<(usize, &'static str)> {
    let byte = |at: i64| bytes.get(usize::try_from(at).ok()?).copied();
    let find = |offset: usize| Some((offset, at(&byte, i64::try_from(offset).ok()?)?));
    (0..bytes.len()).filter_map(find).collect()
}

#[cfg(test)]
mod tests {
    use super::all;

    #[test]
    fn what_the_manuals_write_is_found_and_what_stands_beside_it_is_not() {
        assert_eq!(all(&[0x0f, 0x01, 0xef]), [(0, "WRPKRU")]);
        assert_eq!(all(&[0x48, 0x0f, 0xae, 0x2f]), [(1, "XRSTOR")]);
        assert_eq!(all(&[0x0f, 0xc7, 0x5c]), [(0, "XRSTORS")]);
        assert_eq!(all(&[0xf3, 0x48, 0x0f, 0xae, 0xd3]), [(2, "WRFSBASE")]);
        // RDPKRU, LFENCE, FXRSTOR, CMPXCHG16B, WRGSBASE's bytes without F3.
        for bytes in [[0x0f, 0x01, 0xee], [0x0f, 0xae, 0xe8], [0x0f, 0xae, 0x0f]] {
            assert_eq!(all(&bytes), []);
        }
        assert_eq!(all(&[0x0f, 0xc7, 0x0f, 0x0f, 0xae, 0xd8]), []);
    }
}
