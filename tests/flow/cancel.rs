//! A call whose answer nobody waits for any more is ended before its deadline.

use keylane_tests::eventually;
use keylane_tests::project::Project;
use keylane_tests::session::Session;
use serde_json::json;

#[test]
fn a_failed_branch_ends_the_calls_of_its_siblings() {
    // After the first call of the failing branch its siblings are known to be worth a hand-over: one
    // of them is lent to the other lane, where it would sleep for ten minutes.
    let task = |next: &str| json!({"Type": "Task", "Resource": "fails", "Next": next});
    let definition = json!({"StartAt": "Both", "States": {"Both": {"Type": "Parallel", "End": true,
    "Branches": [
        {"StartAt": "One", "States": {"One": task("Two"), "Two": {"Type": "Task",
            "Resource": "fails", "End": true}}},
        {"StartAt": "Long", "States": {"Long": {"Type": "Task",
            "Resource": "sleeps", "End": true}}},
        {"StartAt": "Last", "States": {"Last": {"Type": "Task",
            "Resource": "sleeps", "End": true}}},
    ]}}});
    let fails = "\
import time
calls = 0
def handler(event, context):
    global calls
    calls += 1
    time.sleep(1)
    if calls == 2: raise ValueError('enough')
";
    let sleeps = "\
import time
def handler(event, context): time.sleep(600)
";
    let functions = [("fails", fails), ("sleeps", sleeps)];
    let project = Project::with(&definition.to_string(), &functions);
    project.append("timeout = 601\n");
    let mut session = Session::start(project.arg(), &["--lanes", "2"]);
    let report = session.ask(&json!({}));
    assert_eq!(report["error"]["error"], "ValueError", "{report}");
    assert_eq!(
        report["fans"][0]["lent"], 1,
        "control: the sibling was not lent: {report}"
    );
    let workers = session.family().workers;
    let since = std::time::Instant::now();
    // The failed one is warm and stays; the sleeper goes long before its time.
    let ended = eventually(|| session.family().workers.len() == 1);
    assert!(
        ended && since.elapsed().as_secs() < 120,
        "the sibling sleeps on: {workers:?}"
    );
    assert_eq!(session.end(), Some(1));
}
