//! `docs/SYSCALLS.md` is what the table prints.

use keylane_tests::{checkout, table};
use std::fs;

const DOCUMENT: &str = include_str!("../../docs/SYSCALLS.md");

#[test]
fn the_document_of_system_calls_is_what_the_table_prints() {
    let printed = table::markdown();
    if std::env::var_os("KEYLANE_BLESS").is_some() {
        fs::write(checkout().join("docs/SYSCALLS.md"), printed).unwrap();
        return;
    }
    for (shown, wanted) in DOCUMENT.lines().zip(printed.lines()) {
        assert_eq!(
            shown, wanted,
            "docs/SYSCALLS.md is out of date: it says how to print it"
        );
    }
    assert_eq!(
        DOCUMENT, printed,
        "docs/SYSCALLS.md is out of date: it says how to print it"
    );
}
