//! Keys and domains.

use super::page::{Key, PAGE, Pages};
use super::space::Space;
use std::collections::{BTreeMap, BTreeSet};

/// A domain by number; numbers are not used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(pub u32);

/// Why the ledger does not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LedgerError {
    /// Every key is a domain's or is still carried by a page.
    NoKey,
    /// The slot lies in another domain's, or right beside one.
    SlotTaken,
    /// The heap lies outside of the slot.
    HeapOutside,
    /// There is no such domain, or it has ended.
    NoDomain,
    /// The space is not one of that domain, or something about it does not hold.
    Unsound,
    /// Pages still carry the key.
    Carried,
}

/// A domain that ended keeps its space until its pages are gone.
#[derive(Clone, Debug)]
struct Held {
    space: Space,
    ended: bool,
}

/// Who has which key and which pages.
#[derive(Clone, Debug)]
pub struct Ledger {
    free: BTreeSet<Key>,
    held: BTreeMap<Domain, Held>,
    next: u32,
}

impl Ledger {
    /// A ledger of these keys.
    pub fn new(keys: impl IntoIterator<Item = Key>) -> Ledger {
        Ledger {
            free: keys.into_iter().collect(),
            held: BTreeMap::new(),
            next: 1,
        }
    }

    /// Takes a key and a slot for a new domain. Slots keep a page's distance, so that nothing that runs over a
    /// slot's end is another's.
    pub fn admit(&mut self, slot: Pages, heap: Pages, quota: usize) -> Result<Domain, LedgerError> {
        let is_near =
            |other: Pages| slot.start() < other.end() + PAGE && other.start() < slot.end() + PAGE;
        if self.held.values().any(|held| is_near(held.space.slot())) {
            return Err(LedgerError::SlotTaken);
        }
        let key = *self.free.first().ok_or(LedgerError::NoKey)?;
        let space = Space::new(slot, heap, key, quota).ok_or(LedgerError::HeapOutside)?;
        self.free.remove(&key);
        let domain = Domain(self.next);
        self.next += 1;
        self.held.insert(
            domain,
            Held {
                space,
                ended: false,
            },
        );
        Ok(domain)
    }

    /// What is a living domain's.
    pub fn space(&self, domain: Domain) -> Option<&Space> {
        self.held
            .get(&domain)
            .filter(|held| !held.ended)
            .map(|held| &held.space)
    }

    /// Puts a space in the place of the one that a domain has, if it is one that it may have.
    pub fn commit(&mut self, domain: Domain, space: Space) -> Result<(), LedgerError> {
        let held = self.held.get_mut(&domain).filter(|held| !held.ended);
        let held = held.ok_or(LedgerError::NoDomain)?;
        let same = (held.space.slot(), held.space.key(), held.space.heap());
        if same != (space.slot(), space.key(), space.heap()) || space.check().is_err() {
            return Err(LedgerError::Unsound);
        }
        held.space = space;
        Ok(())
    }

    /// Ends a domain: nothing more is mapped for it.
    pub fn end(&mut self, domain: Domain) -> Result<(), LedgerError> {
        let held = self.held.get_mut(&domain).ok_or(LedgerError::NoDomain)?;
        held.ended = true;
        Ok(())
    }

    /// Notes that pages of a domain that ended are gone.
    pub fn gone(&mut self, domain: Domain, pages: Pages) -> Result<(), LedgerError> {
        let held = self.held.get_mut(&domain).filter(|held| held.ended);
        held.ok_or(LedgerError::NoDomain)?.space.remove(pages);
        Ok(())
    }

    /// Gives the key and the slot of a domain back that ended, once nothing carries the key.
    pub fn release(&mut self, domain: Domain) -> Result<Key, LedgerError> {
        let held = self.held.get(&domain).filter(|held| held.ended);
        let held = held.ok_or(LedgerError::NoDomain)?;
        if held.space.entries().next().is_some() {
            return Err(LedgerError::Carried);
        }
        let key = held.space.key();
        self.held.remove(&domain);
        self.free.insert(key);
        Ok(key)
    }

    /// The owner of an address, also of one that ended, and the key of its page if there is one: what a
    /// report of a fault tells.
    pub fn owner(&self, address: u64) -> Option<(Domain, Option<Key>)> {
        let page = Pages::new(address / PAGE * PAGE, PAGE)?;
        let (domain, held) = self
            .held
            .iter()
            .find(|(_, held)| held.space.slot().contains(page))?;
        let key = held.space.within(page).next().map(|_| held.space.key());
        Some((*domain, key))
    }

    /// What does not hold of the whole, if something does not.
    pub fn check(&self) -> Result<(), String> {
        let mut keys = self.free.clone();
        let mut last_end = None;
        let mut spaces: Vec<&Space> = self.held.values().map(|held| &held.space).collect();
        spaces.sort_by_key(|space| space.slot());
        for space in spaces {
            space.check()?;
            if !keys.insert(space.key()) {
                return Err(format!("{:?} is there twice", space.key()));
            }
            if last_end.is_some_and(|end| space.slot().start() < end + PAGE) {
                return Err(format!("{:?} lies too near to another slot", space.slot()));
            }
            last_end = Some(space.slot().end());
        }
        Ok(())
    }
}
