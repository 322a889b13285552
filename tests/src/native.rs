//! Native functions as `build.rs` made them, from the sources in `tests/native/`.

/// In Rust: `keylane_function` doubles a step of a mixed workflow; `culprit`, `raw` and `sum`; the
/// five rules of the FINRA example by their names.
pub const RUST: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/libfunctions_rust.so"));

/// In C: `keylane_function` adds one in a step of a mixed workflow; `culprit`.
pub const C: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/libfunctions_c.so"));

/// In C++: `keylane_function` throws what its event says; `escaping` throws past keylane.h.
pub const CXX: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/libfunctions_cc.so"));

/// In C: tries what a hostile function would try.
pub const ATTACK: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/libattack.so"));

/// The same as a program, for the control.
pub const ATTACK_OUTSIDE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/attack"));
