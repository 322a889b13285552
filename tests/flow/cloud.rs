//! Definitions as people write them for the cloud run unchanged: `tests/cloud`.

use keylane_tests::{Said, checkout, run};
use serde_json::{Value, json};

fn said(project: &str, input: &Value) -> Said {
    let folder = checkout().join("tests/cloud").join(project);
    run([
        "run",
        folder.to_str().unwrap(),
        "-q",
        "--json",
        "--input",
        &input.to_string(),
    ])
}

fn report(project: &str, input: &Value, code: i32) -> Value {
    let said = said(project, input);
    said.expect_code(code);
    said.json()
}

#[test]
fn a_job_is_polled_until_it_is_over() {
    let done = report("poller", &json!({"name": "a", "wait_time": 0}), 0);
    assert_eq!(done["output"]["state"], "SUCCEEDED");
    assert_eq!(done["output"]["entered"], "Done");
    let id = done["output"]["id"].as_str().unwrap();
    assert!(id.ends_with("/j-17"), "{id}");
    let failed = report(
        "poller",
        &json!({"name": "a", "wait_time": 0, "bad": true}),
        1,
    );
    assert_eq!(failed["error"]["error"], "DescribeJob returned FAILED");
    assert_eq!(failed["error"]["cause"], "AWS Batch Job Failed");
}

#[test]
fn bookings_are_undone_when_one_is_refused() {
    let booked = report("saga", &json!({"city": "Bern", "car": "any"}), 0);
    // sha256 of {"hotel":{"hotel":"H1"},"flight":{"flight":"F1"},"car":{"car":"C1"}}
    assert_eq!(
        booked["output"],
        json!({"first": "29ae7dc9cc68f38e8764714a665c7090696c4b8198106d95bacc7f3aa5f2020c",
               "second": {"car": "C1"}})
    );
    let refused = report("saga", &json!({"city": "Bern", "car": "none"}), 1);
    assert_eq!(refused["error"]["error"], "BookingRefused");
    let cause: Value = serde_json::from_str(refused["error"]["cause"].as_str().unwrap()).unwrap();
    assert_eq!(
        cause["undone"],
        json!({"cancel_flight": "flight cancelled", "cancel_hotel": "hotel cancelled"})
    );
    assert_eq!(cause["booked"].as_object().unwrap().len(), 2);
}

#[test]
fn rounds_are_counted_in_a_variable_and_bad_rows_are_tolerated() {
    let done = report("etl", &json!({"rows": [1, 2, 3, 4, 5, 6]}), 0);
    assert_eq!(
        done["output"],
        json!({"rounds": 3, "last": 3, "out": [3, 6, 12, 15, 18],
               "found": [[[[], 6], 6], 6]})
    );
    let failed = report("etl", &json!({"rows": [3, 3, 3, 4]}), 1);
    assert_eq!(
        failed["error"]["error"],
        "States.ExceedToleratedFailureThreshold"
    );
}
