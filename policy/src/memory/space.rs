//! What lies in one domain's slot.

use super::page::{Key, Pages, Protection};
use std::collections::BTreeMap;

/// What a page holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Content {
    /// Memory of the domain, or a private copy of a file.
    Private,
    /// Pages of a sealed image: they are never writable.
    Image,
    /// What the domain may not change: its birth stack, its channel, its heap's first pages.
    Fixed,
}

/// Pages that are alike and came with one call. The kernel joins what it split of one mapping, and
/// joins different ones only sometimes; so there are never fewer entries than it has mappings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which pages.
    pub pages: Pages,
    /// What may be done with them.
    pub protection: Protection,
    /// What they hold.
    pub content: Content,
    /// Which call they came with: [`Space::origin`], or [`HEAP`].
    pub origin: u64,
}

/// The origin of what `brk` maps.
pub(super) const HEAP: u64 = 0;

/// A domain's slot and what is mapped in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Space {
    slot: Pages,
    key: Key,
    quota: usize,
    heap: Pages,
    heap_end: u64,
    origins: u64,
    entries: BTreeMap<u64, Entry>,
}

impl Space {
    /// An empty slot; `heap` is the part of it that `brk` grows into, `quota` the most mappings that it may
    /// have. None if the heap lies outside.
    pub fn new(slot: Pages, heap: Pages, key: Key, quota: usize) -> Option<Space> {
        slot.contains(heap).then(|| Space {
            slot,
            key,
            quota,
            heap,
            heap_end: heap.start(),
            origins: HEAP,
            entries: BTreeMap::new(),
        })
    }

    /// All addresses that are the domain's.
    pub fn slot(&self) -> Pages {
        self.slot
    }

    /// The key that each of its pages carries.
    pub fn key(&self) -> Key {
        self.key
    }

    /// The part that `brk` grows into.
    pub fn heap(&self) -> Pages {
        self.heap
    }

    /// What `brk` answers.
    pub fn heap_end(&self) -> u64 {
        self.heap_end
    }

    /// A number for what one call maps.
    pub fn origin(&mut self) -> u64 {
        self.origins = self.origins.saturating_add(1);
        self.origins
    }

    pub(super) fn set_heap_end(&mut self, end: u64) {
        self.heap_end = end;
    }

    /// What is mapped, in order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// Whether there are no more mappings than there may be.
    pub fn is_within_quota(&self) -> bool {
        self.entries.len() <= self.quota
    }

    /// The parts of entries that lie in a range, in order.
    pub fn within(&self, range: Pages) -> impl Iterator<Item = Entry> + '_ {
        let first = self
            .entries
            .range(..=range.start())
            .next_back()
            .map_or(0, |(start, _)| *start);
        self.entries
            .range(first..range.end())
            .filter_map(move |(_, entry)| {
                let pages = entry.pages.overlap(range)?;
                Some(Entry { pages, ..*entry })
            })
    }

    /// Whether every page of a range is mapped.
    pub fn is_mapped(&self, range: Pages) -> bool {
        self.within(range)
            .map(|entry| entry.pages.length())
            .sum::<u64>()
            == range.length()
    }

    /// The first range of so many bytes in which nothing is mapped, outside of the heap.
    pub fn gap(&self, length: u64) -> Option<Pages> {
        let mut from = self.slot.start();
        let mut taken: Vec<Pages> = self.entries.values().map(|entry| entry.pages).collect();
        taken.push(self.heap);
        taken.sort_unstable();
        for pages in taken {
            if let Some(free) = Pages::new(from, length)
                && free.end() <= pages.start()
            {
                return Some(free);
            }
            from = from.max(pages.end());
        }
        Pages::new(from, length).filter(|free| self.slot.contains(*free))
    }

    /// Takes a range out.
    pub(super) fn remove(&mut self, range: Pages) {
        let inside: Vec<Entry> = self.within(range).collect();
        for part in inside {
            let Some((&start, &whole)) = self.entries.range(..=part.pages.start()).next_back()
            else {
                continue;
            };
            self.entries.remove(&start);
            let parts = [
                whole.pages.before(part.pages.start()),
                whole.pages.from(part.pages.end()),
            ];
            for pages in parts.into_iter().flatten() {
                self.entries.insert(pages.start(), Entry { pages, ..whole });
            }
        }
    }

    /// Puts an entry in the place of whatever is there.
    pub(super) fn put(&mut self, entry: Entry) {
        self.remove(entry.pages);
        let mut joined = entry;
        let kind = |one: &Entry| (one.protection, one.content, one.origin);
        let alike = |one: &Entry| kind(one) == kind(&entry);
        if let Some((&start, before)) = self.entries.range(..entry.pages.start()).next_back()
            && before.pages.end() == entry.pages.start()
            && alike(before)
            && let Some(pages) = Pages::new(start, entry.pages.end() - start)
        {
            joined.pages = pages;
            self.entries.remove(&start);
        }
        if let Some(after) = self.entries.get(&entry.pages.end()).copied()
            && alike(&after)
            && let Some(pages) = Pages::new(
                joined.pages.start(),
                after.pages.end() - joined.pages.start(),
            )
        {
            joined.pages = pages;
            self.entries.remove(&after.pages.start());
        }
        self.entries.insert(joined.pages.start(), joined);
    }

    /// Maps what the supervisor puts into a slot: the birth stack, the channel, a pre-mapped heap. False, and
    /// nothing is changed, if it lies outside, if something is there, or if no page may be like that.
    pub fn give(&mut self, entry: Entry) -> bool {
        let is_free = self.within(entry.pages).next().is_none();
        let is_sound = self.slot.contains(entry.pages) && fault(&entry).is_none();
        if is_free && is_sound {
            self.put(entry);
        }
        is_free && is_sound
    }

    /// What does not hold of it, if something does not.
    pub fn check(&self) -> Result<(), String> {
        let mut last: Option<Entry> = None;
        for (start, entry) in &self.entries {
            if *start != entry.pages.start() || !self.slot.contains(entry.pages) {
                return Err(format!("{entry:?} outside of {:?}", self.slot));
            }
            if last.is_some_and(|last| last.pages.end() > *start) {
                return Err(format!("{entry:?} overlaps {last:?}"));
            }
            if let Some(fault) = fault(entry) {
                return Err(format!("{entry:?}: {fault}"));
            }
            last = Some(*entry);
        }
        if !self.is_within_quota() {
            return Err(format!("{} mappings of {}", self.entries.len(), self.quota));
        }
        if self.heap_end < self.heap.start() || self.heap_end > self.heap.end() {
            return Err(format!("a heap that ends at {:#x}", self.heap_end));
        }
        Ok(())
    }
}

/// Why no page may be like that, if none may.
fn fault(entry: &Entry) -> Option<&'static str> {
    match (entry.content, entry.protection) {
        (Content::Private | Content::Fixed, Protection::Execute) => Some("executable, of no image"),
        (Content::Image, Protection::Write) => Some("a writable image"),
        _ => None,
    }
}
