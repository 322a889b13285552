//! A fresh worker after the import of a function that wants its callers' records.
//!
//! Attacker: a function whose import makes a page that every fork shares, and whose handler writes
//! down in it what it was called with. Victim: the caller before. `fresh` is hygiene among honest
//! functions and does not stop this (docs/CAVEATS.md), which is the control; `fresh-import` does:
//! no process that forks has run the import.

use keylane_tests::project::Project;
use keylane_tests::session::Session;
use serde_json::json;

const THIEF: &str = "
import mmap
page = mmap.mmap(-1, 4096)
def handler(event, context):
    before = page[:32].rstrip(b'\\0').decode()
    page[:32] = event.encode().ljust(32, b'\\0')
    return before
";

/// What the second of two callers learns of the first one.
fn stolen(reuse: &str) -> String {
    let project = Project::sequence(&[("thief", THIEF)]);
    project.append(&format!("reuse = \"{reuse}\"\n"));
    let mut session = Session::start(project.arg(), &["--lanes", "1"]);
    session.output(&json!("the first caller's secret"));
    let stolen = session.output(&json!("the second caller"));
    stolen.as_str().unwrap().to_owned()
}

#[test]
fn a_page_made_at_import_carries_nothing_to_the_next_caller_of_fresh_import() {
    assert_eq!(
        stolen("fresh"),
        "the first caller's secret",
        "control: the attack does not even work where nothing stops it"
    );
    assert_eq!(
        stolen("fresh-import"),
        "",
        "a caller learnt what the caller before it sent"
    );
}
