//! As many functions as a workflow may have.

use keylane_tests::project::Project;
use keylane_tests::run;

/// `limit::FUNCTIONS`.
const MOST: usize = 256;

#[test]
fn as_many_functions_as_a_workflow_may_have_start_and_answer() {
    // Long names and many notes make the messages of both sides long: they must not wait for room
    // in each other's sockets.
    let names: Vec<String> = (0..MOST)
        .map(|n| format!("{}{n:03}", "f".repeat(61)))
        .collect();
    let source = "def handler(event, context): return (event or 0) + 1\n";
    let functions: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), source)).collect();
    let project = Project::sequence(&functions);
    let said = run(["run", project.arg(), "-q", "--lanes", "1", "--input", "0"]);
    said.expect_code(0);
    assert_eq!(said.out.trim(), MOST.to_string());
}
