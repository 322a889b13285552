//! Which definitions the published validators refuse, recorded, and that ours refuses the same.
//!
//! `tests/oracle/run --record` writes `oracle/validators.json`. It holds definitions, valid ones and one for each of many mistakes, and
//! whether statelint and asl-validator refuse them. Ours must refuse what either refuses and
//! nothing else, but for cases that name their reason.

#![cfg(test)]

mod support;

use keylane_workflow::Definition;
use serde_json::Value;

#[test]
fn the_check_refuses_what_either_published_validator_refuses_and_nothing_else() {
    let recorded: Value =
        serde_json::from_str(include_str!("oracle/validators.json")).expect("the recording");
    let cases = recorded["cases"].as_array().expect("cases");
    assert!(cases.len() > 600);
    for case in cases {
        let text = case["definition"].to_string();
        let refused = Definition::check(
            text.as_bytes(),
            &["echo", "seven", "words", "nothing", "list", "broken", "f"].map(str::to_owned),
        )
        .is_err();
        let theirs = case["statelint"] == true || case["asl_validator"] == true;
        match case["difference"].as_str() {
            None => assert_eq!(refused, theirs, "{text}"),
            Some(reason) => {
                assert!(
                    recorded["differences"][reason].is_string(),
                    "no reason {reason}"
                );
                assert_ne!(refused, theirs, "no difference is left: {text}");
            }
        }
    }
}
