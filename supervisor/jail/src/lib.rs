//! The jail: what a process gives up before it runs a program that is not ours to trust.
//!
//! [`enter`] takes every step, in the order that threats.md P1 asks for, and each step either holds
//! or is an error that ends the process: there is no way to go on without one. What a host may
//! lack (namespaces) is decided by the caller before it forks and told to the operator; it is never
//! found out here.
//!
//! The calling process is a fresh, single-threaded child that will execute one image and nothing
//! else. An attacker controls nothing here: no byte of a tenant has been read yet.

#![forbid(unsafe_code)]

mod build;
mod capability;
mod child;
mod filesystem;
pub mod filter;
pub mod launch;
mod root;
mod step;

pub use build::{Build, FOLDER};
pub use filter::Filters;
pub use root::{Root, TREE};
pub use step::{Step, StepError};

use keylane_policy::syscall::{Group, Groups, IMAGE_DESCRIPTOR, Job, Provisions, Role};
use keylane_sys::jail as sys;
use std::io;
use std::os::fd::{OwnedFd, RawFd};
use std::path::{Path, PathBuf};

/// Everything that a jail differs in.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Whose filter.
    pub role: Role,
    /// The groups of calls that an instance's profile grants; without meaning for a lane.
    pub groups: Groups,
    /// A name for `ps`.
    pub name: String,
    /// The user to become, when this process runs as root.
    pub user: Option<u32>,
    /// Whether the process has namespaces of its own already.
    pub namespaces: bool,
    /// Its limits.
    pub limits: sys::Limits,
    /// Files and directories that it may read; nothing else of the file system can be opened.
    pub readable: Vec<PathBuf>,
    /// The directory that it starts in; the root without one. In a root of its own it is [`TREE`].
    pub directory: Option<PathBuf>,
    /// What it may use beyond that, for a build worker.
    pub build: Option<Build>,
    /// A root of its own, for a process that has a mount namespace.
    pub root: Option<Root>,
    /// Ports of TCP that it may connect to; without meaning unless it is [networked](Plan::networked).
    pub ports: Vec<u16>,
    /// Whether it may have every port where the kernel cannot tell them apart.
    pub unfiltered: bool,
}

impl Plan {
    /// What the process has that its filter depends on; `counted` if a control group bounds its memory.
    pub fn provisions(&self, counted: bool) -> Provisions {
        Provisions {
            writes: self.role == Role::Instance && self.root.is_some_and(|root| root.tmp > 0),
            counted,
        }
    }

    /// Whether the process may open connections: it keeps the network that its parent has.
    pub fn networked(&self) -> bool {
        match self.role {
            Role::Lane => false,
            Role::Instance => self.groups.has(Group::Network),
            Role::Builder(job) => job == Job::Fetch,
        }
    }

    /// Where the process starts: its folder by the name that it has in its root.
    fn start(&self) -> &Path {
        let own = self.root.is_some();
        match (&self.build, self.directory.as_deref()) {
            (Some(_), _) if own => Path::new(FOLDER),
            (Some(build), _) => &build.folder,
            (None, Some(_)) if own => Path::new(TREE),
            (None, directory) => directory.unwrap_or(Path::new("/")),
        }
    }
}

/// Enters the jail. On success this process holds `kept` as 0, 1, 2, ..., the image as
/// [`IMAGE_DESCRIPTOR`], and no other descriptor; nothing that it does from now on can undo a step.
/// `pass_on` sends the listener of an instance's denied calls away, if the filters tell of them. The
/// process is in a control group that bounds its memory already if it is `counted`.
pub fn enter(
    plan: &Plan,
    counted: bool,
    filters: &Filters,
    kept: &[RawFd],
    image: RawFd,
    pass_on: impl Fn(OwnedFd) -> io::Result<()>,
) -> Result<(), StepError> {
    // Only what is named stays: an inherited descriptor is a right that no later step sees. And first
    // of all: until then the control socket's number is another socket's, and no error can be told.
    step::take(Step::Descriptors, || {
        sys::keep_descriptors(kept, image, IMAGE_DESCRIPTOR)
    })?;
    filesystem::check_ports(plan, filters.landlock_abi())?;
    let provisions = plan.provisions(counted);
    let filters = filters.of(plan.role, &plan.groups, provisions)?;
    // No terminal to inject input into (TIOCSTI), no group to receive our signals.
    step::take(Step::Session, sys::new_session)?;
    step::take(Step::Session, || sys::name_process(&plan.name))?;
    step::take(Step::Session, keylane_sys::signal::unblock_all)?;
    // Landlock opens the readable paths now, while this user can still reach them, and is put into
    // force below; what it allows are files, by whatever path they are reached.
    let mut ruleset = filesystem::prepare(plan)?;
    let copies = match plan.root {
        Some(root) => Some((root, root::copies(plan)?)),
        None => {
            step::take(Step::Directory, || std::env::set_current_dir(plan.start()))?;
            None
        }
    };
    step::take(Step::Capabilities, capability::empty_bounding_set)?;
    if let Some(user) = plan.user {
        // Root is exempt from RLIMIT_NPROC and owns every file: nobody runs as root.
        step::take(Step::User, || sys::become_user(user))?;
    }
    if sys::is_root() {
        return Err(StepError::refused(Step::User, "the process is still root"));
    }
    sys::set_private_umask();
    // By the user that it will be, whose the new root's folders are; the capabilities that mounts
    // need are the user namespace's, which the change of user leaves.
    if let Some((root, copies)) = copies {
        root::enter(copies, root)?;
        step::take(Step::Directory, || std::env::set_current_dir(plan.start()))?;
        if provisions.writes {
            ruleset = filesystem::allow_writing(ruleset, Path::new(root::TMP))?;
        }
    }
    step::take(Step::Limits, || sys::limit_resources(plan.limits))?;
    // What a user namespace gave, which the mounts needed.
    step::take(Step::Capabilities, capability::drop_all)?;
    step::take(Step::NoNewPrivileges, sys::no_new_privileges)?;
    step::take(Step::Undumpable, || sys::set_dumpable(false))?;
    filesystem::restrict(ruleset)?;
    // After the change of user, which clears it (prctl(2)).
    step::take(Step::ParentDeath, sys::die_with_parent)?;
    // Last: the steps above use calls that the filter refuses.
    filters.install(pass_on)
}
