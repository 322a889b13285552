//! The control: an oracle with a bug planted in what it checks, to show that a run finds one.

use crate::{Verdict, ensure};

/// Says that no object may hold the member `"key"` after three arrays, which is not so.
pub fn check(data: &[u8]) -> Verdict {
    let arrays = data.iter().filter(|byte| **byte == b'[').count();
    let wrong =
        data.first() == Some(&b'{') && arrays >= 3 && data.windows(3).any(|w| w == b"\"k\"");
    ensure(!wrong, || "the planted bug was found".to_owned())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn the_planted_bug_shows_on_its_input_and_on_no_other() {
        assert!(check(b"{[[[\"k\"").is_err());
        assert!(check(b"{[[\"k\"").is_ok());
        assert!(check(b"").is_ok());
    }
}
