//! What a runtime does for the two loops: the one seam between them and the languages.

use crate::channel::SharedBytes;
use crate::fork::Side;
use keylane_policy::abi::channel::ResponseKind;
use keylane_policy::limit;
use nix::errno::Errno;
use std::ffi::OsStr;

/// Bytes of a failed load's message, and of its trace: together with the name they must fit into
/// one message to the spawner.
const LOAD_TEXT_BYTES: usize = limit::MESSAGE_BYTES / 4;

/// The function to load.
pub(crate) struct Target<'a> {
    /// Its name.
    pub(crate) name: &'a OsStr,
    /// Its files.
    pub(crate) tree: &'a OsStr,
    /// Where it begins; what may stand here is the runtime's own.
    pub(crate) handler: &'a OsStr,
}

/// Why the function is not loaded.
#[derive(Debug)]
pub(crate) struct LoadFailure {
    /// Name of the error, of a Python exception its class.
    pub(crate) error_type: String,
    /// Its message.
    pub(crate) message: String,
    /// Its trace.
    pub(crate) trace: String,
}

impl LoadFailure {
    /// A failure without a trace.
    pub(crate) fn new(error_type: &str, message: String) -> Self {
        LoadFailure::traced(error_type.to_owned(), message, String::new())
    }

    /// A failure, its texts cut to what a message to the spawner can carry.
    pub(crate) fn traced(error_type: String, message: String, trace: String) -> Self {
        let cut = |mut text: String| {
            text.truncate(text.floor_char_boundary(LOAD_TEXT_BYTES));
            text
        };
        LoadFailure {
            error_type: cut(error_type),
            message: cut(message),
            trace: cut(trace),
        }
    }
}

/// A function with what runs it, inside this process. One thread uses it.
pub(crate) trait Runtime: Sized {
    /// Starts the runtime without a line of the function.
    fn bare() -> Result<Self, LoadFailure>;

    /// Loads the function, once.
    fn import(&mut self, target: &Target<'_>) -> Result<(), LoadFailure>;

    /// Tidies up after the load; forks follow.
    fn settle(&mut self);

    /// How many threads the runtime knows, this one included; more than one where it cannot tell,
    /// so that nothing is forked.
    fn known_threads(&mut self) -> u64;

    /// The failure that names the threads that the load left running.
    fn threads_left(&mut self, handler: &OsStr) -> LoadFailure;

    /// Runs `wait` so that threads of the function can go on meanwhile.
    fn idle<T>(&mut self, wait: impl FnOnce() -> T) -> T;

    /// Forks, with the runtime's hooks around it. The child runs `first` before its hooks, some of
    /// which are the function's.
    fn fork(&mut self, first: impl FnOnce()) -> Result<Side, Errno>;

    /// What a fresh worker does before its first call. `capacity` is the most bytes of a response.
    fn become_worker(&mut self, capacity: u64);

    /// Hands a fresh worker the word that tells of its heartbeats: four bytes that a function may
    /// change at any time.
    fn hear_heartbeats(&mut self, word: SharedBytes);

    /// Answers one request: `write` gets what to send. The request must be readable. `deadline` is
    /// in nanoseconds of CLOCK_MONOTONIC, or 0.
    fn call(
        &mut self,
        request: SharedBytes,
        deadline: u64,
        write: impl FnOnce(ResponseKind, &[u8]),
    );
}
