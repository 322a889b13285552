//! Pages, keys, protections.

/// Bytes of a page.
pub const PAGE: u64 = 4096;

/// Addresses of user space on x86_64 with four levels of page tables.
const ADDRESSES: u64 = 1 << 47;

/// Whole pages of user space, one at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pages {
    start: u64,
    end: u64,
}

impl Pages {
    /// From an address and a length in bytes, which is rounded up as the kernel does. None if the
    /// address is no page's, the length is 0, or the end lies outside of user space.
    pub fn new(start: u64, length: u64) -> Option<Pages> {
        let end = start.checked_add(length)?.checked_next_multiple_of(PAGE)?;
        (start.is_multiple_of(PAGE) && length > 0 && end <= ADDRESSES)
            .then_some(Pages { start, end })
    }

    /// The first address.
    pub fn start(self) -> u64 {
        self.start
    }

    /// The address behind the last.
    pub fn end(self) -> u64 {
        self.end
    }

    /// Bytes.
    pub fn length(self) -> u64 {
        self.end - self.start
    }

    /// Whether all of `other` lies in it.
    pub fn contains(self, other: Pages) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// What both have.
    pub fn overlap(self, other: Pages) -> Option<Pages> {
        let (start, end) = (self.start.max(other.start), self.end.min(other.end));
        (start < end).then_some(Pages { start, end })
    }

    /// Its part before an address, if there is one.
    pub(super) fn before(self, address: u64) -> Option<Pages> {
        (self.start < address).then_some(Pages {
            start: self.start,
            end: self.end.min(address),
        })
    }

    /// Its part from an address on, if there is one.
    pub(super) fn from(self, address: u64) -> Option<Pages> {
        (address < self.end).then_some(Pages {
            start: self.start.max(address),
            end: self.end,
        })
    }
}

/// A protection key that a domain may have: 1 to 15. Key 0 is the supervisor's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(u8);

impl TryFrom<u8> for Key {
    type Error = u8;

    fn try_from(number: u8) -> Result<Key, u8> {
        if (1..=15).contains(&number) {
            Ok(Key(number))
        } else {
            Err(number)
        }
    }
}

impl Key {
    /// Its number, as pkey_mprotect(2) takes it.
    pub fn number(self) -> u8 {
        self.0
    }

    /// The value of PKRU that opens this key and denies every other, key 0 included, reading and
    /// writing: two bits for each key, access and write denied (SDM vol. 3, 4.6.2).
    pub fn alone(self) -> u32 {
        !(3 << (2 * self.0))
    }
}

/// What may be done with a page. There is no value for writable and executable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protection {
    /// Nothing.
    None,
    /// Reading.
    Read,
    /// Reading and writing.
    Write,
    /// Reading and executing.
    Execute,
}
