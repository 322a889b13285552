//! Every message between processes of Keylane, one enum per direction.
//!
//! ```text
//!  front ── ToSpawner ──► spawner ── ToZygote ──► zygote ─fork─► worker
//!        ◄─ FromSpawner ─         ◄─ FromZygote ─
//!  front ── ToLane ─────► lane    ── LaneToSpawner ─► spawner
//!        ◄─ FromLane ────         ◄─ SpawnerToLane ──
//! ```
//!
//! Each variant says which descriptors travel with it; a message with another number of
//! descriptors is refused. Bodies (definitions, inputs, branches, reports) are memfds sealed
//! `WRITE|GROW|SHRINK|SEAL` by their sender; the receiver checks the seals before it reads.

use crate::blame::{Blame, Failure};
use crate::denial::Denial;
use crate::part::Part;
use crate::reuse::Reuse;
use crate::syscall::Groups;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A function's number in its deployment: its place in the list that the front sent.
pub type FunctionId = u16;
/// A lane's number in its deployment.
pub type LaneId = u16;
/// A lane's own number for one worker that it asked for.
pub type Ticket = u32;
/// A number for branches that one lane handed to another, unique in an execution.
pub type LoanId = u32;

/// What runs a function: which launcher its zygote executes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Runtime {
    /// CPython.
    Python,
    /// The function's own shared object.
    Native,
}

/// What the spawner needs to know to start a function's zygote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZygoteSpec {
    /// The function's name, for messages.
    pub name: String,
    /// Absolute path of the function's staged tree, the only part of the project it can read.
    pub tree: String,
    /// What runs it.
    pub runtime: Runtime,
    /// Where it begins: `module.function` in Python, `FILE` or `FILE:SYMBOL` of a shared object.
    pub handler: String,
    /// Absolute paths outside the tree that the runtime needs to read (its standard library, the
    /// dynamic loader's directories).
    pub runtime_paths: Vec<String>,
    /// The groups of system calls that its profile grants.
    pub groups: Groups,
    /// Bytes of address space of one instance (RLIMIT_AS).
    pub memory: u64,
    /// Processes and threads of all instances of the function together (RLIMIT_NPROC).
    pub processes: u64,
    /// Open descriptors of one instance (RLIMIT_NOFILE).
    pub descriptors: u64,
    /// Hundredths of a processor that all instances of the function together may use; the ceiling is
    /// no bound (cpu.max, cgroups(7)).
    pub cpu: u64,
    /// Bytes of the private /tmp that all instances of the function share; 0 is none.
    pub tmp: u64,
    /// Whether workers are forked before or after the import.
    pub reuse: Reuse,
    /// Ports of TCP that it may connect to, if its groups have the network.
    pub ports: Vec<u16>,
    /// Whether every port may be open where the kernel cannot tell them apart.
    pub unfiltered: bool,
}

/// Front to spawner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToSpawner {
    /// First message. Descriptors: the images of the lane and of the launchers of Python functions
    /// and of native ones, all sealed memfds.
    /// `stage` is the directory that the spawner removes when the front is gone.
    Setup {
        /// Absolute path of the directory that holds the staged trees.
        stage: String,
        /// Parts of the jail that a host may lack, without which nothing is to be started.
        required: Vec<Part>,
    },
    /// Start the zygote of `function`. No descriptors.
    Zygote {
        /// The number by which the deployment knows the function from now on.
        function: FunctionId,
        /// How to start it.
        spec: ZygoteSpec,
    },
    /// Start a lane. No descriptors.
    Lane {
        /// The lane's number.
        lane: LaneId,
        /// The processor that the lane and its workers are bound to, if any.
        core: Option<u16>,
    },
    /// End everything and exit. No descriptors.
    Stop,
}

/// A part of the jail that the host does not allow, and what stands in for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Substitution {
    /// Which parts those are.
    pub parts: Vec<Part>,
    /// What is missing, e.g. `user namespaces`.
    pub missing: String,
    /// What stands in, and what is lost.
    pub instead: String,
}

/// Which process a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Who {
    /// The zygote of a function.
    Zygote(FunctionId),
    /// A lane.
    Lane(LaneId),
    /// A worker of a function that a lane asked for.
    Worker(LaneId, FunctionId),
}

/// How a process ended (wait(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ended {
    /// It exited with this status.
    Exited(i32),
    /// This signal ended it.
    Signaled(i32),
    /// Its function's group met the bound of its memory, and the kernel ended all its processes.
    OutOfMemory,
    /// It is gone and nobody who can be believed says how.
    Unknown,
}

impl fmt::Display for Ended {
    /// In words that follow the name of the process.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ended::Exited(status) => write!(f, "exited with status {status}"),
            Ended::Signaled(signal) => write!(f, "was ended by signal {signal}"),
            Ended::OutOfMemory => f.write_str("was ended at the memory limit of its function"),
            Ended::Unknown => f.write_str("is gone"),
        }
    }
}

/// Spawner to front.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromSpawner {
    /// The jail was tried out on this host. No descriptors.
    Ready {
        /// Parts of the jail that the host does not allow.
        substitutions: Vec<Substitution>,
    },
    /// The spawner cannot work here. No descriptors.
    Unfit(Failure),
    /// The zygote runs and has loaded its function. No descriptors.
    ZygoteUp {
        /// Which function.
        function: FunctionId,
        /// Microseconds from the start of the process to the end of the imports.
        load_us: u64,
    },
    /// The zygote could not be started or could not load its function. No descriptors.
    ZygoteFailed {
        /// Which function.
        function: FunctionId,
        /// Why. The cause may hold the function's own words.
        failure: Failure,
    },
    /// The lane runs. Descriptors: the front's end of the lane's socket.
    LaneUp {
        /// Which lane.
        lane: LaneId,
    },
    /// The lane could not be started. No descriptors.
    LaneFailed {
        /// Which lane.
        lane: LaneId,
        /// Why.
        failure: Failure,
    },
    /// A process that can write is about to start. Descriptors: the read ends of its standard
    /// output and standard error.
    Output {
        /// Whose output.
        who: Who,
    },
    /// An instance of a function made a call that is denied. No descriptors.
    Denied {
        /// Which function.
        function: FunctionId,
        /// Which call. Its texts are of the function's choosing, escaped.
        denial: Denial,
    },
    /// Instances of a function made so many more calls that are denied, of which no record was made.
    /// No descriptors.
    DeniedMore {
        /// Which function.
        function: FunctionId,
        /// How many.
        more: u64,
    },
    /// A zygote or a lane is gone. No descriptors.
    Ended {
        /// Which process.
        who: Who,
        /// How it ended.
        how: Ended,
    },
    /// Something was done to a function's processes that the operator should know of, and that
    /// fails no call. No descriptors.
    Notice {
        /// Which function.
        function: FunctionId,
        /// What, in words that follow the function's name.
        text: String,
    },
}

/// Lane to spawner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LaneToSpawner {
    /// Fork a worker. Descriptors: the channel, the worker's end of the liveness socket.
    Worker {
        /// The lane's number for it.
        ticket: Ticket,
        /// Which function.
        function: FunctionId,
        /// Bytes of each area of the channel.
        capacity: u64,
    },
    /// End a worker; `WorkerEnded` follows. No descriptors.
    Kill {
        /// Which worker.
        ticket: Ticket,
    },
    /// A worker has had nothing to do for a second or longer. No descriptors.
    Idle {
        /// Which worker.
        ticket: Ticket,
        /// Calls that it has answered: while the number stays, so has the worker been idle.
        calls: u64,
    },
}

/// Spawner to lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SpawnerToLane {
    /// The worker runs and will answer on its channel. No descriptors.
    WorkerUp {
        /// Which worker.
        ticket: Ticket,
    },
    /// The worker could not be started. No descriptors.
    WorkerFailed {
        /// Which worker.
        ticket: Ticket,
        /// Why.
        failure: Failure,
    },
    /// The worker made a call that is denied. No descriptors.
    Denied {
        /// Which worker.
        ticket: Ticket,
        /// Which call. Its texts are of the function's choosing, escaped.
        denial: Denial,
    },
    /// The worker is gone. No descriptors.
    WorkerEnded {
        /// Which worker.
        ticket: Ticket,
        /// How it ended, as its zygote tells it: good for a message, not for a decision.
        how: Ended,
    },
}

/// Spawner to zygote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToZygote {
    /// Fork a worker. Descriptors: the channel, the liveness socket, standard output, standard
    /// error.
    Fork {
        /// The spawner's number for it.
        serial: u64,
        /// Bytes of each area of the channel.
        capacity: u64,
    },
}

/// Zygote (or worker, on the socket that it inherited) to spawner. Nothing here is believed
/// further than its text says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromZygote {
    /// Sent by the jail before there is a zygote, and believed from no other process: descriptor is the
    /// listener of the function's filter.
    Listener,
    /// The function is loaded.
    Loaded,
    /// The function cannot be loaded: the error's name (of a Python exception its class), message and
    /// trace.
    LoadFailed {
        /// Name of the error.
        error_type: String,
        /// Its message.
        message: String,
        /// Its trace, one frame per line.
        trace: String,
    },
    /// Sent by a worker itself, first of all; the kernel attaches its process id (SCM_CREDENTIALS).
    Hello {
        /// The spawner's number for it.
        serial: u64,
    },
    /// The fork failed.
    ForkFailed {
        /// The spawner's number for the worker.
        serial: u64,
        /// The error number of fork(2).
        errno: i32,
    },
    /// A worker ended.
    WorkerEnded {
        /// The spawner's number for it.
        serial: u64,
        /// How.
        how: Ended,
    },
}

/// A function as a lane needs to know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionEntry {
    /// The name that the workflow uses.
    pub name: String,
    /// Bytes of one request or response.
    pub payload: u64,
    /// Milliseconds that one call may take where the workflow names no timeout.
    pub call_ms: u64,
    /// Whether a worker answers one call or many.
    pub reuse: Reuse,
    /// Workers to keep ready for calls to come.
    pub spares: u8,
}

/// Front to lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToLane {
    /// First message. Descriptors: the workflow's definition (JSON text).
    Deploy {
        /// This lane's number.
        lane: LaneId,
        /// The workflow's functions; a function's number is its place here.
        functions: Vec<FunctionEntry>,
    },
    /// Run an execution. Descriptors: the input (JSON text).
    Execute {
        /// Number of the execution, unique in the deployment.
        execution: u64,
        /// Its name, for the context object.
        name: String,
        /// The workflow's name, for the context object.
        workflow: String,
        /// When it started, in nanoseconds since the epoch.
        started_ns: u64,
        /// Lanes that are idle and reserved for this execution.
        helpers: Vec<LaneId>,
        /// Whether to record what happens.
        history: bool,
    },
    /// Run branches for another lane. Descriptors: the branches (a [`LoanBody`] in postcard).
    Borrow {
        /// The lender's number for them.
        loan: LoanId,
        /// The lane that lends.
        from: LaneId,
    },
    /// Branches that this lane lent are done. Descriptors: the results (a [`RepayBody`]).
    Repaid {
        /// The number that this lane gave.
        loan: LoanId,
    },
    /// The lane that borrowed is gone; its branches must be run again or given up. No descriptors.
    LoanLost {
        /// The number that this lane gave.
        loan: LoanId,
    },
    /// Every function is loaded: workers may be forked ahead of the first call. No descriptors.
    Prepare,
    /// Nobody wants the results of a loan any more: its call is cancelled, the rest is not begun,
    /// and it is repaid as it is. No descriptors.
    Recalled {
        /// The lender's number.
        loan: LoanId,
        /// The lane that lent.
        from: LaneId,
    },
    /// End an execution: its calls are cancelled. No descriptors.
    Cancel {
        /// Which execution.
        execution: u64,
    },
}

/// Lane to front.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromLane {
    /// The definition is accepted. No descriptors.
    Deployed,
    /// The definition is refused (the front checked it before, so this is a bug or a race). No
    /// descriptors.
    Refused(Failure),
    /// How far an execution has come; sent at most twenty times a second. No descriptors.
    Progress {
        /// Which execution.
        execution: u64,
        /// The state that runs, cut to 128 bytes.
        state: String,
        /// Branches of the innermost fan-out that are done, and how many there are; 0, 0 outside.
        done: u64,
        /// See `done`.
        total: u64,
    },
    /// Hand branches to a reserved lane. Descriptors: the branches (a [`LoanBody`]).
    Lend {
        /// This lane's number for them.
        loan: LoanId,
        /// The reserved lane.
        to: LaneId,
    },
    /// The results of a loan are not wanted any more. No descriptors.
    Recall {
        /// This lane's number for it.
        loan: LoanId,
        /// The lane that borrowed.
        to: LaneId,
    },
    /// Borrowed branches are done. Descriptors: the results (a [`RepayBody`]).
    Repay {
        /// The lender's number.
        loan: LoanId,
        /// The lane that lent.
        to: LaneId,
    },
    /// The execution ended. Descriptors: the report (a [`crate::report::Report`] as JSON text), and
    /// if a history was asked for a [`crate::history::Recording`] in postcard.
    Finished {
        /// Which execution.
        execution: u64,
    },
}

/// One branch that is handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchLoan {
    /// Its place in the fan-out: the Map item's index or the Parallel branch's.
    pub index: u64,
    /// Its effective input, JSON text.
    #[serde(with = "serde_bytes")]
    pub input: Vec<u8>,
    /// What the workflow package packed for it (variables, context), opaque to everybody else.
    #[serde(with = "serde_bytes")]
    pub scope: Vec<u8>,
}

/// The branches of one loan. An empty list measures the cost of a hand-over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoanBody {
    /// JSON pointer in the definition to the state machine that every branch runs (a Map's
    /// `ItemProcessor` or `Iterator`, or one of a Parallel's `Branches`).
    pub machine: String,
    /// The branches.
    pub branches: Vec<BranchLoan>,
    /// Nanoseconds since the epoch after which the lender gives up.
    pub deadline_ns: Option<u64>,
    /// Whether to record what happens.
    pub history: bool,
    /// Whether the other branches go on when one of them fails.
    pub tolerant: bool,
}

/// A States Language error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchError {
    /// The error's name, e.g. `States.Timeout` or a Python exception's class name.
    pub error: String,
    /// Its cause.
    pub cause: String,
    /// Name of the state in which it arose.
    pub state: Option<String>,
    /// JSON pointer to that state in the definition.
    pub pointer: Option<String>,
    /// The function whose call failed.
    pub function: Option<FunctionId>,
    /// Whose fault it is, where the borrower knows.
    pub blame: Option<Blame>,
}

/// One branch that was run for another lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchRepay {
    /// Its place in the fan-out.
    pub index: u64,
    /// Its output as JSON text, or its error.
    pub outcome: Result<serde_bytes::ByteBuf, BranchError>,
}

/// The results of one loan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepayBody {
    /// A result for each branch that was lent, in any order.
    pub branches: Vec<BranchRepay>,
    /// Nanoseconds from the receipt of the loan to its end, waits included.
    pub run_ns: u64,
    /// Nanoseconds of these in which the borrower worked.
    pub worked_ns: u64,
    /// Calls made while running them, to be added to the execution's report.
    pub calls: Vec<crate::report::FunctionCalls>,
    /// What happened, if it was to be recorded. Numbers of branches and fan-outs are the borrower's;
    /// each lent branch begins with a `BranchStarted` of fan-out [`crate::history::LENT`].
    pub recording: Option<crate::history::Recording>,
}
