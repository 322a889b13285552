//! Dropping capabilities (capabilities(7)).

use caps::{CapSet, Capability};
use std::io;

fn error(error: caps::errors::CapsError) -> io::Error {
    io::Error::other(error.to_string())
}

/// Empties the bounding set, so that no exec grants a capability.
///
/// That needs CAP_SETPCAP, which a change of user takes, so it comes before one. Without it no
/// capability is held, and no_new_privs, a later step, keeps an exec from granting any (prctl(2)).
pub(crate) fn empty_bounding_set() -> io::Result<()> {
    if caps::has_cap(None, CapSet::Effective, Capability::CAP_SETPCAP).map_err(error)? {
        caps::clear(None, CapSet::Bounding).map_err(error)?;
    }
    Ok(())
}

/// Empties the four sets of what is held and handed on, and checks that they are empty.
pub(crate) fn drop_all() -> io::Result<()> {
    caps::clear(None, CapSet::Ambient).map_err(error)?;
    // Clearing permitted before effective would fail: effective must stay a subset.
    for set in [CapSet::Effective, CapSet::Permitted, CapSet::Inheritable] {
        caps::clear(None, set).map_err(error)?;
    }
    for set in [
        CapSet::Effective,
        CapSet::Permitted,
        CapSet::Inheritable,
        CapSet::Ambient,
    ] {
        let left = caps::read(None, set).map_err(error)?;
        if !left.is_empty() {
            return Err(io::Error::other(format!(
                "{} capabilities are left in {set:?}",
                left.len()
            )));
        }
    }
    Ok(())
}
