//! `keylane man`, `keylane schema` and what they are made from.

use super::command::{Project, keylane};

/// The names of the commands, by `keylane --help`.
fn commands() -> Vec<String> {
    let help = keylane(&["--help"]).expect(0).out;
    let (_, list) = help.split_once("Commands:\n").expect("a list of commands");
    let names = list.lines().map_while(|line| {
        let name = line.strip_prefix("  ")?.split(' ').next()?;
        Some(name.to_owned())
    });
    names.filter(|name| !name.is_empty()).collect()
}

#[test]
fn each_command_has_a_page_with_its_options() {
    let project = Project::new();
    let folder = project.path().join("man");
    std::fs::create_dir(&folder).unwrap();
    let said = keylane(&["man", folder.to_str().unwrap()]).expect(0).out;
    let commands: Vec<String> = commands().into_iter().filter(|c| c != "help").collect();
    assert!(commands.len() > 5, "{commands:?}");
    for command in &commands {
        let page = std::fs::read_to_string(folder.join(format!("keylane-{command}.1"))).unwrap();
        assert!(page.contains(".SH OPTIONS"), "{command}");
    }
    let run = std::fs::read_to_string(folder.join("keylane-run.1")).unwrap();
    for words in ["\\-\\-isolation", "\\-\\-stream", "docs/examples/finra"] {
        assert!(run.contains(words), "{words}");
    }
    let pages = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(pages, commands.len() + 1);
    assert!(
        said.starts_with(&format!("wrote {pages} pages into ")),
        "{said}"
    );
}

#[test]
fn without_a_folder_the_page_of_the_whole_is_printed() {
    let page = keylane(&["man"]).expect(0).out;
    assert!(page.contains(".TH keylane 1"), "{page}");
    assert!(page.contains("Exit codes"), "{page}");
}

#[test]
fn a_folder_that_is_not_there_is_said_to_be_so() {
    let answer = keylane(&["man", "/nonexistent/folder"]).expect(74);
    assert_eq!(answer.out, "");
    assert!(
        answer.err.contains("what to do: name a folder"),
        "{}",
        answer.err
    );
}

#[test]
fn the_schema_is_one_json_document() {
    let schema = keylane(&["schema"]).expect(0).json();
    assert_eq!(schema["title"], "keylane.toml");
}
