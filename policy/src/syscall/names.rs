//! Names and numbers of all system calls of x86_64, for messages and decoding; the list is that of
//! the kernel's `asm/unistd_64.h`, with which a contract test compares it.

/// Lines of number and name, sorted by number.
const NAMES: &str = include_str!("names.txt");

fn all() -> impl Iterator<Item = (u32, &'static str)> {
    NAMES.lines().filter_map(|line| {
        let (number, name) = line.split_once(' ')?;
        Some((number.parse().ok()?, name))
    })
}

/// The name of call `number`; none if the list does not have it.
pub fn name(number: u32) -> Option<&'static str> {
    all().find(|(of, _)| *of == number).map(|(_, name)| name)
}

/// The number of the call of this name.
pub fn number(name: &str) -> Option<u32> {
    all().find(|(_, of)| *of == name).map(|(number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_lead_to_each_other() {
        assert_eq!(name(0), Some("read"));
        assert_eq!(number("openat"), Some(257));
        assert_eq!(name(0x4000_0000), None);
        assert_eq!(number("no such call"), None);
    }
}
