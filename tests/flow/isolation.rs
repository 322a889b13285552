//! `--isolation`: what was asked for, or an honest word.

use keylane_tests::project::Project;
use keylane_tests::skip::has_keys;
use keylane_tests::{Said, run};

fn with(isolation: &str) -> Said {
    let source = "def handler(event, context):\n    return 'ran'\n";
    let project = Project::sequence(&[("f", source)]);
    run(["run", project.arg(), "--isolation", isolation])
}

fn words(said: &Said) -> Vec<&str> {
    said.err
        .lines()
        .filter(|line| line.contains("isolation"))
        .collect()
}

#[test]
fn mpk_is_refused_as_the_hosts_and_never_replaced() {
    let said = with("mpk");
    said.expect_code(3);
    assert_eq!(said.out, "", "the function ran");
    let line = said.failure();
    assert_eq!(said.first_line(), line);
    assert!(
        line.contains("mpk") && line.contains("fault of the host"),
        "{line}"
    );
    assert!(
        said.err.contains("--isolation process"),
        "no way out is shown: {}",
        said.err
    );
}

#[test]
fn auto_says_once_what_it_took_and_why() {
    let said = with("auto");
    said.expect_code(0);
    let words = words(&said);
    assert_eq!(words.len(), 1, "{}", said.err);
    assert!(
        words[0].contains("isolation process") && words[0].contains("because"),
        "{}",
        words[0]
    );
}

#[test]
fn process_says_nothing_about_it() {
    let said = with("process");
    said.expect_code(0);
    assert_eq!(words(&said), Vec::<&str>::new());
}

#[test]
fn where_the_processor_has_keys_it_is_not_blamed_for_the_refusal() {
    if !has_keys("where_the_processor_has_keys_it_is_not_blamed_for_the_refusal") {
        return;
    }
    let said = with("mpk");
    said.expect_code(3);
    let line = said.failure();
    assert!(!line.contains("no protection keys"), "{line}");
    assert!(line.contains("it is not built yet"), "{line}");
}
