//! What a host may lack: tried once, before anything is started, and told to the operator.

use keylane_policy::abi::message::{Substitution, ZygoteSpec};
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
    let mut lacks = |missing: String, instead: &str| {
        substitutions.push(Substitution {
            missing,
            instead: instead.to_owned(),
        });
    };
    let namespaces = host::try_namespaces();
    let mounts = namespaces.is_ok().then(host::try_mounts);
    match (&namespaces, &mounts) {
        (Err(error), _) => lacks(
            format!("user namespaces ({error})"),
            "Landlock and the filter alone: processes share the host's process numbers and network \
             stack, which the filter keeps them from using, and functions have no /tmp",
        ),
        (Ok(()), Some(Err(error))) => lacks(
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
    if let Err(why) = &groups {
        substitutions.push(Substitution {
            missing: format!("control groups ({why})"),
            instead: "limits of each process stand in: nothing bounds the memory of a function's \
                      processes together, and memfd_create is refused"
                .to_owned(),
        });
    }
    Found {
        extras,
        groups: groups.ok(),
        substitutions,
    }
}
