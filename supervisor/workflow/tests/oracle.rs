//! What another interpreter (moto's) answered to the same definitions, recorded.
//!
//! `oracle/moto.json` holds definitions, inputs and moto's answers. A case where ours must differ
//! names its reason, and what ours is; the reasons are the ones listed in the file, each of them
//! a place where moto departs from the service's documentation. Passing does not show that moto,
//! or this, does what the service does where the two agree.

#![cfg(test)]

mod support;

use serde_json::Value;
use std::collections::BTreeSet;
use support::pure;

#[test]
fn every_recorded_definition_answers_as_the_oracle_did_or_differs_for_a_named_reason() {
    let recorded: Value =
        serde_json::from_str(include_str!("oracle/moto.json")).expect("the recording");
    let cases = recorded["cases"].as_array().expect("cases");
    let reasons = recorded["differences"].as_object().expect("reasons");
    let mut used = BTreeSet::new();
    let mut wrong = Vec::new();
    for case in cases {
        let input = &recorded["inputs"]
            [usize::try_from(case["input"].as_u64().expect("index")).expect("fits")];
        let expected = match case.get("difference").and_then(Value::as_str) {
            None => case,
            Some(reason) => {
                assert!(reasons.contains_key(reason), "no reason {reason}");
                used.insert(reason);
                let ours = &case["ours"];
                let same = ours["output"] == case["output"] && ours["error"] == case["error"];
                assert!(!same, "no difference is left: {case}");
                ours
            }
        };
        let outcome = pure(case["definition"].clone(), input.clone());
        let fits = match &outcome {
            Ok(output) => expected["error"].is_null() && &expected["output"] == output,
            // A Fail state without an error has an empty one here and none there.
            Err(failed) => {
                expected["error"].as_str().unwrap_or("") == failed.error
                    && expected["output"].is_null()
            }
        };
        if !fits {
            wrong.push(format!(
                "{}\n  expected {expected}\n  got {outcome:?}",
                case["definition"]
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(used.len(), reasons.len(), "a reason is not used");
    assert!(cases.len() > 300);
}
