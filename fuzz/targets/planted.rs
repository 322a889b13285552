//! Fuzzes `keylane_fuzz_oracles::planted`.
#![no_main]

use keylane_fuzz_oracles::{planted, hold};

libfuzzer_sys::fuzz_target!(|data: &[u8]| hold(planted::check(data)));
