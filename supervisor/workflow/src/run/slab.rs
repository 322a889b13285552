//! Values by key, where the key of a value that is gone finds nothing.

/// A key. One that was taken is never given out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    place: u32,
    generation: u32,
}

impl Key {
    pub(super) fn number(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.place)
    }

    pub(super) fn from_number(number: u64) -> Key {
        let low = |number: u64| u32::try_from(number & 0xFFFF_FFFF).unwrap_or(0);
        Key {
            place: low(number),
            generation: low(number >> 32),
        }
    }
}

#[derive(Debug)]
struct Entry<T> {
    generation: u32,
    value: Option<T>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Slab<T> {
    entries: Vec<Entry<T>>,
    free: Vec<u32>,
}

impl<T> Slab<T> {
    pub(super) fn new() -> Slab<T> {
        Slab {
            entries: Vec::new(),
            free: Vec::new(),
        }
    }

    pub(super) fn insert(&mut self, value: T) -> Key {
        if let Some(place) = self.free.pop()
            && let Some(entry) = self.entry(place)
        {
            entry.value = Some(value);
            return Key {
                place,
                generation: entry.generation,
            };
        }
        // Four thousand million live values would need more memory than there is.
        let place = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        self.entries.push(Entry {
            generation: 0,
            value: Some(value),
        });
        Key {
            place,
            generation: 0,
        }
    }

    fn entry(&mut self, place: u32) -> Option<&mut Entry<T>> {
        self.entries.get_mut(usize::try_from(place).ok()?)
    }

    pub(super) fn get(&self, key: Key) -> Option<&T> {
        let entry = self.entries.get(usize::try_from(key.place).ok()?)?;
        if entry.generation == key.generation {
            entry.value.as_ref()
        } else {
            None
        }
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let entry = self.entry(key.place)?;
        if entry.generation == key.generation {
            entry.value.as_mut()
        } else {
            None
        }
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<T> {
        let entry = self.entry(key.place)?;
        if entry.generation != key.generation {
            return None;
        }
        let value = entry.value.take()?;
        // A place whose generations are used up is given up.
        if let Some(next) = entry.generation.checked_add(1) {
            entry.generation = next;
            self.free.push(key.place);
        }
        Some(value)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.entries
            .iter()
            .enumerate()
            .filter_map(|(place, entry)| {
                let place = u32::try_from(place).ok()?;
                let key = Key {
                    place,
                    generation: entry.generation,
                };
                entry.value.as_ref().map(|value| (key, value))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_removed_value_finds_nothing_although_its_place_is_used_again() {
        let mut slab = Slab::new();
        let old = slab.insert("a");
        assert_eq!(slab.remove(old), Some("a"));
        let new = slab.insert("b");
        assert_eq!(slab.get(old), None);
        assert_eq!(slab.remove(old), None);
        assert_eq!(slab.get(Key::from_number(new.number())), Some(&"b"));
    }
}
