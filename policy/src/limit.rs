//! Every limit of Keylane, with its unit and its reason, in one place.

/// Bytes of one message between processes of Keylane. A message carries numbers and names; a
/// body travels as a memfd beside it, so nothing legitimate comes near this.
pub const MESSAGE_BYTES: usize = 64 * 1024;

/// Descriptors that travel with one message: a worker's channel, its liveness socket and its two
/// output pipes.
pub const MESSAGE_DESCRIPTORS: usize = 4;

/// Functions of one workflow.
pub const FUNCTIONS: usize = 256;

/// Lanes of one deployment; one lane per core is the most that helps.
pub const LANES: usize = 64;

/// Bytes of one request or response in a channel when the project names no limit: sixty-four
/// times the 262,144 bytes that Step Functions allows. The channel's pages cost memory only once
/// they are touched.
pub const PAYLOAD_BYTES: u64 = 16 * 1024 * 1024;

/// The most a project may ask for as its payload limit.
pub const PAYLOAD_BYTES_CEILING: u64 = 1024 * 1024 * 1024;
/// The least a project may ask for: an error with its cause must fit.
pub const PAYLOAD_BYTES_FLOOR: u64 = 64 * 1024;

/// Levels of nesting in a JSON value that Keylane accepts; deeper values would exhaust the stack
/// of a recursive parser (ours or the next function's).
pub const JSON_DEPTH: usize = 128;

/// Bytes of the variables of one `Assign`: sixty-four times the 256 KiB that the service allows.
pub const VARIABLES_BYTES: usize = 16 * 1024 * 1024;

/// How many times as much as one `Assign` all variables of an execution may hold together: the
/// service allows 10 MiB, forty times its 256 KiB.
pub const VARIABLES_FACTOR: usize = 40;

/// Bytes of a workflow definition or of a `keylane.toml`.
pub const DEFINITION_BYTES: u64 = 4 * 1024 * 1024;

/// Bytes of a function's name, of one part of a handler and of a workflow's name.
pub const NAME_BYTES: usize = 64;

/// Bytes of a path within a project, as long as the kernel takes (PATH_MAX without its end).
pub const PATH_BYTES: usize = 4095;

/// Levels of folders in a staged tree; deeper ones are a mistake or an attack on recursion.
pub const TREE_DEPTH: usize = 64;

/// Bytes of one function's staged tree.
pub const TREE_BYTES: u64 = 1024 * 1024 * 1024;

/// Files in one function's staged tree.
pub const TREE_FILES: usize = 100_000;

/// Milliseconds that one call of a function may take when the workflow names no timeout. A state
/// of a workflow says `TimeoutSeconds` to choose its own.
pub const CALL_MILLISECONDS: u64 = 60_000;

/// The most that a project may ask for as a call's timeout: a day. Whoever waits longer has
/// forgotten the execution.
pub const CALL_MILLISECONDS_CEILING: u64 = 24 * 60 * 60 * 1000;

/// Milliseconds that a function may take to load (its imports) before its zygote is ended. Imports
/// of a fraction of a second took more than a minute on an emulated machine whose host had six times
/// as much to do as it has processors.
pub const LOAD_MILLISECONDS: u64 = 180_000;

/// Bytes of an error name, an error cause and a stack trace that a function's error may carry;
/// what is longer is cut and marked so.
pub const ERROR_NAME_BYTES: usize = 256;
/// See [`ERROR_NAME_BYTES`].
pub const ERROR_CAUSE_BYTES: usize = 32 * 1024;

/// Bytes of address space that one instance may map (RLIMIT_AS) when the project names no limit.
pub const MEMORY_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// The least and the most that a project may ask for. Below the floor the interpreter and its
/// libraries cannot be mapped; the ceiling is half of the address space that x86_64 gives.
pub const MEMORY_BYTES_FLOOR: u64 = 64 * 1024 * 1024;
/// See [`MEMORY_BYTES_FLOOR`].
pub const MEMORY_BYTES_CEILING: u64 = 64 * 1024 * 1024 * 1024 * 1024;

/// Processes and threads of one function's instances together (RLIMIT_NPROC).
pub const PROCESSES: u64 = 128;
/// The least and the most that a project may ask for: a zygote and one worker need a few, and
/// the kernel's default for a whole user is some tens of thousands.
pub const PROCESSES_FLOOR: u64 = 4;
/// See [`PROCESSES_FLOOR`].
pub const PROCESSES_CEILING: u64 = 4096;

/// The least that a function may have whose workers answer one call each: at the turn from one call
/// to the next a lane has one that ends, one that answers and those that wait.
pub const PROCESSES_FRESH_FLOOR: u64 = 16;

/// Workers of one function that each lane keeps ready for calls to come, where each call gets one of
/// its own. One more than a call in progress needs: a second call at once finds one, too.
pub const SPARES: u8 = 2;

/// Workers that wait for calls to come, of all functions and lanes of a deployment. Beyond it a call
/// waits for its worker: with a few MiB of memory each, this many cost what one large instance does.
pub const SPARES_IN_ALL: usize = 256;

/// Open descriptors of one instance (RLIMIT_NOFILE).
pub const DESCRIPTORS: u64 = 256;
/// The least and the most that a project may ask for: an interpreter that imports a package holds
/// about a dozen at once, and the kernel's usual hard limit is near the ceiling.
pub const DESCRIPTORS_FLOOR: u64 = 32;
/// See [`DESCRIPTORS_FLOOR`].
pub const DESCRIPTORS_CEILING: u64 = 4096;

/// Hundredths of a processor that all instances of a function together may use, where a control group
/// can bound that (cpu.max): the least, a quota of 1 ms in each 100 ms, which is the kernel's least, too.
pub const CPU_FLOOR: u64 = 1;
/// See [`CPU_FLOOR`]: the most, and what a function has when the project names no limit. No host that
/// this version knows has so many processors: it is no bound.
pub const CPU_CEILING: u64 = 102_400;

/// Bytes of a function's private /tmp when the project names no limit: room for a few files that a
/// library insists on. They are memory, of which a host may run many functions.
pub const TMP_BYTES: u64 = 16 * 1024 * 1024;
/// The most that a project may ask for; 0 is no /tmp.
pub const TMP_BYTES_CEILING: u64 = 1024 * 1024 * 1024;

/// Files and folders of a private /tmp of `bytes`: one for each page, and a few in the smallest. An
/// empty file costs the kernel about a KiB that the size does not count.
pub const fn tmp_files(bytes: u64) -> u64 {
    bytes / 4096 + 16
}

/// Bytes of one file of an instance whose private /tmp has `tmp` bytes (RLIMIT_FSIZE): a page more,
/// so that a full /tmp is what a writer meets first, and an error and not a signal.
pub const fn tmp_file_bytes(tmp: u64) -> u64 {
    if tmp == 0 {
        0
    } else {
        tmp.saturating_add(4096)
    }
}

/// Bytes of memory of all instances of a function together, where the host has a control group for
/// it: what one may map, and its /tmp.
pub const fn group_bytes(memory: u64, tmp: u64) -> u64 {
    memory.saturating_add(tmp)
}

/// Bytes of one instance's output that are kept and shown for one execution; the rest is read
/// and dropped, so that a flood neither fills a disk nor blocks the function.
pub const OUTPUT_BYTES: usize = 256 * 1024;

/// Bytes of a report that the front accepts from a lane.
pub const REPORT_BYTES: u64 = 2 * PAYLOAD_BYTES_CEILING;

/// Records of one execution's history: as many events as Step Functions keeps of one. A Map over
/// 100,000 items would make a million; what finds no room is counted, and the last fifth is kept
/// for the execution's own walk and for errors.
pub const HISTORY_RECORDS: usize = 25_000;
/// Bytes of all texts in one history: a report with it should stay something that an editor opens.
pub const HISTORY_BYTES: usize = 8 * 1024 * 1024;
/// Bytes of a state's input or output that a history keeps whole; longer ones are told by length,
/// so that recording copies next to nothing.
pub const HISTORY_DATA_BYTES: usize = 512;
/// Bytes of the input that a history keeps of a step that failed, for whoever has to mend it.
pub const HISTORY_FAILED_BYTES: usize = 16 * 1024;
/// Bytes of a recording that the front accepts: its texts, and as much again for numbers and names.
pub const RECORDING_BYTES: u64 = 64 * 1024 * 1024;

/// Bytes of a report that `keylane inspect` reads: larger than any history, and room for an output.
pub const INSPECT_BYTES: u64 = 256 * 1024 * 1024;

/// Bytes of memory that are read of what a denied call points to: more than any path that a person
/// would read in a message.
pub const DENIED_BYTES: usize = 512;
/// Different denied calls that the report of one execution tells; the rest is counted.
pub const DENIALS: usize = 64;
/// Lines about denied calls that a terminal is shown of one execution.
pub const DENIAL_LINES: usize = 8;
/// Denied calls that an error's cause tells.
pub const DENIALS_OF_CAUSE: usize = 4;
