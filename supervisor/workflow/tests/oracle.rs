//! What another interpreter (moto's) answered to the same definitions, recorded.
//!
//! `tests/oracle/run --record` writes `oracle/moto.json`: definitions, inputs and moto's answers.
//! A case where ours differs names its reason, and what ours was; docs/STATES-LANGUAGE.md has the
//! reasons, each of them a place where moto departs from the service's documentation. Passing does
//! not show that moto, or this, does what the service does where the two agree.

#![cfg(test)]

#[path = "support/table.rs"]
mod table;

use serde_json::Value;
use std::collections::BTreeSet;
use table::Outcome;

fn recorded() -> Value {
    serde_json::from_str(include_str!("oracle/moto.json")).expect("the recording")
}

#[test]
fn every_recorded_definition_answers_as_the_oracle_did_or_differs_for_a_named_reason() {
    let recorded = recorded();
    let cases = recorded["cases"].as_array().expect("cases");
    let reasons = recorded["differences"].as_object().expect("reasons");
    let mut used = BTreeSet::new();
    let mut wrong = Vec::new();
    for case in cases {
        let number = usize::try_from(case["input"].as_u64().expect("index")).expect("fits");
        let input = &recorded["inputs"][number];
        let expected = match case["difference"].as_str() {
            None => &case["theirs"],
            Some(reason) => {
                assert!(reasons.contains_key(reason), "no reason {reason}");
                used.insert(reason);
                let (ours, theirs) = (&case["ours"], &case["theirs"]);
                assert_ne!(ours, theirs, "no difference is left: {case}");
                ours
            }
        };
        let outcome = table::run(&case["definition"], input);
        let fits = match &outcome {
            Outcome::Ended(Ok(output)) => {
                expected["error"].is_null() && expected["output"] == *output
            }
            Outcome::Ended(Err(failed)) => {
                expected["error"].as_str() == Some(&failed.error) && expected["output"].is_null()
            }
            Outcome::Refused(_) => !expected["refused"].is_null(),
            Outcome::Endless => false,
        };
        if !fits {
            let definition = &case["definition"];
            wrong.push(format!(
                "{definition}\n  expected {expected}\n  got {outcome:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(used.len(), reasons.len(), "a reason is not used");
    assert!(cases.len() > 900, "{} cases", cases.len());
}
