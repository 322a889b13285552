//! `keylane validate` on good, mistaken and hostile projects.

use super::command::{DEFINITION, MANIFEST, Project, keylane};
use std::os::unix::fs::symlink;

/// What `validate` says about a project that it must refuse.
fn refusal(project: &Project) -> String {
    project.validate().expect(2).out
}

#[test]
fn a_good_project_is_valid() {
    let project = Project::new();
    let answer = project.validate().expect(0);
    assert_eq!(answer.out, "small is valid: a workflow with 1 function\n");
    assert_eq!(answer.err, "");
    let file = project.path().join("keylane.toml");
    keylane(&["validate", file.to_str().unwrap()]).expect(0);
}

#[test]
fn an_unknown_key_is_shown_with_its_line_a_caret_and_a_guess() {
    let project = Project::new();
    project.edit("handler =", "handlr =");
    let shown = refusal(&project);
    let expected = "\
error: keylane.toml:8:1: unknown key \"handlr\" in [functions.greet]
  8 | handlr = \"greet.handler\"
    | ^
  what to do: write `handler`, if that was meant
";
    assert!(shown.contains(expected), "{shown}");
    assert!(
        shown.contains("keylane.toml:5:12: [functions.greet] has no `handler`"),
        "{shown}"
    );
    assert!(
        shown.contains("2 errors (fault of the workflow)"),
        "{shown}"
    );
}

#[test]
fn problems_of_the_definition_carry_pointer_line_and_column() {
    let project = Project::new();
    project.write(
        "workflow.asl.json",
        DEFINITION.replace("\"greet\"", "\"greeet\""),
    );
    let shown = refusal(&project);
    assert!(shown.contains("workflow.asl.json:4:"), "{shown}");
    assert!(shown.contains("at: /States/Greet/Resource"), "{shown}");
    assert!(shown.contains("^"), "{shown}");
    let json = keylane(&["validate", project.shown(), "--json"])
        .expect(2)
        .json();
    assert_eq!(json["valid"], false);
    let problem = &json["problems"][0];
    assert_eq!(problem["severity"], "error");
    assert_eq!(problem["file"], "workflow.asl.json");
    assert_eq!(problem["line"], 4);
    assert_eq!(problem["pointer"], "/States/Greet/Resource");
}

#[test]
fn a_definition_alone_is_checked_without_a_project() {
    let project = Project::new();
    let file = project.path().join("workflow.asl.json");
    let file = file.to_str().unwrap();
    keylane(&["validate", file]).expect(0);
    project.write(
        "workflow.asl.json",
        DEFINITION.replace("\"Greet\",", "\"Gret\","),
    );
    let answer = keylane(&["validate", file]).expect(2);
    assert!(answer.out.contains("Gret"), "{}", answer.out);
    project.write("workflow.asl.json", "{\n  \"StartAt\": \n}");
    let answer = keylane(&["validate", file]).expect(2);
    assert!(answer.out.contains(":3:1"), "{}", answer.out);
}

#[test]
fn a_definition_alone_offers_the_functions_that_it_names_and_no_pieces_of_arns() {
    let project = Project::new();
    project.write(
        "alone.json",
        r#"{"StartAt": "A", "States": {
            "A": {"Type": "Task", "Resource": "arn:aws:lambda:eu-west-1:1:function:price", "Next": "B"},
            "B": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Next": "C",
                  "Parameters": {"FunctionName": "arn:aws:lambda:eu-west-1:1:function:stock:7"}},
            "C": {"Type": "Task", "Resource": "no name", "End": true}}}"#,
    );
    let file = project.path().join("alone.json");
    let shown = keylane(&["validate", file.to_str().unwrap()]).expect(2).out;
    assert!(
        shown.contains("its functions are price, stock\n"),
        "{shown}"
    );
    assert!(shown.contains("reading the definition: 1 error"), "{shown}");
}

#[test]
fn a_handler_that_is_not_there_is_found_before_anything_runs() {
    let project = Project::new();
    project.edit("greet.handler", "gret.handler");
    let shown = refusal(&project);
    assert!(
        shown.contains("has neither gret.py nor gret/__init__.py"),
        "{shown}"
    );
    assert!(
        shown.contains("write `handler = \"greet.handler\"`"),
        "{shown}"
    );
    project.edit("greet.handler", "greet.main");
    let answer = project.validate().expect(0);
    assert!(
        answer.out.contains("warning: keylane.toml:5:12"),
        "{}",
        answer.out
    );
    assert!(answer.out.contains("never mentions main"), "{}", answer.out);
}

#[test]
fn requirements_are_named_by_a_key_or_lie_in_the_functions_folder() {
    let project = Project::new();
    project.write("functions/greet/requirements.txt", "numpy\n");
    project.validate().expect(0);
    project.edit("handler =", "requirements = \"needs.txt\"\nhandler =");
    assert!(refusal(&project).contains("needs.txt: it does not exist"));
    project.write("needs.txt", "six\n");
    project.validate().expect(0);
    // Its place in the tree is taken.
    project.write("functions/greet/site-packages/x.py", "");
    assert!(refusal(&project).contains("where its packages go"));
}

#[test]
fn a_requirement_that_could_reach_beyond_the_packages_is_refused_with_its_line() {
    let project = Project::new();
    let text = "numpy==2.4.6\n--index-url https://host.invalid/\n${HOME}\n";
    project.write("functions/greet/requirements.txt", text);
    let shown = refusal(&project);
    for expected in [
        "functions/greet/requirements.txt:2:1: an option",
        "  2 | --index-url https://host.invalid/",
        "functions/greet/requirements.txt:3:1: `$` would read the environment",
        "2 errors (fault of the workflow)",
    ] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
}

#[test]
fn a_default_input_that_is_no_json_is_shown_with_its_place() {
    let project = Project::new();
    project.edit("name =", "input = \"input.json\"\nname =");
    project.write("input.json", "{\n  \"n\": 01\n}");
    let shown = refusal(&project);
    assert!(shown.contains("input.json:2:"), "{shown}");
    assert!(shown.contains("the default input is not JSON"), "{shown}");
}

#[test]
fn a_link_out_of_the_project_is_refused_wherever_it_is() {
    let project = Project::new();
    symlink("/etc/shadow", project.path().join("functions/greet/shadow")).unwrap();
    let shown = refusal(&project);
    assert!(
        shown.contains("functions/greet/shadow is a symbolic link"),
        "{shown}"
    );

    let project = Project::new();
    std::fs::remove_file(project.path().join("workflow.asl.json")).unwrap();
    symlink("/etc/passwd", project.path().join("workflow.asl.json")).unwrap();
    let shown = refusal(&project);
    assert!(
        shown.contains("workflow.asl.json is a symbolic link"),
        "{shown}"
    );
    assert!(!shown.contains("root:"), "{shown}");
}

#[test]
fn a_path_out_of_the_project_is_refused() {
    for (path, why) in [
        ("../../etc", "the path holds `..`"),
        ("/etc", "the path is absolute"),
        (".", "the project's folder itself"),
        ("functions/none", "it does not exist"),
        ("workflow.asl.json", "it is a file, not a folder"),
    ] {
        let project = Project::new();
        project.edit("functions/greet", path);
        let shown = refusal(&project);
        assert!(shown.contains(why), "{path}: {shown}");
        assert!(shown.contains("what to do:"), "{path}: {shown}");
    }
}

#[test]
fn a_fifo_in_any_place_neither_blocks_nor_passes() {
    for path in ["functions/greet/pipe", "keylane.toml", "workflow.asl.json"] {
        let project = Project::new();
        let place = project.path().join(path);
        let _ = std::fs::remove_file(&place);
        let made = std::process::Command::new("mkfifo")
            .arg(&place)
            .status()
            .unwrap();
        assert!(made.success());
        assert!(refusal(&project).contains("it is a FIFO"), "{path}");
    }
}

#[test]
fn a_huge_definition_is_refused_at_its_limit() {
    let project = Project::new();
    let file = std::fs::File::create(project.path().join("workflow.asl.json")).unwrap();
    file.set_len(1 << 40).unwrap();
    assert!(refusal(&project).contains("longer than the limit of 4194304 bytes"));
}

#[test]
fn a_function_written_twice_is_refused() {
    let project = Project::new();
    project.write(
        "keylane.toml",
        format!("{MANIFEST}{}", MANIFEST.replace("[workflow]", "[w]")),
    );
    assert!(
        refusal(&project).contains("keylane.toml:13:"),
        "{}",
        refusal(&project)
    );
    assert!(refusal(&project).contains("duplicate key"));
}

#[test]
fn text_that_is_not_plain_utf8_is_refused_with_its_place() {
    for file in ["keylane.toml", "workflow.asl.json"] {
        let project = Project::new();
        project.write(file, b"{\n  \"a\xff\"}");
        let shown = refusal(&project);
        assert!(
            shown.contains(&format!("{file}:2:5: it is not UTF-8 here")),
            "{shown}"
        );
        project.write(file, b"\xef\xbb\xbf{}");
        assert!(refusal(&project).contains("byte order mark"), "{file}");
    }
}

#[test]
fn names_that_paint_the_terminal_are_shown_escaped() {
    let project = Project::new();
    project.write(
        "keylane.toml",
        format!("{MANIFEST}\"a\u{202e}b\u{9b}2J\" = 1\n"),
    );
    let shown = refusal(&project);
    assert!(!shown.contains('\u{202e}'), "{shown:?}");
    assert!(shown.contains("\\u{202e}"), "{shown}");
    symlink("/", project.path().join("functions/greet/\x1b[2J")).unwrap();
    project.write("keylane.toml", MANIFEST);
    assert!(refusal(&project).contains("\\u{1b}[2J is a symbolic link"));
}

#[test]
fn what_is_no_project_is_the_operators_mistake_and_goes_to_standard_error() {
    for path in ["/nonexistent", "/etc"] {
        let answer = keylane(&["validate", path]).expect(2);
        assert!(
            answer
                .err
                .starts_with(&format!("keylane: validate {path}: ")),
            "{}",
            answer.err
        );
        assert!(
            answer
                .err
                .contains("(fault of the operator)\n  what to do: "),
            "{}",
            answer.err
        );
        assert_eq!(answer.out, "");
        let json = keylane(&["validate", path, "--json"]).expect(2).json();
        assert_eq!(json["failure"]["blame"], "operator");
    }
}
