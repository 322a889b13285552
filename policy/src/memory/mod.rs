//! Who owns which page of a lane, under which key, and what a domain may change about its own.
//!
//! [`Ledger`] knows keys and domains; a [`Space`] is what lies in one domain's slot of addresses. A
//! [`Request`] is a call for memory whose arguments were copied once; [`decide`] answers it from those and the
//! space alone, and gives the space as it is afterwards. Whoever acts on the answer puts that space into
//! the ledger, which checks it again.
//!
//! What holds of every ledger, whatever is asked ([`Ledger::check`]):
//! - a key is one domain's, and is given out again only when no page carries it;
//! - every page lies in its owner's slot and carries its owner's key; slots keep a distance;
//! - no page is writable and executable, and an executable page is an image's;
//! - a domain has no more mappings than its quota.
//!
//! An attacker controls: all arguments of a request.

mod decide;
mod ledger;
mod page;
mod request;
mod space;

pub use decide::{Action, Decision, Refusal, decide};
pub use ledger::{Domain, Ledger, LedgerError};
pub use page::{Key, PAGE, Pages, Protection};
pub use request::{Advice, Backing, Errno, File, Place, Raw, Request};
pub use space::{Content, Entry, Space};

#[cfg(test)]
mod tests;
