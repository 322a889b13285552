//! The one function that maps memory for a domain.
//!
//! It asks the ledger's space first, which refuses what lies outside of the slot, what is taken, what would
//! be writable and executable, and what is over the quota; then it maps without access, sets the key, fills, and
//! sets the protection; then the ledger is told. Where a step fails, the pages become reservation again.

use crate::error::{DomainError, host};
use keylane_policy::memory::{Content, Domain, Entry, Ledger, LedgerError, Pages, Protection};
use keylane_sys::region::Region;
use std::os::fd::BorrowedFd;

/// What is mapped.
#[derive(Clone, Copy, Debug)]
pub enum What<'a> {
    /// Zeros that the domain may read and write, and change the mapping of.
    Memory,
    /// Zeros that the domain may read and write; the mapping stays, so the supervisor may use it too.
    Shared,
    /// These bytes and zeros behind them, for the domain to read and, if so, write; the mapping stays.
    Bytes(&'a [u8], bool),
    /// Pages of a sealed image from this offset on, to read and execute.
    Image(BorrowedFd<'a>, u64),
}

impl What<'_> {
    fn content(self) -> Content {
        match self {
            What::Memory => Content::Private,
            What::Shared | What::Bytes(..) => Content::Fixed,
            What::Image(..) => Content::Image,
        }
    }

    fn protection(self) -> Protection {
        match self {
            What::Memory | What::Shared | What::Bytes(_, true) => Protection::Write,
            What::Bytes(_, false) => Protection::Read,
            What::Image(..) => Protection::Execute,
        }
    }
}

/// Maps `what` at `pages` of a domain, with the domain's key.
pub(crate) fn map(
    region: &Region,
    ledger: &mut Ledger,
    domain: Domain,
    pages: Pages,
    what: What<'_>,
) -> Result<(), DomainError> {
    let mut space = ledger.space(domain).ok_or(DomainError::Domain)?.clone();
    let key = space.key();
    let entry = Entry {
        pages,
        protection: what.protection(),
        content: what.content(),
        origin: space.origin(),
    };
    if !space.give(entry) {
        return Err(DomainError::Ledger(LedgerError::Unsound));
    }
    // Before anything is mapped: what the ledger does not take does not happen, and what it took carries the
    // key in the book at least as early as in the kernel.
    let before = ledger.space(domain).ok_or(DomainError::Domain)?.clone();
    ledger.commit(domain, space)?;
    let mapped = match what {
        What::Image(image, offset) => region.map_image(pages, image, offset, key),
        What::Memory | What::Shared => region
            .map(pages, key)
            .and_then(|()| region.protect(pages, Protection::Write, key)),
        What::Bytes(bytes, _) => region
            .map(pages, key)
            .and_then(|()| region.protect(pages, Protection::Write, key))
            .and_then(|()| {
                let fits = u64::try_from(bytes.len()).is_ok_and(|length| length <= pages.length());
                if fits {
                    region.write(pages.start(), bytes)
                } else {
                    Err(std::io::ErrorKind::InvalidInput.into())
                }
            })
            .and_then(|()| region.protect(pages, what.protection(), key)),
    };
    mapped.map_err(|cause| {
        // If the pages cannot be given up, the ledger goes on saying that they carry the key.
        if region.unmap(pages).is_ok() && ledger.commit(domain, before).is_err() {
            return DomainError::Domain;
        }
        DomainError::Host("mapping memory of a domain", cause)
    })
}

/// Unmaps all that a domain has that ended, and gives its key and its slot back.
pub(crate) fn clear(
    region: &Region,
    ledger: &mut Ledger,
    domain: Domain,
    slot: Pages,
) -> Result<(), DomainError> {
    region
        .unmap(slot)
        .map_err(host("unmapping a domain's slot"))?;
    ledger.gone(domain, slot)?;
    ledger.release(domain)?;
    Ok(())
}
