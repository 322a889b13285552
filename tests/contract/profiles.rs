//! Each built-in profile, with real calls from inside a jail: rows of its groups are passed, rows of
//! others refused, and a row that stays in a narrower form passes that form alone.
//!
//! What passing does not show: that nothing else tells the profiles apart (the rows tests try every
//! number under the profile that has all).

use crate::rows::impatient;
use keylane_policy::profile::BUILT_IN;
use keylane_policy::syscall::table::{TABLE, WRITING};
use keylane_policy::syscall::{Group, Groups, Rule};
use keylane_tests::project::Project;
use keylane_tests::{finish_with, keylane, run};
use serde_json::json;

/// Makes each call in a child of its own, with what every profile has: the child's status tells. Which
/// profile has calls that wait for ever has the alarm, too.
const PROBE: &str = "import ctypes, os, signal\n\
    libc = ctypes.CDLL(None, use_errno=True)\n\
    libc.syscall.restype = ctypes.c_long\n\
    def signed(v):\n    return ctypes.c_long(v - (1 << 64) if v >> 63 else v)\n\
    def one(number, arguments):\n    child = os.fork()\n    if child == 0:\n        signal.alarm(10)\n\
    \x20       failed = libc.syscall(*map(signed, [number] + arguments)) == -1\n\
    \x20       os._exit(1 if failed and ctypes.get_errno() == 1 else 0)\n\
    \x20   return 'EPERM' if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1 else 'other'\n\
    def handler(event, context):\n    return [one(*trial) for trial in event]\n";

/// The groups in a profile's text, read without the product's parser.
fn groups(text: &str) -> Groups {
    let line = text.lines().find_map(|line| line.strip_prefix("groups = "));
    let list = line.expect("a line of groups").trim_matches(['[', ']']);
    let words = list.split(", ").map(|word| word.trim_matches('"'));
    Groups::of(words.map(|word| Group::named(word).expect("a group")))
}

/// What becomes of calls under `profile`.
fn outcomes(profile: &str, trials: &[(u32, [u64; 6])]) -> Vec<String> {
    let project = Project::sequence(&[("probe", PROBE)]);
    project.append(&format!("profile = \"{profile}\"\ntimeout = 6000\n"));
    let mut command = keylane(["run", project.arg(), "-q", "--lanes", "1", "--input", "-"]);
    if profile == "network" {
        project.append("ports = [443]\n");
        project.write(
            "policy.toml",
            "profiles = [\"network\"]\ndefault = \"network\"\n[network]\nports = [443]\n\
             addresses = \"any\"\nunfiltered = true\n",
        );
        command
            .arg("--policy")
            .arg(project.path().join("policy.toml"));
    }
    let said = finish_with(&mut command, json!(trials).to_string().as_bytes());
    said.expect_code(0);
    serde_json::from_value(said.json()).unwrap()
}

#[test]
fn each_profile_passes_its_groups_and_refuses_the_others() {
    for (profile, text) in BUILT_IN {
        let groups = groups(text);
        // Rows without conditions: what decides is the group alone.
        let rows: Vec<_> = TABLE
            .iter()
            .filter(|row| row.instance == Some(Rule::Allow) && !WRITING.contains(&row.name))
            .collect();
        let trials: Vec<_> = rows
            .iter()
            .map(|row| (u32::from(row.number), impatient(row.name)))
            .collect();
        let mut refused = 0;
        for (row, outcome) in rows.iter().zip(outcomes(profile, &trials)) {
            let granted = groups.has(row.group);
            assert_eq!(
                outcome != "EPERM",
                granted,
                "{} of group {} under {profile}: {outcome}",
                row.name,
                row.group
            );
            refused += usize::from(!granted);
        }
        let all = groups == Groups::all();
        assert_eq!(refused == 0, all, "{profile}: {refused} rows are refused");
    }
}

#[test]
fn a_thread_needs_its_group_and_the_denial_says_so() {
    let source = "import threading\ndef handler(e, c):\n    t = threading.Thread(target=int)\n    t.start()\n    t.join()\n    return 'ran'\n";
    let project = Project::sequence(&[("f", source)]);
    project.append("profile = \"compute\"\n");
    let said = run(["run", project.arg(), "--json", "-q"]);
    said.expect_code(1);
    let denial = said.json()["denials"][0].clone();
    assert_eq!(denial["call"], "clone", "{said:#?}");
    assert_eq!(denial["missing_group"], "threads");
    assert_eq!(denial["blame"], "workflow");
    let explained = run(["explain", &denial.to_string()]);
    explained.expect_code(0);
    assert!(
        explained.out.contains("`profile = \"numeric\"`"),
        "{explained:#?}"
    );
    let other = Project::sequence(&[("f", source)]);
    other.append("profile = \"numeric\"\n");
    let said = run(["run", other.arg(), "-q"]);
    said.expect_code(0);
    assert_eq!(said.json(), "ran");
}

#[test]
fn what_the_operator_does_not_grant_a_project_does_not_get() {
    let project = Project::sequence(&[("f", "def handler(e, c):\n    return 1\n")]);
    project.write(
        "policy",
        "profiles = [\"compute\"]\ndefault = \"compute\"\n[ceilings]\nmemory = \"1GiB\"\n",
    );
    let policy = project.path().join("policy");
    let policy = policy.to_str().unwrap();
    for command in ["run", "validate"] {
        run([command, project.arg(), "--policy", policy]).expect_code(0);
    }
    for (line, word) in [
        ("profile = \"python\"\n", "not granted"),
        ("memory = \"2GiB\"\n", "may be 1 GiB"),
    ] {
        let asking = Project::sequence(&[("f", "def handler(e, c):\n    return 1\n")]);
        asking.append(line);
        let said = run(["run", asking.arg(), "--policy", policy]);
        said.expect_code(2);
        assert!(said.err.contains(word), "{said:#?}");
        run(["run", asking.arg(), "-q"]).expect_code(0);
    }
    let missing = run(["run", project.arg(), "--policy", "/nonexistent"]);
    missing.expect_code(2);
}
