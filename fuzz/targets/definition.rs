//! Fuzzes `keylane_fuzz_oracles::definition`.
#![no_main]

use keylane_fuzz_oracles::{definition, hold};

libfuzzer_sys::fuzz_target!(|data: &[u8]| hold(definition::check(data)));
