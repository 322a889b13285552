//! Stages of honest and of hostile projects.

use super::plan::Item;
use super::*;
use crate::problem::Problem;
use crate::project::{FILE, Project};
use crate::testing::TempFolder;
use std::os::unix::fs::symlink;

const TWO: &str = r#"
[workflow]
name = "w"
definition = "w.json"
[functions.a]
runtime = "python3.11"
path = "functions/a"
handler = "a.handler"
include = ["data/x.csv", "lib"]
[functions.b]
runtime = "python3.11"
path = "functions/b"
handler = "b.handler"
"#;

/// A project of two functions, and a folder for stages beside it.
fn project() -> (TempFolder, TempFolder) {
    let temp = TempFolder::new();
    temp.write(FILE, TWO);
    temp.write("w.json", "{}");
    temp.write("functions/a/a.py", "a");
    temp.write("functions/a/pkg/tool.sh", "t");
    temp.write("functions/a/__pycache__/a.pyc", "c");
    temp.write("functions/a/.git/config", "g");
    temp.write("functions/b/b.py", "b");
    temp.write("data/x.csv", "1,2");
    temp.write("data/secret.csv", "s");
    temp.write("lib/deep/l.py", "l");
    let tool = temp.path().join("functions/a/pkg/tool.sh");
    std::fs::set_permissions(tool, PermissionsExt::from_mode(0o4711)).unwrap();
    (temp, TempFolder::new())
}

fn plans(temp: &TempFolder) -> Result<(Project, Vec<Plan>), Vec<Problem>> {
    let project = Project::load(temp.path()).unwrap();
    let plans: Result<Vec<_>, _> = project
        .functions
        .iter()
        .map(|function| Plan::make(&project, function))
        .collect();
    plans.map(|plans| (project, plans))
}

fn stage(temp: &TempFolder, parent: &TempFolder) -> Stage {
    let (project, plans) = plans(temp).unwrap();
    Stage::create_in(parent.path(), &project.folder, &plans).unwrap()
}

/// Why the project cannot be staged; one line.
fn refusal(temp: &TempFolder) -> String {
    let problems = plans(temp).unwrap_err();
    assert!(problems.iter().all(|problem| problem.suggestion.is_some()));
    assert_eq!(problems[0].line, Some(5), "the place of [functions.a]");
    problems.iter().map(Problem::human).collect()
}

fn mode(path: PathBuf) -> u32 {
    path.metadata().unwrap().mode() & 0o7777
}

#[test]
fn each_function_gets_its_own_files_and_includes_and_nothing_else() {
    let (temp, parent) = project();
    let stage = stage(&temp, &parent);
    let tree = stage.tree("a");
    for (path, text) in [
        ("a.py", "a"),
        ("pkg/tool.sh", "t"),
        ("data/x.csv", "1,2"),
        ("lib/deep/l.py", "l"),
    ] {
        assert_eq!(std::fs::read_to_string(tree.join(path)).unwrap(), text);
    }
    for absent in ["b.py", "data/secret.csv", "__pycache__", ".git", FILE] {
        assert!(!tree.join(absent).exists(), "{absent}");
    }
    let names: Vec<_> = std::fs::read_dir(stage.tree("b")).unwrap().collect();
    assert_eq!(names.len(), 1);
}

#[test]
fn modes_do_not_depend_on_the_umask_nor_on_the_project() {
    let (temp, parent) = project();
    let stage = stage(&temp, &parent);
    let tree = stage.tree("a");
    assert_eq!(mode(tree.clone()), 0o755);
    assert_eq!(mode(tree.join("pkg")), 0o755);
    assert_eq!(mode(tree.join("a.py")), 0o444);
    assert_eq!(
        mode(tree.join("pkg/tool.sh")),
        0o555,
        "executable, but not setuid"
    );
    let closed = if rustix::process::geteuid().is_root() {
        0o711
    } else {
        0o700
    };
    assert_eq!(
        mode(stage.root().to_owned()),
        closed,
        "nobody else can list it"
    );
}

#[test]
fn a_stage_is_gone_when_it_is_dropped() {
    let (temp, parent) = project();
    drop(stage(&temp, &parent));
    assert_eq!(std::fs::read_dir(parent.path()).unwrap().count(), 0);
}

#[test]
fn a_link_out_of_the_project_is_refused_with_its_path() {
    let (temp, _) = project();
    symlink("/etc/passwd", temp.path().join("functions/a/pkg/passwd")).unwrap();
    let text = refusal(&temp);
    assert!(
        text.contains("functions/a/pkg/passwd is a symbolic link"),
        "{text}"
    );
    assert!(
        text.contains("replace the link by the file itself"),
        "{text}"
    );
}

#[test]
fn a_link_as_path_or_on_the_way_to_an_include_is_refused() {
    let (temp, _) = project();
    std::fs::rename(temp.path().join("data"), temp.path().join("real")).unwrap();
    symlink("real", temp.path().join("data")).unwrap();
    assert!(refusal(&temp).contains("data is a symbolic link"));
    let (temp, _) = project();
    std::fs::rename(temp.path().join("functions/a"), temp.path().join("real")).unwrap();
    symlink("../real", temp.path().join("functions/a")).unwrap();
    assert!(refusal(&temp).contains("functions/a is a symbolic link"));
}

#[test]
fn a_fifo_and_a_socket_are_refused_without_being_opened() {
    let (temp, _) = project();
    temp.fifo("functions/a/pipe");
    let path = temp.path().join("functions/a/sock");
    let _listener = std::os::unix::net::UnixListener::bind(path).unwrap();
    let text = refusal(&temp);
    assert!(text.contains("functions/a/pipe: it is a FIFO"), "{text}");
    assert!(text.contains("functions/a/sock: it is a socket"), "{text}");
}

#[test]
fn a_missing_include_and_a_missing_folder_are_named() {
    let (temp, _) = project();
    std::fs::remove_file(temp.path().join("data/x.csv")).unwrap();
    std::fs::remove_dir_all(temp.path().join("functions/a")).unwrap();
    let text = refusal(&temp);
    assert!(
        text.contains("function a: functions/a: it does not exist"),
        "{text}"
    );
    assert!(
        text.contains("function a: data/x.csv: it does not exist"),
        "{text}"
    );
}

#[test]
fn an_include_that_falls_onto_a_file_of_the_function_is_refused() {
    let (temp, _) = project();
    temp.write("functions/a/data/x.csv", "mine");
    let text = refusal(&temp);
    assert!(text.contains("functions/a/data/x.csv is already"), "{text}");
}

#[test]
fn a_tree_over_the_limit_is_refused_before_anything_is_copied() {
    let (temp, _) = project();
    let file = std::fs::File::create(temp.path().join("functions/a/huge")).unwrap();
    file.set_len(keylane_policy::limit::TREE_BYTES + 1).unwrap();
    let text = refusal(&temp);
    assert!(text.contains("the files are over 1 GiB together"), "{text}");
}

#[test]
fn folders_that_are_nested_without_end_are_refused() {
    let (temp, _) = project();
    let deep = "d/".repeat(keylane_policy::limit::TREE_DEPTH + 2);
    std::fs::create_dir_all(temp.path().join("functions/a").join(deep)).unwrap();
    assert!(refusal(&temp).contains("nested too deeply"));
}

#[test]
fn a_file_swapped_for_a_link_after_the_plan_is_not_followed() {
    let (temp, parent) = project();
    let (project, plans) = plans(&temp).unwrap();
    assert!(matches!(
        plans[0].items.get(Path::new("a.py")),
        Some(Item::File(_))
    ));
    let victim = temp.path().join("functions/a/a.py");
    std::fs::remove_file(&victim).unwrap();
    symlink("/etc/passwd", &victim).unwrap();
    let failure = Stage::create_in(parent.path(), &project.folder, &plans).unwrap_err();
    assert_eq!(failure.blame, Blame::Workflow);
    assert!(failure.cause.contains("symbolic link"), "{failure}");
    assert_eq!(
        std::fs::read_dir(parent.path()).unwrap().count(),
        0,
        "nothing is left behind"
    );
}

#[test]
fn a_sweep_removes_a_stage_whose_owner_is_gone_and_spares_one_in_use() {
    let (temp, parent) = project();
    let used = stage(&temp, &parent);
    let left = stage(&temp, &parent);
    let left_path = left.root().to_owned();
    // As a SIGKILL would: the lock is closed, the folder stays.
    let Stage { lock, .. } = &*std::mem::ManuallyDrop::new(left);
    rustix::fs::flock(lock, FlockOperation::Unlock).unwrap();
    std::fs::create_dir(parent.path().join("keylane-mine")).unwrap();
    let fresh = parent.path().join(format!("keylane-{}", "0".repeat(32)));
    std::fs::create_dir(&fresh).unwrap();
    sweep::sweep(parent.path());
    assert!(!left_path.exists(), "left behind");
    assert!(used.root().exists(), "in use");
    assert!(parent.path().join("keylane-mine").exists(), "another name");
    assert!(fresh.exists(), "without a lock and young");
}

#[test]
fn a_temporary_folder_that_others_may_rearrange_is_refused() {
    let (temp, parent) = project();
    std::fs::set_permissions(parent.path(), PermissionsExt::from_mode(0o777)).unwrap();
    let (project, plans) = plans(&temp).unwrap();
    let failure = Stage::create_in(parent.path(), &project.folder, &plans).unwrap_err();
    assert_eq!(failure.blame, Blame::Operator);
    assert!(failure.cause.contains("sticky"), "{failure}");
}

#[test]
fn a_temporary_folder_below_one_that_others_can_rename_is_refused() {
    // Whoever can write to a folder on the way can put another in the stage's place.
    let (temp, outer) = project();
    let open = outer.path().join("open");
    let parent = open.join("mine");
    std::fs::create_dir_all(&parent).unwrap();
    let (project, plans) = plans(&temp).unwrap();
    std::fs::set_permissions(&open, PermissionsExt::from_mode(0o777)).unwrap();
    let failure = Stage::create_in(&parent, &project.folder, &plans).unwrap_err();
    assert_eq!(failure.blame, Blame::Operator);
    assert!(failure.cause.contains("open can be changed"), "{failure}");
    std::fs::set_permissions(&open, PermissionsExt::from_mode(0o1777)).unwrap();
    assert!(Stage::create_in(&parent, &project.folder, &plans).is_ok());
}

#[test]
fn a_stage_that_a_sweep_takes_for_a_left_one_is_made_again() {
    let parent = TempFolder::new();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                sweep::sweep(parent.path());
            }
        });
        for _ in 0..500 {
            let made = Stage::empty(parent.path());
            let there = made.as_ref().is_ok_and(|stage| stage.trees.is_dir());
            if !there {
                done.store(true, std::sync::atomic::Ordering::Relaxed);
            }
            assert!(there, "{made:?}");
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}
