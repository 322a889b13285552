//! Fuzzes `keylane_fuzz_oracles::memory`.
#![no_main]

use keylane_fuzz_oracles::{hold, memory};

libfuzzer_sys::fuzz_target!(|data: &[u8]| hold(memory::check(data)));
