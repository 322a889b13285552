//! A failure as a person sees it: one line first, what to do, then details.
//!
//! ```text
//! keylane: run finra: starting function "lastpx": no module named prices (fault of the function)
//!   what to do: ...
//!   further lines of the cause
//! ```

use super::escape;
use crate::refusal::Refusal;
use keylane_policy::blame::{Blame, Failure};
use keylane_policy::limit;

/// The lines of a failure; `asked` is what the operator asked for: `run finra`.
pub fn failure(asked: &str, failure: &Failure) -> String {
    let cause = escape::cut(&failure.cause, limit::ERROR_CAUSE_BYTES);
    let mut lines = cause.lines();
    let first = lines.next().unwrap_or("no reason is known");
    let whose = match failure.blame {
        Blame::Bug => "a bug of Keylane".to_owned(),
        blame => format!("fault of {blame}"),
    };
    let mut text = format!(
        "keylane: {}: {}: {} ({whose})\n",
        escape::line(asked),
        escape::line(&failure.doing),
        escape::line(first),
    );
    if let Some(advice) = &failure.advice {
        text.push_str(&format!("  what to do: {}\n", escape::line(advice)));
    }
    for line in lines {
        text.push_str(&format!("  {}\n", escape::line(line)));
    }
    text
}

/// The lines of a refusal: the failure, and below it each problem.
pub fn refusal(asked: &str, refusal: &Refusal) -> String {
    let mut text = failure(asked, &refusal.summary());
    for problem in refusal.problems() {
        text.push_str(&problem.human());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_line_then_advice_then_details() {
        let cause = "no module named prices\n  File \"lastpx.py\", line 1";
        let shown = failure(
            "run finra",
            &Failure::new(Blame::Function, "loading function \"lastpx\"", cause).advise("mend it"),
        );
        assert_eq!(
            shown,
            "keylane: run finra: loading function \"lastpx\": no module named prices (fault of the function)\n  what to do: mend it\n    File \"lastpx.py\", line 1\n"
        );
    }

    #[test]
    fn words_of_a_function_cannot_forge_a_line_nor_paint_the_terminal() {
        let cause = "x\x1b[2J\u{202e}\rkeylane: all is well".repeat(10_000);
        let shown = failure("run x", &Failure::new(Blame::Function, "calling", cause));
        assert!(!shown.contains(['\x1b', '\r', '\u{202e}']));
        assert!(shown.contains("bytes more]"));
        assert_eq!(
            shown
                .lines()
                .filter(|line| line.starts_with("keylane:"))
                .count(),
            1
        );
    }
}
