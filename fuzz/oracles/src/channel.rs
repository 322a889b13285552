//! The channel's header: whatever an instance writes there, a response that is accepted lies within
//! the channel.

use crate::bytes::Bytes;
use crate::{Verdict, ensure};
use keylane_policy::abi::channel::{Geometry, HEADER_BYTES};
use keylane_policy::limit::PAYLOAD_BYTES_CEILING;

/// Checks Keylane's reading of headers.
pub fn check(data: &[u8]) -> Verdict {
    let mut bytes = Bytes::new(data);
    // Small capacities are as likely as wild ones.
    let capacity = bytes.number() >> (bytes.byte() % 64);
    let kind = u32::from_le_bytes([bytes.byte(), bytes.byte(), bytes.byte(), bytes.byte()]);
    let length = bytes.number() >> (bytes.byte() % 64);
    let Ok(geometry) = Geometry::with_capacity(capacity) else {
        let wrong = capacity == 0 || capacity > PAYLOAD_BYTES_CEILING;
        return ensure(wrong, || format!("a capacity of {capacity} is refused"));
    };
    let parts = [
        geometry.request_at(),
        geometry.response_at(),
        geometry.size(),
    ];
    judge(parts, capacity)?;
    let held = geometry.capacity();
    match geometry.check_response(kind, length) {
        Ok((_, accepted)) => ensure(
            accepted == length && length <= held && (1..=2).contains(&kind),
            || format!("kind {kind} of {length} bytes in {held}"),
        ),
        Err(_) => ensure(length > held || !(1..=2).contains(&kind), || {
            format!("kind {kind} of {length} bytes in {held} is refused")
        }),
    }
}

/// Judges where the areas lie: after the header, one after the other, large enough, in whole pages.
pub fn judge(parts: [u64; 3], capacity: u64) -> Verdict {
    let [request, response, size] = parts;
    let fits = request == HEADER_BYTES
        && response
            .checked_sub(request)
            .is_some_and(|held| held >= capacity)
        && size.checked_sub(response) == response.checked_sub(request)
        && parts.iter().all(|part| part % HEADER_BYTES == 0);
    ensure(fits, || format!("{parts:?} for {capacity} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_that_overlap_or_are_too_small_are_found() {
        assert_eq!(judge([4096, 8192, 12288], 4096), Ok(()));
        assert!(judge([4096, 8192, 12288], 4097).is_err());
        assert!(judge([4096, 8192, 8192], 1).is_err());
        assert!(judge([0, 8192, 16384], 1).is_err());
        assert!(judge([4096, 4096, 4096], 1).is_err());
    }
}
