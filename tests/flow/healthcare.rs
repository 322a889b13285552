//! The healthcare example: its results against a separate computation, and a search of everything
//! that the third party's function can reach for every protected field.
//!
//! Attacker: the third party's function, which wants a patient's record. In the search a probe stands
//! in its place, with the same event, the same tree (and the list of what to look for) and the same
//! jail. Controls: the same search in workflows that leak.
//!
//! What passing does not show: that names in real notes would be found; and forms of a field that
//! tests/healthcare/oracle.py does not list.

use keylane_tests::project::Project;
use keylane_tests::{PYTHON, checkout, finish, run};
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Stdio};

const EXAMPLE: &str = "docs/examples/healthcare";

fn example() -> PathBuf {
    checkout().join(EXAMPLE)
}

fn python(script: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(PYTHON);
    command
        .args(["-B", "-I"])
        .arg(checkout().join(script))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let said = finish(&mut command);
    said.expect_code(0);
    said.out
}

fn expected(notes: usize) -> Value {
    let text = python(
        "tests/healthcare/oracle.py",
        &["expected", &notes.to_string()],
    );
    serde_json::from_str(&text).unwrap()
}

fn answered(notes: usize) -> Value {
    let input = format!(r#"{{"notes": {notes}}}"#);
    let said = run(["run", example().to_str().unwrap(), "-q", "--input", &input]);
    said.expect_code(0);
    said.json()
}

#[test]
fn all_notes_give_what_a_separate_computation_gives() {
    for notes in [1, 24] {
        let (answered, expected) = (answered(notes), expected(notes));
        assert_eq!(answered["analytics"], expected["analytics"]);
        assert_eq!(answered["found"], expected["found"]);
    }
}

#[test]
fn the_notes_are_what_their_script_makes() {
    let fresh = Project::empty();
    python(&format!("{EXAMPLE}/data/generate.py"), &[fresh.arg()]);
    for name in ["notes.json", "truth.json"] {
        let made = std::fs::read(fresh.path().join(name)).unwrap();
        let kept = std::fs::read(example().join("data").join(name)).unwrap();
        assert!(made == kept, "{name} is not what the script makes");
    }
}

#[test]
fn no_function_is_given_the_truth_and_one_alone_the_notes() {
    let text = std::fs::read_to_string(example().join("keylane.toml")).unwrap();
    assert_eq!(text.matches("include").count(), 1);
    assert!(text.contains("include = [\"data/notes.json\"]"));
}

/// What the probe found.
struct Search {
    report: Value,
}

impl Search {
    /// Runs the example with the probe for analytics, its definition changed by `change`.
    fn of(notes: usize, change: impl Fn(String) -> String) -> Search {
        let project = Project::empty();
        let read = |path: &str| std::fs::read_to_string(checkout().join(path)).unwrap();
        for name in ["records", "identifyphi", "deidentify", "anonymize"] {
            let file = format!("functions/{name}/{name}.py");
            project.write(&file, &read(&format!("{EXAMPLE}/{file}")));
        }
        let own = |file: &str| read(&format!("{EXAMPLE}/{file}"));
        project.write("data/notes.json", &own("data/notes.json"));
        project.write("input.json", &own("input.json"));
        project.write("workflow.asl.json", &change(own("workflow.asl.json")));
        // All of its addresses can be asked for only if it may have as many.
        let limits = "\nmemory = \"65536GiB\"\ntimeout = 3600\n";
        project.write("keylane.toml", &(own("keylane.toml") + limits));
        let place = "functions/analytics";
        project.write(
            &format!("{place}/analytics.py"),
            &read("tests/healthcare/probe.py"),
        );
        let forms = python("tests/healthcare/oracle.py", &["forms", &notes.to_string()]);
        project.write(&format!("{place}/forms.json"), &forms);
        let input = format!(r#"{{"notes": {notes}}}"#);
        let said = run([
            "run",
            project.arg(),
            "-q",
            "--lanes",
            "1",
            "--input",
            &input,
        ]);
        said.expect_code(0);
        let report = said.json()["analytics"].clone();
        let search = Search { report };
        search.expect_eyes(notes);
        search
    }

    /// The search looked at what it says, and not at nothing.
    #[track_caller]
    fn expect_eyes(&self, notes: usize) {
        let report = &self.report;
        assert_eq!(report["sees"]["memory"], true, "{report}");
        assert_eq!(report["sees"]["files"], true, "{report}");
        assert!(
            report["bytes"]["memory"].as_u64().unwrap() > 4 << 20,
            "{report}"
        );
        assert_eq!(report["opened"], 2, "other files than its own: {report}");
        assert!(
            report["forms"].as_u64().unwrap() > 100 * notes as u64,
            "{report}"
        );
    }

    fn found(&self) -> Vec<(&str, &str)> {
        let found = self.report["found"].as_array().unwrap();
        found
            .iter()
            .map(|one| (one[0].as_str().unwrap(), one[1].as_str().unwrap()))
            .collect()
    }

    #[track_caller]
    fn expect_found(&self, place: &str, form: &str) {
        let found = self.found();
        assert!(
            found
                .iter()
                .any(|(p, name)| *p == place && name.contains(form)),
            "the leak was not found in the {place} as {form}: {found:?}"
        );
    }
}

/// Hands out something else than the note without what is protected: `state`.
fn instead_of_deidentify(state: &'static str) -> impl Fn(String) -> String {
    move |definition| {
        let own = r#"{ "Type": "Task", "Resource": "deidentify", "End": true }"#;
        assert!(definition.contains(own));
        definition.replace(own, state)
    }
}

#[test]
fn analytics_can_find_no_protected_field_in_its_event_its_files_or_its_memory() {
    let search = Search::of(3, |definition| definition);
    assert_eq!(search.report["sees"]["event"], true, "{}", search.report);
    assert_eq!(search.found(), []);
}

#[test]
fn a_workflow_that_hands_the_note_over_is_found_out() {
    let state = r#"{ "Type": "Pass", "OutputPath": "$.text", "End": true }"#;
    let search = Search::of(1, instead_of_deidentify(state));
    for place in ["event", "memory"] {
        for kind in [
            "NAME-0",
            "RECORD-0",
            "DATE-2",
            "PHONE-0",
            "MAIL-0",
            "ADDRESS-0",
        ] {
            search.expect_found(place, &format!("{kind}/plain"));
        }
    }
}

#[test]
fn a_workflow_that_hands_the_note_over_in_base64_is_found_out() {
    let state = r#"{ "Type": "Pass", "Parameters": { "t.$": "States.Base64Encode($.text)" }, "OutputPath": "$.t", "End": true }"#;
    let search = Search::of(3, instead_of_deidentify(state));
    for place in ["event", "memory"] {
        for alignment in ["base64+0", "base64+1", "base64+2"] {
            search.expect_found(place, alignment);
        }
    }
}

#[test]
fn a_workflow_that_hands_the_note_over_in_pieces_is_found_out() {
    let state = r#"{ "Type": "Pass", "Parameters": { "t.$": "States.StringSplit($.text, ' ')" }, "OutputPath": "$.t", "End": true }"#;
    let search = Search::of(1, instead_of_deidentify(state));
    search.expect_found("event", "NAME-0/part");
    search.expect_found("event", "RECORD-0/digits");
}

#[test]
fn a_note_that_python_holds_in_utf_16_is_found_out() {
    // One character beyond Latin-1 makes CPython store two bytes for each.
    let state = r#"{ "Type": "Pass", "Parameters": { "t.$": "States.Format('{} \u2192', $.text)" }, "OutputPath": "$.t", "End": true }"#;
    let search = Search::of(1, instead_of_deidentify(state));
    search.expect_found("memory", "NAME-0/utf-16-le");
}

#[test]
fn a_note_that_was_handed_over_in_an_earlier_call_is_found_in_the_memory_alone() {
    let search = Search::of(1, |definition| {
        let first = r#"      "Resource": "records",
      "Next": "Protect each note""#;
        assert!(definition.contains(first));
        definition
            .replace(first, &first.replace("Protect each note", "Leak"))
            .replacen(
                r#"    "Protect each note": {"#,
                r#"    "Leak": { "Type": "Task", "Resource": "analytics", "Parameters": { "earlier.$": "$" },
      "ResultPath": null, "Next": "Protect each note" },
    "Protect each note": {"#,
                1,
            )
    });
    search.expect_found("memory", "/plain");
    let found = search.found();
    assert!(
        found.iter().all(|(place, _)| *place == "memory"),
        "{found:?}"
    );
}
