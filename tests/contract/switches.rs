//! Nothing switches a wall off: no option, no environment variable, no feature of the build.

use keylane_tests::kept::Kept;
use keylane_tests::leftover::{self, Family};
use keylane_tests::project::Project;
use keylane_tests::{program, run};
use serde_json::Value;
use std::process::Command;
use toml::Table;

/// The packages that build and enforce the jail.
const MANIFESTS: [&str; 5] = [
    include_str!("../../policy/Cargo.toml"),
    include_str!("../../supervisor/sys/Cargo.toml"),
    include_str!("../../supervisor/jail/Cargo.toml"),
    include_str!("../../supervisor/builder/Cargo.toml"),
    include_str!("../../supervisor/spawner/Cargo.toml"),
];

/// Every source of those packages, as they were compiled (`build.rs`).
const SOURCES: &str = include_str!(concat!(env!("OUT_DIR"), "/trusted.txt"));

#[test]
fn the_packages_of_the_jail_have_no_features() {
    for manifest in MANIFESTS {
        let manifest: Table = manifest.parse().unwrap();
        assert!(
            !manifest.contains_key("features"),
            "{:?} has features, and with them a build with fewer walls",
            manifest["package"]["name"]
        );
    }
}

#[test]
fn the_sources_of_the_jail_read_no_environment_and_know_no_special_builds() {
    assert!(
        SOURCES.lines().count() > 1000,
        "the sources are not all here"
    );
    for (number, line) in SOURCES.lines().enumerate() {
        for word in [
            "env::var",
            "var_os",
            "vars_os",
            "getenv",
            "option_env!",
            "cfg(feature",
            "cfg!(",
            "debug_assertions",
            "cfg_attr",
        ] {
            assert!(!line.contains(word), "line {number} of trusted.txt: {line}");
        }
    }
    let conditions: Vec<&str> = SOURCES
        .lines()
        .filter(|line| line.contains("#[cfg(") && !line.contains("#[cfg(test)]"))
        .collect();
    assert!(
        conditions.is_empty(),
        "code that some builds lack: {conditions:?}"
    );
}

/// Sources in C that the product carries to hand them out, whose macros have such names.
const HANDED_OUT: [&str; 3] = [
    include_str!("../../shim/include/keylane.h"),
    include_str!("../../supervisor/front/templates/c/functions/words/words.c"),
    include_str!("../../supervisor/front/templates/c/functions/tally/tally.c"),
];

#[test]
fn no_image_in_the_product_names_an_environment_variable_of_ours() {
    let mut bytes = std::fs::read(program()).unwrap();
    for text in HANDED_OUT {
        let text = text.as_bytes();
        // The compiler may have put it there more than once.
        let places: Vec<usize> = bytes
            .windows(text.len())
            .enumerate()
            .filter(|(_, found)| *found == text)
            .map(|(at, _)| at)
            .collect();
        assert!(!places.is_empty(), "the product does not carry this source");
        for start in places {
            bytes[start..start + text.len()].fill(0);
        }
    }
    let found: Vec<String> = bytes
        .windows(8)
        .enumerate()
        .filter(|(_, window)| *window == b"KEYLANE_")
        .map(|(at, _)| String::from_utf8_lossy(&bytes[at..(at + 40).min(bytes.len())]).into_owned())
        .collect();
    assert!(found.is_empty(), "{found:?}");
    // The control: the images are in there, unpacked.
    let images = bytes
        .windows(4)
        .filter(|window| *window == b"\x7fELF")
        .count();
    assert!(images >= 4, "the product's images cannot be read: {images}");
}

#[test]
fn no_option_of_run_switches_a_wall_off() {
    let said = run(["run", "--help"]);
    said.expect_code(0);
    let mut options: Vec<&str> = said
        .out
        .split_whitespace()
        .filter(|word| word.starts_with("--"))
        .map(|word| word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()))
        .collect();
    options.sort_unstable();
    options.dedup();
    let known = [
        "--help",
        "--input",
        "--isolation",
        "--json",
        "--lanes",
        // Grants profiles and ceilings; no policy can leave a wall out.
        "--policy",
        "--quiet",
        "--stream",
        "--timeline",
        "--trace",
    ];
    let new: Vec<_> = options
        .iter()
        .filter(|option| !known.contains(option))
        .collect();
    assert!(
        new.is_empty(),
        "name these here once they are known to open nothing: {new:?}"
    );
    assert!(options.contains(&"--isolation"), "{options:?}");
}

#[test]
fn a_project_cannot_ask_for_fewer_walls() {
    let project = Project::sequence(&[("f", "def handler(e, c): return 1\n")]);
    for key in [
        "seccomp = false",
        "landlock = \"off\"",
        "privileged = true",
        "network = true",
    ] {
        let other = Project::sequence(&[("f", "def handler(e, c): return 1\n")]);
        other.append(&format!("{key}\n"));
        run(["run", other.arg()]).expect_code(2);
    }
    run(["run", project.arg()]).expect_code(0);
}

/// What /proc tells of a process's walls.
fn walls(pid: u32) -> Vec<(String, String)> {
    let mut status = leftover::status(pid);
    [
        "CapPrm",
        "CapEff",
        "CapBnd",
        "NoNewPrivs",
        "Seccomp",
        "Seccomp_filters",
    ]
    .map(|field| (field.to_owned(), status.remove(field).unwrap_or_default()))
    .to_vec()
}

#[test]
fn whatever_the_environment_says_the_walls_are_the_same_and_none_of_it_gets_inside() {
    let source = "\
import os, time
def handler(event, context):
    if event == 'sleep': time.sleep(10000)
    return sorted(os.environ)
";
    let project = Project::sequence(&[("f", source)]);
    let hostile = [
        ("KEYLANE_NO_JAIL", "1"),
        ("KEYLANE_UNSAFE", "1"),
        ("KEYLANE_DEBUG", "1"),
        ("KEYLANE_TEST", "1"),
        ("LD_PRELOAD", "/nonexistent/evil.so"),
        ("LD_LIBRARY_PATH", "/nonexistent"),
        ("GLIBC_TUNABLES", "glibc.malloc.check=3"),
        ("PYTHONPATH", "/nonexistent"),
        ("PYTHONHOME", "/nonexistent"),
        ("PYTHONSTARTUP", "/nonexistent/evil.py"),
        ("SECRET_OF_THE_OPERATOR", "s3cret"),
    ];
    let sleeping = ["run", project.arg(), "-q", "--input", "\"sleep\""];
    let started = |kept: &Kept| kept.await_family(|family| !family.workers.is_empty());
    let of = |family: &Family| {
        [
            family.lanes[0],
            family.inits[0],
            family.zygotes[0],
            family.workers[0],
        ]
        .map(walls)
    };
    let plain = Kept::start(&sleeping);
    let odd = Kept::start_in(&sleeping, &hostile);
    assert_eq!(of(&started(&plain)), of(&started(&odd)));

    let mut command = Command::new(program());
    let output = command
        .args(["run", project.arg(), "-q", "--input", "0"])
        .envs(hostile)
        .output()
        .unwrap();
    let names: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    for (name, _) in hostile {
        assert!(
            !names.contains(&name.into()),
            "{name} is visible to a function"
        );
    }
}
