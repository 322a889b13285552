//! Fuzzes `keylane_fuzz_oracles::wire`.
#![no_main]

use keylane_fuzz_oracles::{wire, hold};

libfuzzer_sys::fuzz_target!(|data: &[u8]| hold(wire::check(data)));
