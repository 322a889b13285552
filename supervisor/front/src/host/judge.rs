//! What the host's facts mean for each isolation. Pure: facts in, verdicts out.

use super::facts::{Cgroups, Facts};
use keylane_policy::kernel;
use serde::Serialize;

/// How one point stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// As Keylane wants it.
    Ok,
    /// Missing, and something weaker stands in.
    Substituted,
    /// Missing.
    Missing,
}

/// One point that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// How it stands.
    pub standing: Standing,
    /// What was found.
    pub found: String,
    /// What stands in where it is substituted, and what is lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// Whether isolation `process` cannot do without it.
    pub needed: bool,
}

/// Whether an isolation can be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// It can.
    pub fit: bool,
    /// Why not; empty if it can.
    pub reasons: Vec<String>,
}

/// Everything that `doctor` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// The points.
    pub checks: Vec<Check>,
    /// The verdict on isolation `process`.
    pub process: Verdict,
    /// The verdict on isolation `mpk`.
    pub mpk: Verdict,
}

/// The Landlock ABI that isolation `process` needs, and the one that also scopes signals and
/// abstract sockets.
const LANDLOCK: (u32, u32) = (2, 6);

/// Judges a host.
pub fn judge(facts: &Facts) -> Diagnosis {
    let checks = vec![
        machine(facts),
        kernel(facts),
        landlock(facts),
        from_result(
            "seccomp",
            &facts.seccomp,
            "the actions of the filter exist",
            NO_SECCOMP,
        ),
        no_new_privs(facts),
        outer_filter(facts),
        namespaces(facts),
        mounts(facts),
        listener(facts),
        cgroups(facts),
        processors(facts),
        from_result(
            "sealed memory",
            &facts.sealing,
            "a memfd can be sealed",
            NO_SEALING,
        ),
        python(facts),
        temporary(facts),
        protection_keys(facts),
        domains(facts),
    ];
    let missing = checks
        .iter()
        .filter(|check| check.needed && check.standing == Standing::Missing);
    let reasons: Vec<String> = missing
        .map(|check| format!("{}: {}", check.name, check.found))
        .collect();
    let process = Verdict {
        fit: reasons.is_empty(),
        reasons,
    };
    Diagnosis {
        checks,
        process,
        mpk: tried_mpk(facts),
    }
}

/// The verdict on isolation `mpk`, the trial's answer among the reasons.
fn tried_mpk(facts: &Facts) -> Verdict {
    let mut verdict = judge_mpk(facts.pku, &facts.release);
    if let (true, Err(reason)) = (facts.pku, &facts.domains) {
        verdict
            .reasons
            .push(format!("a trial of domains failed: {reason}"));
    }
    verdict
}

/// The verdict on isolation `mpk`, from the two facts that decide it.
pub fn judge_mpk(pku: bool, release: &str) -> Verdict {
    let mut reasons = vec!["it is not built yet in this version".to_owned()];
    if !pku {
        reasons.push(NO_PKU.to_owned());
    }
    if kernel::version(release).is_none_or(|version| version < kernel::MPK) {
        let (major, minor) = kernel::MPK;
        reasons.push(format!(
            "the kernel is {release}, older than {major}.{minor}"
        ));
    }
    Verdict {
        fit: false,
        reasons,
    }
}

const NO_PKU: &str = "this processor offers no protection keys (no flag `pku` in /proc/cpuinfo)";
const NO_SECCOMP: &str = "use a kernel with CONFIG_SECCOMP_FILTER";
const NO_SEALING: &str = "use a kernel with CONFIG_MEMFD_CREATE";

fn check(name: &'static str, standing: Standing, found: impl Into<String>) -> Check {
    Check {
        name,
        standing,
        found: found.into(),
        instead: None,
        advice: None,
        needed: true,
    }
}

fn machine(facts: &Facts) -> Check {
    let standing = if facts.machine == "x86_64" {
        Standing::Ok
    } else {
        Standing::Missing
    };
    Check {
        advice: (standing != Standing::Ok).then(|| "use an x86_64 machine".to_owned()),
        ..check(
            "processor",
            standing,
            format!("{}, {} cores", facts.machine, facts.cores),
        )
    }
}

fn kernel(facts: &Facts) -> Check {
    let (major, minor) = kernel::PROCESS;
    let new_enough = kernel::version(&facts.release).is_some_and(|found| found >= kernel::PROCESS);
    let standing = if new_enough {
        Standing::Ok
    } else {
        Standing::Missing
    };
    let found = format!("{} (needed: {major}.{minor} or later)", facts.release);
    let advice = format!("use Linux {major}.{minor} or later, such as Debian 12's");
    Check {
        advice: (!new_enough).then_some(advice),
        ..check("kernel", standing, found)
    }
}

fn landlock(facts: &Facts) -> Check {
    let (needed, scoped) = LANDLOCK;
    match &facts.landlock {
        Ok(abi) if *abi >= scoped => check("Landlock", Standing::Ok, format!("ABI {abi}")),
        Ok(abi) if *abi >= needed => Check {
            instead: Some(
                "the filter refuses kill and Unix sockets; lost: Landlock's second wall before \
                 signals and abstract sockets"
                    .into(),
            ),
            ..check(
                "Landlock",
                Standing::Substituted,
                format!("ABI {abi}, without scopes (ABI {scoped})"),
            )
        },
        Ok(abi) => Check {
            advice: Some("use Linux 6.1 or later".into()),
            ..check(
                "Landlock",
                Standing::Missing,
                format!("ABI {abi} (needed: {needed})"),
            )
        },
        Err(error) => Check {
            advice: Some(
                "boot with `lsm=landlock,...`, or let the container's filter pass landlock_* calls"
                    .into(),
            ),
            ..check("Landlock", Standing::Missing, error.as_str())
        },
    }
}

fn from_result(name: &'static str, result: &Result<(), String>, good: &str, advice: &str) -> Check {
    match result {
        Ok(()) => check(name, Standing::Ok, good),
        Err(error) => Check {
            advice: Some(advice.to_owned()),
            ..check(name, Standing::Missing, error.as_str())
        },
    }
}

fn no_new_privs(facts: &Facts) -> Check {
    if facts.no_new_privs {
        check("no_new_privs", Standing::Ok, "the kernel has it")
    } else {
        Check {
            advice: Some("mount /proc, so that Keylane can see it".into()),
            ..check(
                "no_new_privs",
                Standing::Missing,
                "not found in /proc/self/status",
            )
        }
    }
}

fn outer_filter(facts: &Facts) -> Check {
    let found = if facts.outer_filter {
        "one is in force (a container's, most likely); what it denies, the other points show"
    } else {
        "none"
    };
    Check {
        needed: false,
        ..check("outer filter", Standing::Ok, found)
    }
}

fn namespaces(facts: &Facts) -> Check {
    let point = match &facts.namespaces {
        Ok(()) => check(
            "namespaces",
            Standing::Ok,
            "user, pid, network, IPC and UTS can be made",
        ),
        Err(error) => Check {
            instead: Some(
                "Landlock and the filter hold alone; lost: a second wall around processes, \
                 network and IPC, and numbers of processes that mean nothing outside"
                    .into(),
            ),
            advice: Some(
                "allow user namespaces: sysctl kernel.unprivileged_userns_clone=1 or \
                 kernel.apparmor_restrict_unprivileged_userns=0, whichever the kernel has"
                    .into(),
            ),
            ..check("namespaces", Standing::Substituted, error.as_str())
        },
    };
    Check {
        needed: false,
        ..point
    }
}

fn listener(facts: &Facts) -> Check {
    let point = match &facts.listener {
        Ok(()) => check(
            "denied calls",
            Standing::Ok,
            "a filter can tell which call it denied",
        ),
        Err(error) => Check {
            instead: Some(
                "a denied call fails with EPERM as ever; lost: the record of which call it was, in \
                 errors and in reports"
                    .into(),
            ),
            advice: Some(
                "run Keylane outside of a sandbox that watches system calls itself (EBUSY: one \
                 process can have one listener)"
                    .into(),
            ),
            ..check("denied calls", Standing::Substituted, error.as_str())
        },
    };
    Check {
        needed: false,
        ..point
    }
}

fn mounts(facts: &Facts) -> Check {
    let point = match (&facts.namespaces, &facts.mounts) {
        (Ok(()), Ok(())) => check(
            "mounts",
            Standing::Ok,
            "each process gets a root of its own, each function a private /tmp",
        ),
        (namespaces, mounts) => Check {
            instead: Some(
                "Landlock alone decides about files; lost: a second wall around files, a root \
                 that hides the names of the host's files, and functions' private /tmp: they \
                 have none"
                    .into(),
            ),
            advice: Some(
                "allow mounts inside user namespaces (an AppArmor profile or a container's \
                 filter may refuse them), and user namespaces themselves"
                    .into(),
            ),
            ..check(
                "mounts",
                Standing::Substituted,
                match (namespaces, mounts) {
                    (Ok(()), Err(error)) => error.as_str(),
                    _ => "they need namespaces",
                },
            )
        },
    };
    Check {
        needed: false,
        ..point
    }
}

fn cgroups(facts: &Facts) -> Check {
    let found = match &facts.cgroups {
        Cgroups::Unified(controllers) if controllers.is_empty() => {
            "version 2 without controllers".to_owned()
        }
        Cgroups::Unified(controllers) => format!("version 2 with {}", controllers.join(", ")),
        Cgroups::Split => "version 1, which Keylane does not use".to_owned(),
        Cgroups::None => "none mounted".to_owned(),
    };
    let point = match &facts.groups {
        Ok(_) => check(
            "cgroups",
            Standing::Ok,
            format!("{found}: each function gets a group of its own"),
        ),
        Err(why) => Check {
            instead: Some(
                "limits of each process (RLIMIT_AS, RLIMIT_NPROC) stand in; lost: one bound on the \
                 memory of a function's processes together, /tmp included, and memfd_create, which \
                 is refused"
                    .into(),
            ),
            advice: Some(
                "start Keylane where cgroup version 2 gives this user memory and pids, for example \
                 by `systemd-run --user --scope -p Delegate=yes keylane ...`"
                    .into(),
            ),
            ..check("cgroups", Standing::Substituted, format!("{found}; {why}"))
        },
    };
    Check {
        needed: false,
        ..point
    }
}

fn processors(facts: &Facts) -> Check {
    let name = "processors";
    let point = match &facts.groups {
        Ok(true) => check(
            name,
            Standing::Ok,
            "each function's group has an equal share, and `cpu` bounds it".to_owned(),
        ),
        Ok(false) | Err(_) => Check {
            instead: Some(
                "the scheduler divides them among processes; lost: an equal share for each function, \
                 and `cpu`, which bounds nothing"
                    .into(),
            ),
            advice: Some(
                "start Keylane where cgroup version 2 gives this user cpu as well as memory and pids"
                    .into(),
            ),
            ..check(name, Standing::Substituted, "no control groups divide them".to_owned())
        },
    };
    Check {
        needed: false,
        ..point
    }
}

fn python(facts: &Facts) -> Check {
    match &facts.python {
        Ok(()) => check(
            "python3.11",
            Standing::Ok,
            "Debian's library and standard library",
        ),
        // A project of native functions alone runs without it; one of others says so itself.
        Err(failure) => Check {
            advice: failure.advice.clone(),
            needed: false,
            ..check(
                "python3.11",
                Standing::Missing,
                format!("{}; native functions run without it", failure.cause),
            )
        },
    }
}

fn temporary(facts: &Facts) -> Check {
    let name = "temporary folder";
    match &facts.temporary {
        Ok(path) => check(name, Standing::Ok, path.display().to_string()),
        Err(failure) => Check {
            advice: failure.advice.clone(),
            ..check(name, Standing::Missing, failure.cause.as_str())
        },
    }
}

fn protection_keys(facts: &Facts) -> Check {
    let point = if facts.pku {
        check(
            "protection keys",
            Standing::Ok,
            "the processor and the kernel offer them",
        )
    } else {
        check("protection keys", Standing::Missing, NO_PKU)
    };
    Check {
        needed: false,
        ..point
    }
}

/// What a trial of domains showed; without keys there is none to be made.
fn domains(facts: &Facts) -> Check {
    let point = match &facts.domains {
        Ok(count) => check(
            "domains",
            Standing::Ok,
            format!(
                "{count} in a process; signals keep rights, a wild access and a forged return were contained"
            ),
        ),
        Err(reason) => check("domains", Standing::Missing, reason),
    };
    Check {
        needed: false,
        ..point
    }
}

#[cfg(test)]
mod tests;
