//! Why something about a domain was not done.

use keylane_gate::own::Unclean;
use keylane_policy::memory::LedgerError;
use std::fmt;
use std::io;

/// Whose fault it is stands at each.
#[derive(Debug)]
pub enum DomainError {
    /// The host: its kernel is older than 6.12 and writes signal frames under the guest's rights.
    Kernel(String),
    /// The host: a system call failed while Keylane was doing this.
    Host(&'static str, io::Error),
    /// Keylane or its build: its own code could change PKRU.
    Code(Unclean),
    /// Keylane: domains were taken in this process before.
    Taken,
    /// Nobody: all keys or windows are in use.
    Full,
    /// Keylane: the ledger or the space refused; nothing was mapped.
    Ledger(LedgerError),
    /// Keylane: there is no such domain, or it has what it is asked to get.
    Domain,
    /// Keylane: these are no pages that the supervisor may read or write without a guest taking them away.
    NotFixed(u64),
    /// The function: its thread did not end when it was told to.
    Endless,
}

impl fmt::Display for DomainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DomainError::Kernel(release) => write!(f, "Linux {release} is older than 6.12"),
            DomainError::Host(doing, cause) => write!(f, "{doing}: {cause}"),
            DomainError::Code(unclean) => unclean.fmt(f),
            DomainError::Taken => f.write_str("domains were taken in this process already"),
            DomainError::Full => f.write_str("all protection keys are in use"),
            DomainError::Ledger(error) => write!(f, "the ledger refuses it: {error:?}"),
            DomainError::Domain => f.write_str("there is no such domain, or not any more"),
            DomainError::NotFixed(at) => {
                write!(f, "{at:#x} is no page that stays the supervisor's to use")
            }
            DomainError::Endless => f.write_str("a domain's thread did not end"),
        }
    }
}

impl std::error::Error for DomainError {}

impl From<LedgerError> for DomainError {
    fn from(error: LedgerError) -> DomainError {
        match error {
            LedgerError::NoKey | LedgerError::SlotTaken => DomainError::Full,
            LedgerError::NoDomain => DomainError::Domain,
            other => DomainError::Ledger(other),
        }
    }
}

pub(crate) fn host(doing: &'static str) -> impl Fn(io::Error) -> DomainError {
    move |cause| DomainError::Host(doing, cause)
}
