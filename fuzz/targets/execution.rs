//! Fuzzes `keylane_fuzz_oracles::execution`.
#![no_main]

use keylane_fuzz_oracles::{execution, hold};

libfuzzer_sys::fuzz_target!(|data: &[u8]| hold(execution::check(data)));
