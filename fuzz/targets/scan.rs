//! Fuzzes `keylane_fuzz_oracles::scan`.
#![no_main]

use keylane_fuzz_oracles::{hold, scan};

libfuzzer_sys::fuzz_target!(|data: &[u8]| hold(scan::check(data)));
