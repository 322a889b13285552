//! Fuzzes `keylane_fuzz_oracles::findings`.
#![no_main]

use keylane_fuzz_oracles::{hold, findings};

libfuzzer_sys::fuzz_target!(|data: &[u8]| hold(findings::check(data)));
