//! `--stream`: one deployment, many inputs.

use keylane_tests::project::Project;
use keylane_tests::{Said, finish_with, keylane};

const ECHO: &str = "\
def handler(event, context):
    if event == 'bad': raise ValueError('bad')
    return event
";

fn stream(lines: &str) -> Said {
    let project = Project::sequence(&[("echo", ECHO)]);
    let mut command = keylane(["run", project.arg(), "--stream", "--json", "-q"]);
    finish_with(&mut command, lines.as_bytes())
}

#[test]
fn each_line_gives_one_report_in_order() {
    let said = stream("1\n\"two\"\n[3]\n{\"four\": 4}\n");
    said.expect_code(0);
    let outputs: Vec<String> = said
        .reports()
        .iter()
        .map(|report| report["output"].to_string())
        .collect();
    assert_eq!(outputs, ["1", "\"two\"", "[3]", "{\"four\":4}"]);
}

#[test]
fn a_line_that_is_no_json_spoils_only_itself() {
    let said = stream("1\n{oops\n2\n");
    let reports = said.reports();
    assert_eq!(reports[1]["status"], "refused");
    assert_eq!(
        (&reports[0]["output"], &reports[2]["output"]),
        (&1.into(), &2.into())
    );
    said.expect_code(2);
}

#[test]
fn the_exit_code_is_that_of_the_first_line_that_did_not_succeed() {
    stream("1\n\"bad\"\n{oops\n2\n").expect_code(1);
    stream("1\n{oops\n\"bad\"\n2\n").expect_code(2);
}

#[test]
fn a_stream_without_lines_ends_well() {
    let said = stream("\n");
    said.expect_code(0);
    assert_eq!(said.out, "");
}
