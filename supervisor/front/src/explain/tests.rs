//! What is said of records: sentences for a person, and where a record cannot be read.

use super::*;
use crate::operator::built_in;
use keylane_policy::denial::{Notice, Pointed};
use keylane_policy::syscall::{Group, Groups, Provisions, Scene};

fn denial(groups: &Groups, number: u32, first: u64) -> Denial {
    let notice = Notice {
        number,
        arguments: [first, 0, 0, 0, 0, 0],
        pointed: Pointed::Bytes(b"/tmp/\x1b[2Jx\0".to_vec()),
    };
    let scene = Scene {
        landlock_abi: 6,
        provisions: Provisions::default(),
    };
    Denial::of("f\u{202e}", groups, scene, &notice)
}

fn said(value: &impl Serialize) -> String {
    let text = serde_json::to_string(value).unwrap();
    explain(&text, &built_in().unwrap(), false).unwrap()
}

#[test]
fn a_call_that_no_profile_permits_is_explained_and_so_is_one_that_some_do() {
    let none = said(&denial(&Groups::all(), 90, 1));
    assert!(none.contains("called chmod(path: "), "{none}");
    assert!(none.contains("to allow it: nobody can"), "{none}");
    let some = said(&[denial(&Groups::of([]), 56, 0x3D_0F00)]);
    assert!(some.contains("`profile = \"numeric\"`"), "{some}");
    assert!(some.contains("fault of: the workflow"), "{some}");
}

#[test]
fn what_the_operator_does_not_grant_is_the_operators_to_grant() {
    let mut grants = built_in().unwrap();
    grants
        .profiles
        .retain(|profile| !profile.groups.has(Group::Threads));
    let record = serde_json::to_string(&denial(&Groups::of([]), 56, 0x3D_0F00)).unwrap();
    let told = explain(&record, &grants, false).unwrap();
    assert!(told.contains("the operator lets"), "{told}");
}

#[test]
fn nothing_in_a_record_paints_the_terminal() {
    let mut record = denial(&Groups::all(), 90, 1);
    record.rule = "x\x1b[2J\nkeylane: all is well".to_owned();
    let told = said(&record);
    assert!(!told.contains(['\x1b', '\u{202e}']), "{told}");
    assert!(
        told.lines().all(|line| !line.starts_with("keylane:")),
        "{told}"
    );
}

#[test]
fn a_report_is_explained_with_what_is_no_denied_call() {
    let report = r#"{"status": "failed", "denials": [], "denials_more": 3, "error": {
        "error": "PermissionError", "blame": "function", "state": null, "pointer": null,
        "function": "f", "cause": "{\"errorMessage\": \"[Errno 13] Permission denied: '/etc/shadow'\"}"}}"#;
    let grants = built_in().unwrap();
    let told = explain(report, &grants, false).unwrap();
    assert!(
        told.contains("Landlock") && told.contains("3 more"),
        "{told}"
    );
    let json: serde_json::Value =
        serde_json::from_str(&explain(report, &grants, true).unwrap()).unwrap();
    assert_eq!(json["more"], 3);
    for wrong in ["{}", "[1]", "{\"denials\": 1}", "{"] {
        assert!(explain(wrong, &grants, false).is_err(), "{wrong}");
    }
}
