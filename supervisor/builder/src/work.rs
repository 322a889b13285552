//! What a build worker is to do, and what came of it.

use keylane_policy::blame::Blame;
use keylane_policy::syscall::Job;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One program to run in a build worker's jail.
#[derive(Clone, Debug)]
pub struct Work<'w> {
    /// The job, which decides the filter and the network.
    pub job: Job,
    /// What is being done, for messages: `fetching the packages of function "f"`.
    pub doing: String,
    /// Whose fault it is when the worker does not end in time.
    pub blame: Blame,
    /// The program, a file of the host.
    pub program: &'w Path,
    /// Its arguments, its own name first.
    pub arguments: Vec<String>,
    /// What its environment has beyond every jailed process's: `NAME=value`.
    pub environment: Vec<String>,
    /// The one folder that it may write to, absolute; it belongs to the worker's user.
    pub folder: &'w Path,
    /// What of the host it may read.
    pub readable: Vec<PathBuf>,
    /// What of the host it may read and execute.
    pub executable: Vec<PathBuf>,
    /// TCP ports that it may connect to.
    pub ports: Vec<u16>,
    /// Bytes of address space of each of its processes.
    pub memory: u64,
    /// How long it may take.
    pub time: Duration,
}

/// How a build worker ended.
#[derive(Clone, Debug)]
pub struct Done {
    /// Whether the program ended with status 0.
    pub succeeded: bool,
    /// How it ended, in words.
    pub ended: String,
    /// The last of what it printed: hostile text.
    pub output: String,
    /// Why the jail could not be built, if that is how it ended. A program that prints the same words
    /// is told as a host that lacks something; it gains nothing by it.
    pub unjailed: Option<String>,
}
