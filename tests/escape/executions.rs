//! What passes from one execution to the next inside one function: what its module shared at
//! import (hygiene, docs/CAVEATS.md), and never beyond that function or that deployment.

use keylane_tests::project::Project;
use keylane_tests::session::Session;
use serde_json::json;

/// Shares a page and a pipe at import; a worker leaves what it was told there.
const SHARER: &str = r#"
import mmap, os
page = mmap.mmap(-1, 4096)
reading, writing = os.pipe()
os.set_blocking(reading, False)
def handler(event, context):
    if event.get("keep"):
        page[:6] = event["keep"].encode()
        os.write(writing, event["keep"].encode())
        os._exit(0)
    try:
        piped = os.read(reading, 6).decode()
    except BlockingIOError:
        piped = ""
    return {"page": page[:6].decode().strip("\0"), "pipe": piped, "pid": os.getpid()}
"#;

fn deploy() -> (Project, Session) {
    let definition = json!({
        "StartAt": "Which",
        "States": {
            "Which": {"Type": "Choice", "Default": "One",
                      "Choices": [{"Variable": "$.to", "StringEquals": "two", "Next": "Two"}]},
            "One": {"Type": "Task", "Resource": "one", "End": true},
            "Two": {"Type": "Task", "Resource": "two", "End": true}
        }
    });
    let functions = [("one", SHARER), ("two", SHARER)];
    let project = Project::with(&definition.to_string(), &functions);
    let session = Session::start(project.arg(), &["--lanes", "1"]);
    (project, session)
}

#[test]
fn what_a_module_shares_at_import_its_later_workers_see_and_nobody_else() {
    let (project, mut session) = deploy();
    assert_eq!(
        session.ask(&json!({"to": "one", "keep": "secret"}))["status"],
        "failed"
    );
    // A new worker of the same function: this is known and named, not a wall.
    let same = session.output(&json!({"to": "one"}));
    assert_eq!(
        (&same["page"], &same["pipe"]),
        (&json!("secret"), &json!("secret"))
    );
    // Another function, of the same source even, has its own.
    let other = session.output(&json!({"to": "two"}));
    assert_eq!((&other["page"], &other["pipe"]), (&json!(""), &json!("")));
    assert_eq!(session.end(), Some(1));
    // So has the same function in the next deployment.
    let mut session = Session::start(project.arg(), &["--lanes", "1"]);
    let next = session.output(&json!({"to": "one"}));
    assert_eq!((&next["page"], &next["pipe"]), (&json!(""), &json!("")));
}
