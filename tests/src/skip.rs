//! Tests that need what a host may lack, and say so loudly where it does.
//!
//! A test that cannot be made prints one line that begins with `keylane-tests: SKIPPED` and returns;
//! `.ci/run` counts those lines, shows them, and does not call such tests passed. On a machine where
//! it must be possible to make them (the rig, with KEYLANE_REQUIRE_MPK=1) they fail instead.

use std::io::Write;

/// The variable that turns a skip for want of protection keys into a failure.
const REQUIRE_MPK: &str = "KEYLANE_REQUIRE_MPK";

/// What becomes of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Run,
    Skip(String),
    Fail(String),
}

/// What becomes of a test that needs protection keys, on a host that has them or not and where they
/// are required (the variable's value) or not.
fn keys_verdict(has: bool, required: Option<&str>) -> Verdict {
    let lacking = "this processor or kernel offers no protection keys";
    match required {
        _ if has => Verdict::Run,
        None | Some("0" | "") => Verdict::Skip(lacking.to_owned()),
        // A value that nobody thought of requires them too.
        Some(value) => Verdict::Fail(format!("{lacking}, and {REQUIRE_MPK}={value} wants them")),
    }
}

/// Whether the flags of /proc/cpuinfo say that the processor has keys and the kernel has them on.
fn offers_keys(cpuinfo: &str) -> bool {
    let flags = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("flags"))
        .unwrap_or_default();
    ["pku", "ospke"]
        .iter()
        .all(|wanted| flags.split_whitespace().any(|flag| flag == *wanted))
}

/// Whether the test `name`, which needs protection keys, can be made here. If not, it returns at
/// once; where keys are required, this fails it.
#[track_caller]
#[must_use]
pub fn has_keys(name: &str) -> bool {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let required = std::env::var(REQUIRE_MPK).ok();
    match keys_verdict(offers_keys(&cpuinfo), required.as_deref()) {
        Verdict::Run => true,
        Verdict::Skip(why) => {
            skip(name, &why);
            false
        }
        Verdict::Fail(why) => panic!("{name}: {why}"),
    }
}

/// Whether the test `name`, which needs root, can be made here. If not, it returns at once.
#[must_use]
pub fn has_root(name: &str) -> bool {
    if !crate::is_root() {
        skip(name, "it needs root");
    }
    crate::is_root()
}

/// Whether the test `name`, which needs all that Landlock can do, can be made here. If not, it returns at
/// once.
#[must_use]
pub fn has_whole_landlock(name: &str) -> bool {
    let has = crate::doctor("Landlock") == "ok";
    if !has {
        skip(name, "this kernel's Landlock lacks ports or scopes");
    }
    has
}

/// Whether the test `name`, which needs a control group for a function, can be made here. If not, it
/// returns at once.
#[must_use]
pub fn has_groups(name: &str) -> bool {
    let has = crate::doctor("cgroups") == "ok";
    if !has {
        skip(name, "this host gives functions no control group");
    }
    has
}

/// Whether the test `name`, which needs Debian's pip, can be made here. If not, it returns at once.
#[must_use]
pub fn has_pip(name: &str) -> bool {
    let package = "/usr/lib/python3/dist-packages/pip/__main__.py";
    let wheels = std::fs::read_dir("/usr/share/python-wheels");
    let is_pip = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with("pip-");
    let found = std::path::Path::new(package).is_file()
        || wheels.is_ok_and(|all| all.flatten().any(|one| is_pip(&one.file_name())));
    if !found {
        skip(name, "it needs python3-pip-whl");
    }
    found
}

/// Whether the test `name`, which needs Debian's C compiler, can be made here. If not, it returns at once.
#[must_use]
pub fn has_gcc(name: &str) -> bool {
    let needed = [
        "/usr/bin/gcc",
        "/usr/bin/ld",
        "/usr/lib/x86_64-linux-gnu/libc.so",
    ];
    let found = needed
        .iter()
        .all(|path| std::path::Path::new(path).is_file());
    if !found {
        skip(name, "it needs gcc and libc6-dev");
    }
    found
}

/// Says that a test is not made. Written past the test harness, which swallows what passing tests
/// print, and at the beginning of a line, where the harness may be in the middle of one.
fn skip(name: &str, why: &str) {
    let line = format!("\nkeylane-tests: SKIPPED {name}: {why}\n");
    let _nobody_reads = std::io::stderr().write_all(line.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_keys_a_test_runs_whether_they_are_required_or_not() {
        for required in [None, Some("0"), Some("1")] {
            assert_eq!(keys_verdict(true, required), Verdict::Run);
        }
    }

    #[test]
    fn without_keys_a_test_is_skipped_unless_they_are_required() {
        for required in [None, Some(""), Some("0")] {
            assert!(matches!(keys_verdict(false, required), Verdict::Skip(_)));
        }
        for required in ["1", "yes", "2"] {
            assert!(matches!(
                keys_verdict(false, Some(required)),
                Verdict::Fail(_)
            ));
        }
    }

    #[test]
    fn keys_are_there_when_processor_and_kernel_say_so() {
        let with = |flags: &str| offers_keys(&format!("model\t: x\nflags\t\t: fpu {flags} de\n"));
        assert!(with("pku ospke"));
        assert!(!with("pku"));
        assert!(!with("ospke"));
        assert!(!with("pkux ospke"));
        assert!(!offers_keys(""));
    }
}
