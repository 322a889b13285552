//! `keylane doctor`, `--help`, `--version` and `completions` on the host that runs the tests.

use super::command::keylane;

#[test]
fn doctor_says_the_same_to_people_and_to_programs() {
    let json = keylane(&["doctor", "--json"]);
    let document = json.json();
    let fit = document["isolation"]["process"]["fit"].as_bool().unwrap();
    assert_eq!(json.code, Some(if fit { 0 } else { 3 }), "{}", json.out);
    assert_eq!(document["isolation"]["mpk"]["fit"], false);
    let human = keylane(&["doctor"]).expect(if fit { 0 } else { 3 });
    for check in document["checks"].as_array().unwrap() {
        let name = check["name"].as_str().unwrap();
        let standing = check["standing"].as_str().unwrap();
        let line = human
            .out
            .lines()
            .find(|line| line.get(13..).is_some_and(|l| l.starts_with(name)));
        assert!(
            line.is_some_and(|line| line.starts_with(standing)),
            "{name}: {}",
            human.out
        );
        if standing == "substituted" {
            let instead = check["instead"].as_str().unwrap();
            assert!(instead.contains("lost:"), "{name}: {instead}");
        }
    }
    assert!(
        human
            .out
            .contains("isolation mpk: cannot be had: it is not built yet")
    );
}

#[test]
fn help_lists_the_exit_codes_and_examples() {
    let help = keylane(&["--help"]).expect(0);
    assert!(help.out.contains("130  ended by SIGINT"), "{}", help.out);
    for command in ["run", "validate", "doctor"] {
        let help = keylane(&[command, "--help"]).expect(0);
        assert!(
            help.out.contains(&format!("  keylane {command}")),
            "{}",
            help.out
        );
    }
    let version = keylane(&["--version"]).expect(0);
    assert_eq!(
        version.out,
        format!("keylane {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn completions_are_a_script_that_the_shell_accepts() {
    let script = keylane(&["completions", "bash"]);
    assert_eq!(script.code, Some(0));
    let mut shell = std::process::Command::new("bash");
    let checked = shell.args(["-n", "-c", &script.out]).output().unwrap();
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stderr)
    );
    assert!(script.out.contains("--isolation"));
}
