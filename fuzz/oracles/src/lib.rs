//! What must hold for any bytes that an attacker chooses: the generators and oracles of the fuzz
//! targets.
//!
//! Each module has a `check` that makes something of arbitrary bytes, gives it to the code that is
//! tested, and tells what does not hold. The coverage-guided targets in `fuzz/targets` call it with
//! the fuzzer's bytes; `tests/` calls it with the seeds in `fuzz/corpus` and a fixed number of
//! mutations of them, so that the ordinary test run exercises it too. An oracle takes the code that
//! it judges as an argument where it can, so that its own tests can give it a wrong one.

#![forbid(unsafe_code)]

pub mod bytes;
pub mod channel;
pub mod definition;
pub mod elf;
pub mod execution;
pub mod expression;
pub mod findings;
pub mod json;
pub mod memory;
pub mod mutate;
pub mod path;
pub mod planted;
pub mod policy;
pub mod reference;
pub mod scan;
pub mod single;
pub mod wire;

/// What an oracle says: nothing, or what does not hold.
pub type Verdict = Result<(), String>;

/// Ends the process where an oracle found something, as a fuzzer expects it.
#[expect(clippy::panic, reason = "a fuzzer counts a panic as a finding")]
pub fn hold(verdict: Verdict) {
    if let Err(why) = verdict {
        panic!("{why}");
    }
}

/// `Err` with these words unless it holds.
pub(crate) fn ensure(holds: bool, why: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(why()) }
}
