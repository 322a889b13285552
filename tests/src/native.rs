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

/// In C, without a C library: the code of a domain, which does what it is asked to over a shared page.
pub const DOMAIN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/domain"));

/// The sealed image's bytes of that code.
pub const DOMAIN_IMAGE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/domain.image"));

/// What of it is mapped where, as `build.rs` writes it.
pub const DOMAIN_PLAN: &str = include_str!(concat!(env!("OUT_DIR"), "/domain.plan"));
