//! `keylane build`: packages are fetched, locked, installed and found by their function, from an index
//! that each test makes on the loopback interface.
//!
//! What passing does not show: how pip gets on with a real index.

use keylane_tests::index::Index;
use keylane_tests::leftover::{descendants, lives};
use keylane_tests::project::Project;
use keylane_tests::skip::has_pip;
use keylane_tests::{Said, eventually, finish, keylane};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

/// A project with one function that requires something, an index, and a cache of its own.
pub(crate) struct Site {
    pub(crate) project: Project,
    pub(crate) index: Index,
    around: Project,
}

impl Site {
    /// The function's `requirements.txt` and its source, a module `f`.
    pub(crate) fn new(requirements: &str, source: &str) -> Site {
        let around = Project::empty();
        let site = Site {
            project: Project::sequence(&[("f", source)]),
            index: Index::new(around.path().join("index")),
            around,
        };
        site.project
            .write("functions/f/requirements.txt", requirements);
        site
    }

    pub(crate) fn cache(&self, name: &str) -> PathBuf {
        self.around.path().join(name)
    }

    /// A command with the cache of this name.
    pub(crate) fn command(&self, cache: &str, arguments: &[&str]) -> Command {
        let mut command = keylane(arguments);
        command
            .env("XDG_CACHE_HOME", self.cache(cache))
            .env("HOME", self.around.path())
            .env("PIP_INDEX_URL", self.index.url())
            .env("PIP_RETRIES", "0");
        for inherited in ["PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_CONFIG_FILE"] {
            command.env_remove(inherited);
        }
        command
    }

    pub(crate) fn build(&self, cache: &str, more: &[&str]) -> Said {
        let arguments = [&["build", self.project.arg()], more].concat();
        finish(&mut self.command(cache, &arguments))
    }

    pub(crate) fn run(&self, cache: &str) -> Said {
        finish(&mut self.command(cache, &["run", self.project.arg(), "-q"]))
    }

    pub(crate) fn lock(&self) -> String {
        std::fs::read_to_string(self.project.path().join("keylane.lock")).unwrap_or_default()
    }
}

const USES: &str = "import greeting\ndef handler(e, c):\n    return greeting.hello()\n";

fn greeting(version: &str, site: &Site) {
    site.index.publish(
        &format!("greeting-{version}-py3-none-any.whl"),
        &[
            (
                "greeting.py",
                &format!("import tone\ndef hello():\n    return ['hello {version}', tone.TONE]\n"),
            ),
            ("REQUIRES", "tone"),
        ],
    );
}

fn usual() -> Site {
    let site = Site::new("greeting>=1\n", USES);
    greeting("1.0", &site);
    site.index.publish(
        "tone-3.0-py3-none-any.whl",
        &[("tone.py", "TONE = 'kind'\n")],
    );
    site
}

#[test]
fn packages_come_with_the_bytecode_of_their_sources_and_never_with_their_wheels() {
    if !has_pip("packages_come_with_the_bytecode_of_their_sources_and_never_with_their_wheels") {
        return;
    }
    let site = Site::new(
        "sly\n",
        "import os, sly\ndef handler(e, c):\n    return [sly.SAID, os.path.exists(sly.__cached__)]\n",
    );
    let cached = "__pycache__/sly.cpython-311.pyc";
    let wheel = "sly-1.0-py3-none-any.whl";
    site.index.publish(
        wheel,
        &[
            ("sly.py", "SAID = 'source'\n"),
            (cached, "SAID = 'hidden'\n"),
        ],
    );
    let ran = site.run("cache");
    ran.expect_code(0);
    assert_eq!(ran.json(), json!(["source", true]));
    // The control: Python takes the bytecode that a wheel has.
    let unpacked = "import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2]); \
                    sys.path.insert(0, sys.argv[2]); import sly; print(sly.SAID)";
    let mut control = Command::new(keylane_tests::PYTHON);
    control
        .args(["-I", "-c", unpacked])
        .arg(site.cache("index").join(wheel))
        .arg(site.cache("unpacked"));
    let said = finish(
        control
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped()),
    );
    assert_eq!(said.out, "hidden\n", "{said:#?}");
}

fn functions(said: &Said) -> Value {
    said.expect_code(0);
    said.json()["functions"].clone()
}

#[test]
fn packages_and_what_they_need_are_fetched_locked_and_found_by_their_function_alone() {
    if !has_pip("packages_and_what_they_need_are_fetched_locked_and_found_by_their_function_alone")
    {
        return;
    }
    let site = usual();
    let built = site.build("cache", &["--json"]);
    let function = &functions(&built)[0];
    let names = |key: &str| -> Vec<Value> {
        let packages = function["packages"].as_array().unwrap();
        packages.iter().map(|one| one[key].clone()).collect()
    };
    assert_eq!(names("name"), ["greeting", "tone"]);
    assert_eq!(names("version"), ["1.0", "3.0"]);
    for package in names("sha256") {
        assert!(
            site.lock().contains(package.as_str().unwrap()),
            "{}",
            site.lock()
        );
    }
    let ran = site.run("cache");
    ran.expect_code(0);
    assert_eq!(ran.json(), json!(["hello 1.0", "kind"]));
    // Another function of the project has none of it.
    let other = Site::new(
        "tone\n",
        "import tone\ndef handler(e, c):\n    return tone.TONE\n",
    );
    other.index.publish(
        "tone-3.0-py3-none-any.whl",
        &[("tone.py", "TONE = 'kind'\n")],
    );
    other.project.append(
        "\n[functions.g]\nruntime = \"python3.11\"\npath = \"functions/g\"\nhandler = \"g.handler\"\n",
    );
    other.project.write(
        "functions/g/g.py",
        "import importlib.util\ndef handler(e, c):\n    return [e, importlib.util.find_spec('tone') is None]\n",
    );
    other.project.write(
        "workflow.asl.json",
        r#"{"StartAt": "a", "States": {"a": {"Type": "Task", "Resource": "f", "Next": "b"},
            "b": {"Type": "Task", "Resource": "g", "End": true}}}"#,
    );
    let ran = other.run("cache");
    ran.expect_code(0);
    assert_eq!(ran.json(), json!(["kind", true]));
}

#[test]
fn run_builds_what_is_missing_and_the_same_lock_gives_the_same_tree_elsewhere() {
    if !has_pip("run_builds_what_is_missing_and_the_same_lock_gives_the_same_tree_elsewhere") {
        return;
    }
    let site = usual();
    let ran = site.run("cache");
    ran.expect_code(0);
    assert_eq!(ran.json()[0], "hello 1.0");
    let lock = site.lock();
    let first = functions(&site.build("cache", &["--json"]))[0].clone();
    assert_eq!(first["cached"], true);
    // A newer version does not change what the lock means; on another host it is the same tree.
    greeting("2.0", &site);
    let second = functions(&site.build("elsewhere", &["--json"]))[0].clone();
    assert_eq!(second["cached"], false);
    assert_eq!(second["digest"], first["digest"]);
    assert_eq!(site.lock(), lock);
    // Without it the newer one is chosen, and the tree is another.
    std::fs::remove_file(site.project.path().join("keylane.lock")).unwrap();
    let third = functions(&site.build("cache", &["--json"]))[0].clone();
    assert_eq!(third["packages"][0]["version"], "2.0");
    assert_ne!(third["digest"], first["digest"]);
    // Other requirements make another entry.
    site.project
        .write("functions/f/requirements.txt", "greeting<2\n");
    let fourth = functions(&site.build("cache", &["--json"]))[0].clone();
    assert_eq!(fourth["digest"], first["digest"]);
}

#[test]
fn offline_the_cache_is_enough_or_what_it_lacks_is_said_and_nobody_is_asked() {
    if !has_pip("offline_the_cache_is_enough_or_what_it_lacks_is_said_and_nobody_is_asked") {
        return;
    }
    let site = usual();
    let unlocked = site.build("cache", &["--offline"]);
    unlocked.expect_code(2);
    assert!(
        unlocked.first_line().contains("--offline asks nobody"),
        "{unlocked:#?}"
    );
    assert_eq!(site.index.asked(), [""; 0]);
    site.build("cache", &[]).expect_code(0);
    let asked = site.index.asked().len();
    assert!(asked > 0);
    site.build("cache", &["--offline"]).expect_code(0);
    // Also where the tree is gone and the wheels are there.
    std::fs::remove_dir_all(site.cache("cache/keylane/trees")).unwrap();
    site.build("cache", &["--offline"]).expect_code(0);
    let empty = site.build("empty", &["--offline"]);
    empty.expect_code(2);
    assert!(
        empty.first_line().contains("is not in the cache"),
        "{empty:#?}"
    );
    assert_eq!(site.index.asked().len(), asked);
}

#[test]
fn two_builds_at_once_make_one_whole_tree() {
    if !has_pip("two_builds_at_once_make_one_whole_tree") {
        return;
    }
    let site = usual();
    let arguments = ["build", site.project.arg(), "--json"];
    let digests: Vec<Value> = std::thread::scope(|scope| {
        let both = [0, 1].map(|_| {
            let mut command = site.command("cache", &arguments);
            scope.spawn(move || functions(&finish(&mut command))[0]["digest"].clone())
        });
        both.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(digests[0], digests[1]);
    let trees = std::fs::read_dir(site.cache("cache/keylane/trees")).unwrap();
    assert_eq!(trees.count(), 1);
    let drafts = std::fs::read_dir(site.cache("cache/keylane/draft")).unwrap();
    assert_eq!(drafts.count(), 0);
    site.run("cache").expect_code(0);
}

#[test]
fn a_killed_build_leaves_nothing_that_looks_whole_and_its_worker_ends() {
    if !has_pip("a_killed_build_leaves_nothing_that_looks_whole_and_its_worker_ends") {
        return;
    }
    let site = usual();
    let mut child = site
        .command("cache", &["build", site.project.arg()])
        .spawn()
        .unwrap();
    // Somewhere in the middle: pip has asked, so a worker is at work.
    let mut workers = BTreeSet::new();
    assert!(eventually(|| {
        workers.extend(descendants(child.id()));
        !site.index.asked().is_empty()
    }));
    workers.retain(|pid| lives(*pid));
    // The init that stands above pip, and pip.
    assert!(workers.len() >= 2, "{workers:?}");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(eventually(|| !workers.iter().any(|pid| lives(*pid))));
    let trees = std::fs::read_dir(site.cache("cache/keylane/trees")).unwrap();
    assert_eq!(trees.count(), 0);
    assert_eq!(site.lock(), "");
    site.build("cache", &[]).expect_code(0);
    site.run("cache").expect_code(0);
}
