//! Fuzzes `keylane_fuzz_oracles::channel`.
#![no_main]

use keylane_fuzz_oracles::{channel, hold};

libfuzzer_sys::fuzz_target!(|data: &[u8]| hold(channel::check(data)));
