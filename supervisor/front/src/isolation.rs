//! Which isolation a run gets, and what the operator is told about it.

use crate::host::{facts, judge};
use keylane_policy::blame::{Blame, Failure};

/// What the operator asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Asked {
    /// Takes `mpk` where it can be had, else `process`; says which and why
    #[default]
    Auto,
    /// Functions as threads of one process, apart by memory protection keys (not built yet)
    Mpk,
    /// Functions as processes of their own
    Process,
}

/// What a run gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// Functions as processes of their own.
    Process,
}

/// The isolation of a run, and a sentence for the operator if Keylane chose it.
pub fn choose(asked: Asked) -> Result<(Isolation, Option<String>), Failure> {
    let (release, _machine) = facts::kernel();
    decide(asked, &judge::judge_mpk(facts::has_pku(), &release))
}

fn decide(asked: Asked, mpk: &judge::Verdict) -> Result<(Isolation, Option<String>), Failure> {
    let reasons = mpk.reasons.join("; ");
    match asked {
        Asked::Process => Ok((Isolation::Process, None)),
        Asked::Auto => Ok((
            Isolation::Process,
            Some(format!(
                "isolation process, because mpk cannot be had: {reasons}"
            )),
        )),
        Asked::Mpk => Err(Failure::new(Blame::Host, "choosing isolation mpk", reasons)
            .advise("use `--isolation process`, or `auto` to let Keylane choose")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mpk_is_never_silently_replaced() {
        let mpk = judge::judge_mpk(false, "6.1.0");
        let failure = decide(Asked::Mpk, &mpk).unwrap_err();
        assert_eq!(failure.blame, Blame::Host);
        assert!(failure.cause.contains("not built yet"), "{failure}");
        assert!(failure.cause.contains("`pku`"), "{failure}");
    }

    #[test]
    fn auto_says_what_it_took_and_why_and_process_says_nothing() {
        let mpk = judge::judge_mpk(true, "6.18.0");
        let (_, why) = decide(Asked::Auto, &mpk).unwrap();
        assert!(why.unwrap().contains("it is not built yet"));
        assert_eq!(
            decide(Asked::Process, &mpk).unwrap(),
            (Isolation::Process, None)
        );
    }
}
