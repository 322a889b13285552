//! What is true of this host, asked and not judged. Judgement is in [`super::judge`].

use crate::runtime;
use crate::stage;
use keylane_policy::blame::Failure;
use std::fs;
use std::path::PathBuf;

/// Control groups as this process finds them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cgroups {
    /// The unified hierarchy with these controllers.
    Unified(Vec<String>),
    /// Controllers in hierarchies of their own.
    Split,
    /// None is mounted.
    None,
}

/// What is true of this host.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The processor's architecture as uname(2) calls it.
    pub machine: String,
    /// The kernel's release.
    pub release: String,
    /// The processors that this process may use.
    pub cores: usize,
    /// The newest Landlock ABI, or why there is none.
    pub landlock: Result<u32, String>,
    /// Whether the seccomp actions that the jail uses exist.
    pub seccomp: Result<(), String>,
    /// Whether the kernel knows no_new_privs.
    pub no_new_privs: bool,
    /// Whether a filter of somebody else's is in force on this process.
    pub outer_filter: bool,
    /// Whether a child gets namespaces of its own.
    pub namespaces: Result<(), String>,
    /// Whether such a child gets a root of its own.
    pub mounts: Result<(), String>,
    /// Whether a filter of this process can have a listener.
    pub listener: Result<(), String>,
    /// Control groups.
    pub cgroups: Cgroups,
    /// Whether a run's control groups for its functions divide the processors, too; or why there are none.
    pub groups: Result<bool, String>,
    /// Whether a memfd can be made and sealed.
    pub sealing: Result<(), String>,
    /// Whether the processor and the kernel offer protection keys.
    pub pku: bool,
    /// How many domains a process could have, as a trial showed, or what did not hold.
    pub domains: Result<u64, String>,
    /// Whether the runtime is there.
    pub python: Result<(), Failure>,
    /// The folder that stages are made in, or what is wrong with it.
    pub temporary: Result<PathBuf, Failure>,
}

impl Facts {
    /// Asks the host. A child is forked for a moment, so that this process must have one thread.
    pub fn gather() -> Facts {
        let status = read("/proc/self/status");
        let (release, machine) = kernel();
        Facts {
            machine,
            release,
            cores: keylane_sys::process::cores().map_or(1, |cores| cores.len()),
            landlock: text(keylane_sys::host::landlock_abi()),
            seccomp: text(keylane_sys::host::seccomp_actions()),
            no_new_privs: status_field(&status, "NoNewPrivs").is_some(),
            outer_filter: status_field(&status, "Seccomp").is_some_and(|mode| mode != "0"),
            namespaces: text(keylane_sys::host::try_namespaces()),
            mounts: text(keylane_sys::host::try_mounts()),
            listener: text(keylane_sys::denied::try_listener()),
            cgroups: cgroups(),
            groups: keylane_sys::cgroup::start().map(|run| {
                let divides = run.divides_processors();
                run.end();
                divides
            }),
            sealing: text(keylane_sys::host::try_sealed_memory()),
            pku: has_pku(),
            domains: super::trial::domains(),
            python: runtime::python_is_there(),
            temporary: stage::check_temporary(),
        }
    }
}

/// The kernel's release and machine; empty where uname(2) fails, which no judgement accepts.
pub(crate) fn kernel() -> (String, String) {
    keylane_sys::host::kernel().unwrap_or_default()
}

/// Whether the kernel announces the processor's protection keys (`ospke`: it has them on).
pub(crate) fn has_pku() -> bool {
    let cpuinfo = read("/proc/cpuinfo");
    let flags = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("flags"))
        .unwrap_or_default();
    let has = |flag| flags.split_whitespace().any(|found| found == flag);
    has("pku") && has("ospke")
}

/// A small file of the kernel's; empty where it cannot be read, which no judgement accepts.
fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn status_field<'s>(status: &'s str, field: &str) -> Option<&'s str> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.map(str::trim)
}

fn cgroups() -> Cgroups {
    match fs::read_to_string("/sys/fs/cgroup/cgroup.controllers") {
        Ok(list) => Cgroups::Unified(list.split_whitespace().map(str::to_owned).collect()),
        Err(_) if read("/proc/self/cgroup").is_empty() => Cgroups::None,
        Err(_) => Cgroups::Split,
    }
}

fn text<T>(answer: std::io::Result<T>) -> Result<T, String> {
    answer.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_a_status_file_is_found_by_its_whole_name() {
        let status = "Name:\tx\nNoNewPrivs:\t0\nSeccomp:\t2\nSeccomp_filters:\t1\n";
        assert_eq!(status_field(status, "Seccomp"), Some("2"));
        assert_eq!(status_field(status, "NoNewPrivs"), Some("0"));
        assert_eq!(status_field(status, "NoNew"), None);
    }
}
