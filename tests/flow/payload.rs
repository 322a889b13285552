//! Requests and responses at and over a function's `payload`.

use keylane_tests::project::Project;
use keylane_tests::{Said, finish_with, keylane};

/// Answers with a string of as many bytes as the event says, or with the length of a string that it
/// gets.
const SIZER: &str = "\
def handler(event, context):
    return len(event) if isinstance(event, str) else 'x' * (event - 2)
";
const LIMIT: usize = 64 * 1024;

fn sizes(lines: &str) -> Said {
    let project = Project::sequence(&[("sizer", SIZER)]);
    project.append("payload = \"64KiB\"\n");
    let mut command = keylane(["run", project.arg(), "--stream", "--json", "-q"]);
    finish_with(&mut command, lines.as_bytes())
}

#[test]
fn a_response_of_exactly_the_limit_passes_and_one_byte_more_is_a_named_error() {
    let said = sizes(&format!("{LIMIT}\n{}\n10\n", LIMIT + 1));
    let reports = said.reports();
    assert_eq!(reports[0]["output"].as_str().unwrap().len(), LIMIT - 2);
    assert_eq!(reports[1]["error"]["error"], "Runtime.ResponseTooLarge");
    assert_eq!(reports[1]["error"]["function"], "sizer");
    assert!(
        said.failure()
            .contains("65537 bytes as JSON, the limit is 65536"),
        "{}",
        said.err
    );
    assert_eq!(
        reports[2]["status"], "succeeded",
        "the worker is not usable any more"
    );
}

#[test]
fn a_request_of_exactly_the_limit_passes_and_one_byte_more_is_a_named_error() {
    let text = |length: usize| format!("\"{}\"", "x".repeat(length - 2));
    let said = sizes(&format!("{}\n{}\n10\n", text(LIMIT), text(LIMIT + 1)));
    let reports = said.reports();
    assert_eq!(reports[0]["output"], LIMIT - 2);
    assert_eq!(reports[1]["error"]["error"], "States.DataLimitExceeded");
    assert_eq!(reports[1]["error"]["function"], "sizer");
    let line = said.failure();
    assert!(
        line.contains("65537 bytes") && line.contains("payload"),
        "{line}"
    );
    assert_eq!(
        reports[2]["status"], "succeeded",
        "the worker is not usable any more"
    );
}

#[test]
fn megabytes_pass_unharmed_where_the_limit_allows_them() {
    let project = Project::sequence(&[
        ("sizer", SIZER),
        (
            "length",
            "def handler(event, context):\n    return len(event)\n",
        ),
    ]);
    let mut command = keylane(["run", project.arg(), "--stream", "--json", "-q"]);
    let said = finish_with(&mut command, b"8000002\n");
    said.expect_code(0);
    assert_eq!(said.reports()[0]["output"], 8_000_000);
}
