//! Fuzzes `keylane_fuzz_oracles::json`.
#![no_main]

use keylane_fuzz_oracles::{json, hold};

libfuzzer_sys::fuzz_target!(|data: &[u8]| hold(json::check(data)));
