//! Runs inside an instance on Keylane's behalf: loads the function, forks workers, answers calls.
//!
//! One library, two programs, which differ in what runs the function: `keylane-launcher` brings
//! CPython into its process ([`python()`]), `keylane-native` a shared object ([`native()`]) and
//! never libpython. Everything else is the same code: what differs is behind `runtime::Runtime`.
//!
//! Started by the spawner inside a complete jail as `NAME TREE HANDLER`, with the tree, which is
//! then `.`, as working directory, pipes as output, and a `SOCK_SEQPACKET` socket to the spawner as
//! descriptor 3. From the load on, the function's code owns this process: no promise of Keylane may
//! rest on anything here. What the package owes is to honest functions: their results, their
//! errors in full, and workers that do not share what they should not.
//!
//! ```text
//!  program ─► start (load) ─► Loaded ─► zygote loop ──fork──► worker loop
//! ```

mod channel;
mod fork;
mod futex;
mod link;
mod native;
mod python;
mod runtime;
mod signals;
mod start;
mod threads;
mod worker;
mod zygote;

use std::process::ExitCode;

/// The program of Python functions; HANDLER is `MODULE.FUNCTION`. Statuses are in `start`.
pub fn python() -> ExitCode {
    start::run::<python::Interpreter>()
}

/// The program of native functions; HANDLER is `FILE` or `FILE:SYMBOL`. Statuses are in `start`.
pub fn native() -> ExitCode {
    start::run::<native::Native>()
}
