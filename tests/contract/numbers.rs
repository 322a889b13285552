//! The table's numbers and names against the kernel's own.
//!
//! The fixture is `asm/unistd_64.h` of the kernel's headers, as numbers and names; a number, once
//! given, never changes.

use keylane_policy::syscall::table::{TABLE, TRUNCATING};
use std::collections::BTreeMap;
use std::fs;

const FIXTURE: &str = include_str!("../../policy/src/syscall/names.txt");
const HEADER: &str = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h";

/// Name and number of every system call in the fixture.
fn fixture() -> BTreeMap<&'static str, u16> {
    let parse = |line: &'static str| {
        let (number, name) = line.split_once(' ').unwrap();
        (name, number.parse().unwrap())
    };
    FIXTURE.lines().map(parse).collect()
}

#[test]
fn every_row_has_the_number_that_the_kernel_gave_its_name() {
    let kernel = fixture();
    for row in TABLE {
        assert_eq!(
            kernel.get(row.name),
            Some(&row.number),
            "the table's row {} {} is another call to the kernel",
            row.number,
            row.name
        );
    }
}

#[test]
fn calls_that_can_truncate_are_calls_of_the_table() {
    for (name, argument) in TRUNCATING {
        assert!(TABLE.iter().any(|row| row.name == *name), "{name}");
        assert!(*argument < 6, "{name}");
    }
}

#[test]
fn the_fixture_agrees_with_this_hosts_header_where_there_is_one() {
    let kernel = fixture();
    assert!(kernel.len() > 350, "the fixture is cut");
    // A host without headers has nothing to disagree; the fixture alone decides then.
    for line in fs::read_to_string(HEADER).unwrap_or_default().lines() {
        let mut words = line.split_whitespace();
        let (Some("#define"), Some(name), Some(number)) =
            (words.next(), words.next(), words.next())
        else {
            continue;
        };
        if let (Some(name), Ok(number)) = (name.strip_prefix("__NR_"), number.parse::<u16>())
            && let Some(known) = kernel.get(name)
        {
            assert_eq!(*known, number, "{name}");
        }
    }
}
