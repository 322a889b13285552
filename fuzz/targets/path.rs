//! Fuzzes `keylane_fuzz_oracles::path`.
#![no_main]

use keylane_fuzz_oracles::{path, hold};

libfuzzer_sys::fuzz_target!(|data: &[u8]| hold(path::check(data)));
