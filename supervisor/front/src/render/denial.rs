//! Denied calls as a person sees them on the terminal: one line each, the first few.
//!
//! An attacker controls: the arguments of a denied call and what they point to.

use super::escape;
use keylane_policy::denial::Denials;
use keylane_policy::limit::DENIAL_LINES;

/// Bytes of one line.
const LINE_BYTES: usize = 400;

/// Lines about the denied calls of an execution.
pub fn lines(denials: &Denials) -> Vec<String> {
    let shown = denials.records.iter().take(DENIAL_LINES);
    let mut lines: Vec<String> = shown
        .map(|denial| {
            let text = format!("keylane: function \"{}\": {denial}", denial.function);
            escape::line(&escape::cut(&text, LINE_BYTES)).into_owned()
        })
        .collect();
    let rest: u64 = denials
        .records
        .iter()
        .skip(DENIAL_LINES)
        .fold(denials.more, |sum, denial| sum.saturating_add(denial.times));
    if rest > 0 {
        lines.push(format!("keylane: and {rest} more denied calls"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use keylane_policy::denial::{Denial, Notice, Pointed};
    use keylane_policy::syscall::{Groups, Scene};

    fn denial(function: &str, number: u32) -> Denial {
        let notice = Notice {
            number,
            arguments: [1; 6],
            pointed: Pointed::Bytes(vec![0x1b; 512]),
        };
        let scene = Scene {
            landlock_abi: 6,
            provisions: keylane_policy::syscall::Provisions::default(),
        };
        Denial::of(function, &Groups::all(), scene, &notice)
    }

    #[test]
    fn lines_are_few_short_and_cannot_paint_the_terminal() {
        let mut denials = Denials::default();
        for number in 80..100 {
            denials.add(denial("f\x1b[2J", number));
        }
        denials.add(denial("f\x1b[2J", 99));
        denials.count(5);
        let lines = lines(&denials);
        assert_eq!(lines.len(), DENIAL_LINES + 1);
        assert!(
            lines
                .iter()
                .all(|line| !line.contains('\x1b') && line.len() < 2 * LINE_BYTES)
        );
        assert_eq!(lines[DENIAL_LINES], "keylane: and 18 more denied calls");
    }
}
