//! Each wall of the jail alone: with the walls beside it gone it still stops its attack, and with it
//! gone as well the attack works.
//!
//! Walls can be taken away in the control build alone (`tests/control/build`), which is made from an
//! edited copy of the sources: the product has no such switch, and the last tests here hold it to
//! that. What passing does not show: walls without an entry here, which are the UTS namespace, the empty
//! signal mask, the private mounts' flags, and the limits on niceness, real time and core files.

use keylane_tests::kept::{Kept, kill};
use keylane_tests::leftover::lives;
use keylane_tests::project::Project;
use keylane_tests::skip::{has_groups, has_root, has_whole_landlock};
use keylane_tests::{PYTHON, Said, checkout, eventually, finish, program};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

const ATTACKER: &str = include_str!("attacks/walls.py");
const VICTIM: &str = include_str!("attacks/victim.py");
const WIRE: &str = include_str!("attacks/wire.py");
const WORDS: &str = "the operator's secret";
/// What the control build reads, and nothing else does.
const SWITCH: &str = "KEYLANE_CONTROL";

/// The control build.
fn control() -> PathBuf {
    let named = std::env::var_os("KEYLANE_CONTROL_BIN").map(PathBuf::from);
    let path = named.unwrap_or_else(|| checkout().join("target/control/keylane"));
    assert!(
        path.is_file(),
        "there is no {}: run tests/control/build, or name one by KEYLANE_CONTROL_BIN",
        path.display()
    );
    path
}

/// What attacks are after; gone with this value.
struct Victim {
    child: Child,
    input: Option<ChildStdin>,
    project: Project,
    facts: Value,
}

impl Victim {
    fn start() -> Victim {
        let project = Project::sequence(&[("evil", ATTACKER)]);
        project.append(
            "memory = \"512MiB\"\nprocesses = 32\ndescriptors = 64\ntmp = 0\ntimeout = 60\n",
        );
        project.write("secret", WORDS);
        let secret = project.path().join("secret");
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
        let mut child = Command::new(PYTHON)
            .args(["-I", "-c", VICTIM])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take();
        let mut line = String::new();
        let output = child.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        let mut facts: Value = serde_json::from_str(&line).unwrap();
        facts["secret"] = json!(secret);
        facts["words"] = json!(WORDS);
        Victim {
            child,
            input,
            project,
            facts,
        }
    }

    /// A program that makes whoever executes it root.
    fn arm(&mut self) {
        let copy = self.project.path().join("id");
        fs::copy("/usr/bin/id", &copy).unwrap();
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o4755)).unwrap();
        self.facts["setuid id"] = json!(copy);
    }

    /// How `attack` ends in this build without these walls. The operator's descriptor 9 is open.
    fn attack(&self, build: &Path, attack: &str, without: &str) -> Value {
        let said = self.run(build, attack, without);
        assert_eq!(said.code, Some(0), "{attack}: {}", said.err);
        said.json()
    }

    fn run(&self, build: &Path, attack: &str, without: &str) -> Said {
        let mut event = self.facts.clone();
        event["attack"] = json!(attack);
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", "exec 9<\"$SECRET\"; exec \"$@\"", "sh"])
            .arg(build)
            .args(["run", self.project.arg(), "-q", "--lanes", "1"])
            .args(["--isolation", "process", "--input", &event.to_string()])
            .env("SECRET", self.project.path().join("secret"))
            .env(SWITCH, without)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        finish(&mut command)
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// Holds that the product stops `attack`, that `wall` alone does with `others` gone, and that the
/// attack works once `wall` is gone too.
#[track_caller]
fn expect_stopped_by(wall: &str, others: &str, attack: &str) {
    hold(&Victim::start(), wall, others, attack);
}

#[track_caller]
fn hold(victim: &Victim, wall: &str, others: &str, attack: &str) {
    let in_product = victim.attack(&program(), attack, &format!("{others},{wall}"));
    assert_ne!(
        in_product, "works",
        "a function of the product can {attack}"
    );
    let control = control();
    let with = victim.attack(&control, attack, others);
    assert_ne!(
        with, "works",
        "without {others:?} a function can {attack}: {wall} does not stop it"
    );
    let without = victim.attack(&control, attack, &format!("{others},{wall}"));
    assert_eq!(
        without, "works",
        "without {wall} and {others:?} a function still cannot {attack}: the attack shows nothing"
    );
}

#[test]
fn landlock_alone_keeps_files_of_the_host_closed() {
    // Readable for everybody on the host.
    let mut victim = Victim::start();
    victim.facts["secret"] = json!("/etc/passwd");
    hold(&victim, "landlock", "own root", "read a file of the host");
}

#[test]
fn a_root_of_its_own_alone_hides_the_names_of_the_hosts_files() {
    expect_stopped_by("own root", "", "see that a file of the host is there");
}

#[test]
fn the_filter_alone_refuses_calls_that_no_row_names() {
    expect_stopped_by("filter", "", "watch files");
}

#[test]
fn the_user_id_alone_keeps_roots_files_closed() {
    if has_root("the_user_id_alone_keeps_roots_files_closed") {
        expect_stopped_by("user", "landlock,own root", "read a file of the host");
    }
}

#[test]
fn closing_descriptors_alone_keeps_the_operators_files_from_a_function() {
    expect_stopped_by("descriptors", "", "read the operator's descriptors");
}

#[test]
fn the_pid_namespace_alone_hides_processes_of_the_host() {
    let others = "filter,landlock,own root,user";
    expect_stopped_by("pid namespace", others, "signal a process of the host");
}

#[test]
fn the_network_namespace_alone_keeps_the_hosts_ports_out_of_reach() {
    let others = "filter,landlock";
    expect_stopped_by("net namespace", others, "connect to the host");
}

#[test]
fn landlocks_ports_alone_keep_the_hosts_ports_out_of_reach() {
    if has_whole_landlock("landlocks_ports_alone_keep_the_hosts_ports_out_of_reach") {
        let others = "filter,net namespace";
        expect_stopped_by("ports", others, "connect to the host");
    }
}

#[test]
fn landlocks_scope_alone_keeps_the_names_of_the_hosts_sockets_out_of_reach() {
    if has_whole_landlock("landlocks_scope_alone_keeps_the_names_of_the_hosts_sockets_out_of_reach")
    {
        let attack = "connect to a socket's name on the host";
        expect_stopped_by("socket scope", "filter,net namespace", attack);
    }
}

#[test]
fn landlocks_scope_alone_keeps_signals_from_processes_of_the_host() {
    if has_whole_landlock("landlocks_scope_alone_keeps_signals_from_processes_of_the_host") {
        let others = "filter,own root,user,pid namespace";
        expect_stopped_by("signal scope", others, "signal a process of the host");
    }
}

#[test]
fn the_last_filter_alone_keeps_a_function_from_what_the_jail_needed_before_it() {
    expect_stopped_by("last filter", "", "install a filter");
}

/// A zygote that says it is loaded, and never hears anybody again.
const DEAF: &str = "
import os, time
os.write(3, LOADED)
print('hears nobody', flush=True)
while True: time.sleep(1000)
";

#[test]
fn the_signal_of_the_parents_death_alone_ends_a_function_that_hears_nobody() {
    let project = Project::sequence(&[("deaf", &format!("{WIRE}{DEAF}"))]);
    project.append("timeout = 600\n");
    let arguments = ["run", project.arg(), "--lanes", "1"];
    let orphaned = |without: &str| {
        let kept = Kept::start_build(&control(), &arguments, &[(SWITCH, without)]);
        assert!(
            eventually(|| kept.err().contains("hears nobody")),
            "{}",
            kept.err()
        );
        let family = kept.await_family(|family| !family.inits.is_empty());
        kill(family.spawner.unwrap(), 9);
        kept.end();
        (family.inits[0], kept)
    };
    let (init, _kept) = orphaned("");
    assert!(
        eventually(|| !lives(init)),
        "a function outlives a killed spawner"
    );
    let (init, _kept) = orphaned("parent death");
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert!(
        lives(init),
        "it ends without the signal too: the attack shows nothing"
    );
}

#[test]
fn the_ipc_namespace_alone_hides_the_hosts_shared_memory() {
    expect_stopped_by("ipc namespace", "filter", "open the host's shared memory");
}

#[test]
fn no_new_privs_alone_keeps_a_program_from_making_a_function_root() {
    if has_root("no_new_privs_alone_keeps_a_program_from_making_a_function_root") {
        let mut victim = Victim::start();
        victim.arm();
        let others = "landlock,filter,own root,user namespace";
        hold(&victim, "no_new_privs", others, "become root by a program");
    }
}

#[test]
fn the_user_namespace_alone_keeps_a_program_from_making_a_function_root() {
    if has_root("the_user_namespace_alone_keeps_a_program_from_making_a_function_root") {
        let mut victim = Victim::start();
        victim.arm();
        let others = "landlock,filter,own root,no_new_privs";
        hold(
            &victim,
            "user namespace",
            others,
            "become root by a program",
        );
    }
}

/// Root outside of all namespaces, where a capability would be one of the host's.
const AS_ROOT: &str = "landlock,filter,own root,user,user namespace";

#[test]
fn dropped_capabilities_alone_leave_root_none() {
    if has_root("dropped_capabilities_alone_leave_root_none") {
        let others = format!("{AS_ROOT},bounding set");
        expect_stopped_by("capabilities", &others, "use a capability of root");
    }
}

#[test]
fn an_empty_bounding_set_alone_leaves_root_no_capability() {
    if has_root("an_empty_bounding_set_alone_leaves_root_no_capability") {
        let others = format!("{AS_ROOT},capabilities");
        expect_stopped_by("bounding set", &others, "use a capability of root");
    }
}

#[test]
fn the_umask_alone_keeps_a_functions_files_from_others() {
    let others = "landlock,filter,own root";
    expect_stopped_by("umask", others, "make a file that others may read");
}

#[test]
fn being_undumpable_alone_keeps_a_function_out_of_its_inits_memory() {
    // A change of user makes a process undumpable, too (prctl(2)).
    let others = "landlock,filter,own root,pid namespace,user";
    expect_stopped_by("undumpable", others, "look into the memory of its init");
}

#[test]
fn a_session_of_its_own_alone_keeps_a_function_out_of_the_operators() {
    // The spawner has a session of its own as well; it believes no worker outside of its zygote's.
    let others = "filter,pid namespace,spawner's session,session";
    expect_stopped_by("own session", others, "be in the operator's session");
}

#[test]
fn the_look_at_the_sender_alone_keeps_a_function_from_handing_over_a_listener() {
    let attack = "have the spawner answer for it";
    expect_stopped_by("listener's sender", "filter", attack);
}

#[test]
fn seals_alone_keep_a_channel_at_its_size() {
    expect_stopped_by("seals", "filter,RLIMIT_FSIZE", "resize the channel");
}

#[test]
fn the_look_at_the_session_alone_keeps_the_spawner_from_believing_a_stranger() {
    let attack = "be believed from another session";
    expect_stopped_by("session", "filter", attack);
}

#[test]
fn each_limit_alone_holds() {
    let victim = Victim::start();
    for (limit, others, attack) in [
        ("RLIMIT_AS", "", "map more than its memory"),
        (
            "RLIMIT_NPROC",
            "control group",
            "fork more than its processes",
        ),
        ("RLIMIT_NOFILE", "", "open more than its descriptors"),
        ("RLIMIT_FSIZE", "filter", "fill a file"),
        ("RLIMIT_MEMLOCK", "filter", "lock memory"),
        ("RLIMIT_MSGQUEUE", "filter,landlock", "open a message queue"),
        (
            "RLIMIT_SIGPENDING",
            "filter",
            "queue more signals than allowed",
        ),
    ] {
        hold(&victim, limit, others, attack);
    }
}

#[test]
fn the_control_group_alone_bounds_the_number_of_processes() {
    if has_groups("the_control_group_alone_bounds_the_number_of_processes") {
        let attack = "fork more than its processes";
        expect_stopped_by("control group", "RLIMIT_NPROC", attack);
    }
}

#[test]
fn the_control_group_alone_ends_what_has_left_the_session() {
    if !has_groups("the_control_group_alone_ends_what_has_left_the_session") {
        return;
    }
    let victim = Victim::start();
    let outlives = |build: &Path, without: &str| {
        let pid = victim.attack(build, "leave a process behind", without);
        let pid = pid.as_i64().unwrap_or_else(|| panic!("no process: {pid}"));
        let lives = Path::new(&format!("/proc/{pid}")).is_dir();
        if lives {
            let _ended = Command::new("/bin/kill")
                .args(["-9", &pid.to_string()])
                .status();
        }
        lives
    };
    // The session and the pid namespace end what they hold.
    let others = "filter,pid namespace,own root,landlock";
    assert!(
        !outlives(&control(), others),
        "a process outlives its run: the control group does not end it"
    );
    assert!(
        outlives(&control(), &format!("{others},control group")),
        "it ends without the control group too: the attack shows nothing"
    );
}

#[test]
fn the_product_does_not_know_the_word_that_takes_walls_away() {
    let knows = |path: &Path| {
        let bytes = fs::read(path).unwrap();
        bytes
            .windows(SWITCH.len())
            .any(|part| part == SWITCH.as_bytes())
    };
    assert!(!knows(&program()), "the product reads {SWITCH}");
    assert!(
        knows(&control()),
        "the control does not: the look finds nothing"
    );
}

#[test]
fn an_ordinary_build_has_no_place_for_the_control() {
    // What the product is built from, build scripts included, knows neither the word nor the folder.
    for folder in ["policy", "supervisor", "shim"] {
        let found = files_with(&checkout().join(folder), &[SWITCH, "target/control"]);
        assert!(found.is_empty(), "{found:?} mention the control");
    }
    let here = files_with(&checkout().join("tests/escape"), &[SWITCH]);
    assert!(!here.is_empty(), "the look finds nothing");
}

/// Files below `folder` that hold one of `words`. A rig carries no sources of the product: there the
/// folder is not, and nothing can be built.
fn files_with(folder: &Path, words: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with(&path, words));
        } else if let Ok(text) = fs::read_to_string(&path)
            && words.iter().any(|word| text.contains(word))
        {
            found.push(path);
        }
    }
    found
}
