//! Fuzzes `keylane_fuzz_oracles::expression`.
#![no_main]

use keylane_fuzz_oracles::{expression, hold};

libfuzzer_sys::fuzz_target!(|data: &[u8]| hold(expression::check(data)));
