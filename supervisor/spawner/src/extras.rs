//! What a host may lack: tried once, before anything is started, and told to the operator.

use keylane_policy::abi::message::{Substitution, ZygoteSpec};
use keylane_policy::blame::{Blame, Failure};
use keylane_policy::part::Part;
use keylane_policy::syscall::Provisions;
use keylane_sys::{cgroup, host};

/// What this host allows beyond what no jail can do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extras {
    /// Namespaces of users, processes, network, IPC and host name.
    pub(crate) namespaces: bool,
    /// A mount namespace below them, and in it a root of its own.
    pub(crate) mounts: bool,
}

impl Extras {
    /// What the instances of this function have; `counted` if they are in a control group.
    pub(crate) fn provisions(self, spec: &ZygoteSpec, counted: bool) -> Provisions {
        Provisions {
            writes: self.mounts && spec.tmp > 0,
            counted,
        }
    }
}

/// What was found.
#[derive(Debug)]
pub(crate) struct Found {
    /// Namespaces and mounts.
    pub(crate) extras: Extras,
    /// The run's control group, in which each function gets one.
    pub(crate) groups: Option<cgroup::Run>,
    /// What the operator is told.
    pub(crate) substitutions: Vec<Substitution>,
}

/// Tries what may be missing, and says what stands in for what is. This process has one thread.
pub(crate) fn find() -> Found {
    let mut substitutions = Vec::new();
    let mut lacks = |parts: &[Part], missing: String, instead: &str| {
        substitutions.push(Substitution {
            parts: parts.to_owned(),
            missing,
            instead: instead.to_owned(),
        });
    };
    let namespaces = host::try_namespaces();
    let mounts = namespaces.is_ok().then(host::try_mounts);
    match (&namespaces, &mounts) {
        (Err(error), _) => lacks(
            &[Part::Namespaces, Part::Mounts],
            format!("user namespaces ({error})"),
            "Landlock and the filter alone: processes share the host's process numbers and network \
             stack, which the filter keeps them from using, and functions have no /tmp",
        ),
        (Ok(()), Some(Err(error))) => lacks(
            &[Part::Mounts],
            format!("mounts in a namespace ({error})"),
            "Landlock alone decides about files: names of the host's files can be seen, and \
             functions have no /tmp",
        ),
        (Ok(()), Some(Ok(())) | None) => {}
    }
    let extras = Extras {
        namespaces: namespaces.is_ok(),
        mounts: mounts.is_some_and(|tried| tried.is_ok()),
    };
    let groups = cgroup::start();
    match &groups {
        Err(why) => lacks(
            &[Part::Groups, Part::Processors],
            format!("control groups ({why})"),
            "limits of each process stand in: nothing bounds the memory of a function's processes \
             together, nor their share of the processors (`cpu`), and memfd_create is refused",
        ),
        Ok(run) if !run.divides_processors() => lacks(
            &[Part::Processors],
            "controller of processors in its control groups".to_owned(),
            "the scheduler alone divides the processors: a function with more processes has more of \
             them, and `cpu` bounds nothing",
        ),
        Ok(_) => {}
    }
    Found {
        extras,
        groups: groups.ok(),
        substitutions,
    }
}

/// Why nothing may be started on a host with these substitutions, where `required` names a part that one
/// of them stands in for.
pub(crate) fn unmet(required: &[Part], substitutions: &[Substitution]) -> Option<Failure> {
    let (part, lacking) = required.iter().find_map(|part| {
        let mut all = substitutions.iter();
        Some((part, all.find(|one| one.parts.contains(part))?))
    })?;
    let cause = format!(
        "the operator's policy requires `{}`, and this host has no {}",
        part.word(),
        lacking.missing
    );
    Some(
        Failure::new(Blame::Host, "starting the functions", cause).advise(
            "`keylane doctor` says what this host lacks; give it that, or let the operator take the \
             word out of `require`",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_required_and_lacking_is_named_and_nothing_else_is() {
        let lacking = [Substitution {
            parts: vec![Part::Groups, Part::Processors],
            missing: "control groups (none)".to_owned(),
            instead: String::new(),
        }];
        let unmet = |required: &[Part]| unmet(required, &lacking).map(|failure| failure.cause);
        assert_eq!(unmet(&[]), None);
        assert_eq!(
            unmet(&[Part::Namespaces, Part::Mounts, Part::Denials]),
            None
        );
        let cause = unmet(&[Part::Mounts, Part::Processors]).unwrap();
        assert!(cause.contains("`processors`"), "{cause}");
        assert!(cause.contains("no control groups (none)"), "{cause}");
    }
}
