//! What a build worker's jail has beyond an instance's: one folder to write to, programs that it may
//! execute.

use keylane_policy::syscall::Job;
use std::path::PathBuf;

/// Where a build worker finds its folder, and where it starts, in a root of its own.
pub const FOLDER: &str = "/build";

/// What a build worker may use.
#[derive(Clone, Debug)]
pub struct Build {
    /// Its job.
    pub job: Job,
    /// The one folder that it may write to; it belongs to the worker's user.
    pub folder: PathBuf,
    /// Files and folders of the host that it may read and execute.
    pub executable: Vec<PathBuf>,
}
