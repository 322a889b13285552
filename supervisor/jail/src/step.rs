//! The names of the jail's steps, and the error of one that did not hold.

use std::fmt;
use std::io;

/// A step of the jail, in the order in which they are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Closing every descriptor that is not named.
    Descriptors,
    /// A session without terminal.
    Session,
    /// Changing to its directory.
    Directory,
    /// An unprivileged user of its own.
    User,
    /// A root of its own, in a mount namespace.
    Root,
    /// Resource limits.
    Limits,
    /// Dropping every capability from every set.
    Capabilities,
    /// PR_SET_NO_NEW_PRIVS.
    NoNewPrivileges,
    /// PR_SET_DUMPABLE 0.
    Undumpable,
    /// The Landlock ruleset.
    Landlock,
    /// Dying with the parent.
    ParentDeath,
    /// The system call filters.
    Seccomp,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Step::Descriptors => "closing descriptors",
            Step::Session => "starting a session",
            Step::Directory => "changing to its directory",
            Step::User => "becoming an unprivileged user",
            Step::Root => "entering a root of its own",
            Step::Limits => "setting resource limits",
            Step::Capabilities => "dropping capabilities",
            Step::NoNewPrivileges => "setting no_new_privs",
            Step::Undumpable => "becoming undumpable",
            Step::Landlock => "restricting the file system with Landlock",
            Step::ParentDeath => "tying its life to its parent's",
            Step::Seccomp => "installing the system call filter",
        })
    }
}

/// A step that did not hold. The process must end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepError {
    /// Which step.
    pub step: Step,
    /// What the kernel or the check said.
    pub cause: String,
}

impl StepError {
    /// The error of `step` with a cause in words.
    pub(crate) fn refused(step: Step, cause: impl Into<String>) -> Self {
        StepError {
            step,
            cause: cause.into(),
        }
    }
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.step, self.cause)
    }
}

impl std::error::Error for StepError {}

/// Takes a step and names it in its error.
pub(crate) fn take<T>(step: Step, action: impl FnOnce() -> io::Result<T>) -> Result<T, StepError> {
    action().map_err(|error| StepError::refused(step, error.to_string()))
}
