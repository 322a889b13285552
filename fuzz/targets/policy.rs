//! Fuzzes `keylane_fuzz_oracles::policy`.
#![no_main]

use keylane_fuzz_oracles::{hold, policy};

libfuzzer_sys::fuzz_target!(|data: &[u8]| hold(policy::check(data)));
