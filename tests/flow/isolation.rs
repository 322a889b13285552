//! `--isolation`: what was asked for, or an honest word.

use keylane_tests::project::Project;
use keylane_tests::skip::has_keys;
use keylane_tests::{Said, doctor, run};

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

/// Rule P6: what a host lacks is given up only as long as the operator does not require it.
#[test]
fn a_host_that_lacks_what_the_operator_requires_runs_nothing() {
    let source = "def handler(event, context):\n    return 'ran'\n";
    let project = Project::sequence(&[("f", source)]);
    let at = project.path().join("policy.toml");
    let mut arguments = vec!["run", project.arg(), "--isolation", "process"];
    arguments.extend(["--policy", at.to_str().unwrap()]);
    let with_policy = || run(arguments.clone());
    for (word, point) in [
        ("namespaces", "namespaces"),
        ("mounts", "mounts"),
        ("groups", "cgroups"),
        ("processors", "processors"),
        ("denials", "denied calls"),
    ] {
        let policy = format!("profiles = [\"python\"]\nrequire = [\"{word}\"]\n");
        project.write("policy.toml", &policy);
        let said = with_policy();
        if doctor(point) == "ok" {
            said.expect_code(0);
            assert_eq!(said.out, "\"ran\"\n", "{word}");
            continue;
        }
        said.expect_code(3);
        assert_eq!(said.out, "", "{word}: the function ran");
        let line = said.failure();
        assert_eq!(said.first_line(), line);
        let requires = format!("policy requires `{word}`");
        assert!(line.contains(&requires), "{line}");
        assert!(line.contains("fault of the host"), "{line}");
        // The control: nothing but that word keeps it from running.
        project.write("policy.toml", "profiles = [\"python\"]\n");
        let said = with_policy();
        said.expect_code(0);
    }
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
