//! Projects as people write them, and as they should not.

use super::*;
use crate::testing::TempFolder;
use keylane_policy::reuse::Reuse;

const GOOD: &str = r#"
[workflow]
name = "finra"
definition = "workflow.asl.json"

[functions.lastpx]
runtime = "python3.11"
path = "functions/lastpx"
handler = "lastpx.handler"
include = ["data/prices.csv"]
payload = "1MiB"
memory = "512MiB"
timeout = 2.5
processes = 16
descriptors = 64

[functions.side]
runtime = "python3.11"
path = "functions/side"
handler = "side.handler"
"#;

fn problems_of(text: &str) -> Vec<Problem> {
    Manifest::parse(&Source::new(FILE, text)).unwrap_err()
}

/// The one problem of a text, as line, column and message.
fn only(text: &str) -> (usize, usize, String) {
    let problems = problems_of(text);
    assert_eq!(problems.len(), 1, "{problems:#?}");
    let problem = &problems[0];
    assert!(problem.suggestion.is_some(), "{problem:#?}");
    (
        problem.line.unwrap(),
        problem.column.unwrap(),
        problem.message.clone(),
    )
}

#[test]
fn a_complete_project_file_is_read_with_its_limits_and_the_defaults() {
    let manifest = Manifest::parse(&Source::new(FILE, GOOD)).unwrap();
    let [lastpx, side] = &manifest.functions[..] else {
        panic!("two functions")
    };
    assert_eq!(lastpx.include[0].as_str(), "data/prices.csv");
    assert_eq!(
        (
            lastpx.payload,
            lastpx.memory,
            lastpx.timeout_ms,
            lastpx.processes,
            lastpx.descriptors
        ),
        (1 << 20, 512 << 20, 2500, 16, 64)
    );
    assert_eq!((lastpx.declared.line, lastpx.declared.column), (6, 12));
    assert_eq!(
        (
            side.payload,
            side.memory,
            side.timeout_ms,
            side.processes,
            side.descriptors
        ),
        (
            limit::PAYLOAD_BYTES,
            limit::MEMORY_BYTES,
            limit::CALL_MILLISECONDS,
            limit::PROCESSES,
            limit::DESCRIPTORS
        )
    );
}

#[test]
fn an_unknown_key_is_an_error_at_its_place_with_a_guess() {
    let text = GOOD.replace("memory =", "memroy =");
    let (line, column, message) = only(&text);
    assert_eq!((line, column), (12, 1));
    assert!(
        message.contains("unknown key \"memroy\" in [functions.lastpx]"),
        "{message}"
    );
    assert!(
        problems_of(&text)[0]
            .suggestion
            .as_deref()
            .unwrap()
            .contains("`memory`")
    );
}

#[test]
fn a_wrong_value_is_an_error_at_its_place() {
    let cases = [
        (
            "timeout = 2.5",
            "timeout = \"2\"",
            "`timeout` is the text \"2\"",
        ),
        (
            "timeout = 2.5",
            "timeout = 0",
            "`timeout` is 0 s, out of range",
        ),
        (
            "timeout = 2.5",
            "timeout = nan",
            "`timeout` is of type float",
        ),
        (
            "timeout = 2.5",
            "timeout = -1",
            "`timeout` is of type integer",
        ),
        ("\"1MiB\"", "\"1TB\"", "`payload` is the text \"1TB\""),
        ("\"1MiB\"", "\"2GiB\"", "`payload` is 2 GiB, out of range"),
        ("\"1MiB\"", "true", "`payload` is of type boolean"),
        (
            "processes = 16",
            "processes = 1.5",
            "`processes` is of type float",
        ),
        ("processes = 16", "processes = 100000", "out of range"),
        ("[\"data/prices.csv\"]", "[]", "`include` is an empty list"),
        (
            "[\"data/prices.csv\"]",
            "\"data\"",
            "`include` is the text \"data\"",
        ),
        (
            "[\"data/prices.csv\"]",
            "[\"/etc/passwd\"]",
            "the path is absolute",
        ),
        ("[\"data/prices.csv\"]", "[\"../x\"]", "the path holds `..`"),
        (
            "\"functions/lastpx\"",
            "\"../lastpx\"",
            "the path holds `..`",
        ),
        (
            "\"functions/lastpx\"",
            "\".\"",
            "the project's folder itself",
        ),
        ("lastpx.handler", "handler", "the handler names no module"),
        (
            "name = \"finra\"",
            "name = \"fin ra\"",
            "the name holds the character ' '",
        ),
        ("name = \"finra\"", "name = 7", "`name` is of type integer"),
    ];
    for (from, to, expected) in cases {
        let text = GOOD.replacen(from, to, 1);
        let (line, column, message) = only(&text);
        assert!(message.contains(expected), "{to}: {message}");
        let (key, value) = text
            .lines()
            .nth(line - 1)
            .unwrap()
            .split_once("= ")
            .unwrap();
        let in_list = value.starts_with("[\"");
        assert_eq!(
            column,
            key.len() + 3 + usize::from(in_list),
            "{to}: {message}"
        );
    }
}

#[test]
fn another_runtime_is_refused_by_its_name() {
    let text = GOOD.replacen("python3.11", "nodejs20.x", 1);
    let (line, _, message) = only(&text);
    assert_eq!(line, 7);
    assert!(message.contains("nodejs20.x"), "{message}");
    assert!(
        problems_of(&text)[0]
            .suggestion
            .as_deref()
            .unwrap()
            .contains("python3.11")
    );
}

#[test]
fn how_workers_are_reused_is_read_and_what_cannot_go_with_it_is_refused() {
    let with = |line: &str| GOOD.replace("timeout = 2.5", line);
    let manifest = Manifest::parse(&Source::new(FILE, with("reuse = \"fresh\""))).unwrap();
    let [lastpx, side] = &manifest.functions[..] else {
        panic!("two functions")
    };
    assert_eq!((lastpx.reuse, lastpx.tmp), (Reuse::Fresh, 0));
    assert_eq!(side.reuse, Reuse::Warm);
    assert!(side.tmp > 0);
    let (_, _, message) = only(&with("reuse = \"cold\""));
    assert!(message.contains("cold"), "{message}");
    let (_, _, message) = only(&with("reuse = \"fresh-import\"\ntmp = 1024"));
    assert!(message.contains("`tmp` keeps files"), "{message}");
    let few = with("reuse = \"fresh\"").replace("processes = 16", "processes = 8");
    let (_, _, message) = only(&few);
    assert!(message.contains("more `processes`"), "{message}");
}

#[test]
fn a_function_written_twice_is_an_error_at_the_second_place() {
    let text = GOOD.replace("[functions.side]", "[functions.lastpx]");
    let problems = problems_of(&text);
    assert!(
        problems[0].message.contains("duplicate key"),
        "{problems:#?}"
    );
    assert_eq!(problems[0].line, Some(17));
}

#[test]
fn all_errors_are_told_at_once_in_the_order_of_their_places() {
    let text = GOOD
        .replacen("handler = \"lastpx.handler\"\n", "", 1)
        .replacen("side.handler", "side", 1)
        .replacen("[workflow]", "[workflow]\nowner = \"me\"", 1);
    let problems = problems_of(&text);
    let lines: Vec<_> = problems
        .iter()
        .map(|problem| problem.line.unwrap())
        .collect();
    assert_eq!(lines, [3, 7, 20], "{problems:#?}");
}

#[test]
fn a_file_without_functions_or_workflow_says_what_to_add() {
    let messages: Vec<_> = problems_of("")
        .into_iter()
        .map(|problem| problem.message)
        .collect();
    assert_eq!(
        messages,
        [
            "there is no table [workflow]",
            "there is no table [functions.NAME]"
        ]
    );
    let none = problems_of("functions = {}\n[workflow]\nname=\"x\"\ndefinition=\"y\"\n");
    assert!(
        none[0].message.contains("there are 0 functions"),
        "{none:#?}"
    );
}

#[test]
fn more_functions_than_the_limit_are_refused() {
    let mut text = String::from("[workflow]\nname = \"x\"\ndefinition = \"y\"\n");
    for number in 0..=limit::FUNCTIONS {
        text.push_str(&format!(
            "[functions.f{number}]\nruntime = \"python3.11\"\npath = \"f\"\nhandler = \"a.b\"\n"
        ));
    }
    let (_, _, message) = only(&text);
    assert!(message.contains("257 functions"), "{message}");
}

fn load_problems(temp: &TempFolder) -> Vec<Problem> {
    match Project::load(temp.path()).unwrap_err() {
        Refusal::Problems { problems, .. } => problems,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_project_is_opened_by_its_folder_or_by_its_file() {
    let temp = TempFolder::new();
    temp.write(FILE, GOOD);
    temp.write("workflow.asl.json", "{}");
    for path in [temp.path().to_owned(), temp.path().join(FILE)] {
        let project = Project::load(&path).unwrap();
        assert_eq!(project.function_names(), ["lastpx", "side"]);
        assert_eq!(project.definition.text(), "{}");
    }
}

#[test]
fn a_definition_or_input_that_cannot_be_read_is_named() {
    let temp = TempFolder::new();
    temp.write(
        FILE,
        GOOD.replace(
            "[functions.lastpx]",
            "input = \"in.json\"\n[functions.lastpx]",
        ),
    );
    temp.write("in.json", b"{\"a\": \"\xff\"}");
    let problems = load_problems(&temp);
    assert_eq!(problems[0].file, "workflow.asl.json");
    assert_eq!(problems[0].message, "it does not exist");
    assert_eq!((problems[1].line, problems[1].column), (Some(1), Some(8)));
    assert!(problems[1].message.contains("not UTF-8"));
}

#[test]
fn a_project_file_that_is_a_link_a_fifo_huge_or_marked_is_refused() {
    let temp = TempFolder::new();
    temp.write("real.toml", GOOD);
    std::os::unix::fs::symlink("real.toml", temp.path().join(FILE)).unwrap();
    assert!(load_problems(&temp)[0].message.contains("symbolic link"));

    let temp = TempFolder::new();
    temp.fifo(FILE);
    assert!(load_problems(&temp)[0].message.contains("a FIFO"));

    let temp = TempFolder::new();
    temp.write(FILE, vec![b'#'; limit::DEFINITION_BYTES as usize + 1]);
    assert!(
        load_problems(&temp)[0]
            .message
            .contains("longer than the limit of 4194304 bytes")
    );

    let temp = TempFolder::new();
    temp.write(FILE, [b"\xef\xbb\xbf", GOOD.as_bytes()].concat());
    assert!(load_problems(&temp)[0].message.contains("byte order mark"));
}

#[test]
fn a_folder_that_is_no_project_is_the_operators_mistake() {
    let temp = TempFolder::new();
    for path in [
        temp.path().to_owned(),
        temp.path().join("none"),
        temp.path().join(FILE),
    ] {
        let Refusal::Failure(failure) = Project::load(&path).unwrap_err() else {
            panic!("{}", path.display())
        };
        assert_eq!(failure.blame, keylane_policy::blame::Blame::Operator);
        assert!(
            failure
                .advice
                .as_deref()
                .unwrap()
                .contains("holds keylane.toml"),
            "{failure}"
        );
    }
}
