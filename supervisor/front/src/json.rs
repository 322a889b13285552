//! Whether bytes are JSON as every part of Keylane understands it.

use keylane_workflow::{Data, JsonFault};

/// Accepts exactly one JSON value: UTF-8, of bounded depth, numbers in range, no key twice. Two
/// parsers can read anything else in two ways (docs/THREATS.md, rule D2).
pub fn check(bytes: &[u8]) -> Result<(), JsonFault> {
    Data::from_untrusted(bytes.to_vec()).map(|_data| ())
}
