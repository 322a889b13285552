//! The gate: the only code of a lane that writes PKRU, and the threads of domains that it starts and ends.
//!
//! Three routines, one for each direction of crossing, each a naked function in a file of its own:
//! - [`birth`](birth::birth): makes a thread, confines it by a prepared list of system calls, and enters
//!   the domain on it. One WRPKRU.
//! - [`fault`](fault::fault): what the kernel enters for a signal of any thread. It records what a domain's
//!   thread did and ends it. No WRPKRU of its own.
//! - [`leave`](leave::leave): closes every key and ends the thread. One WRPKRU.
//!
//! None of them touches thread-local storage, calls Rust, or can panic: a raw clone shares its parent's
//! TLS, and in the fault path FS is the guest's. docs/GATE.md has the whole convention.
//!
//! [`Thread`] is the safe side: it owns what a thread needs for as long as it runs.
//!
//! An attacker controls: every register, and which byte of this code is jumped to, with its own PKRU.

mod birth;
mod fault;
mod layout;
mod leave;
pub mod own;
mod record;
pub mod rights;
mod script;
mod thread;

pub use record::{Fault, Phase};
pub use thread::{Birth, Thread, install};

/// The signal by which the supervisor ends a thread of a domain: a real-time signal that nothing else uses.
pub const END: i32 = 63;

/// The addresses of the gate's WRPKRU instructions, in the order of the module's list. No other may be in
/// an executable page of the process.
pub fn sites() -> [u64; 2] {
    let addresses = [birth::site(), leave::site()];
    addresses.map(|address| u64::try_from(address).unwrap_or(0))
}

/// One routine of the gate: where its code lies.
#[derive(Clone, Copy, Debug)]
pub struct Routine {
    /// Its name.
    pub name: &'static str,
    /// Its first byte.
    pub start: u64,
    /// How many bytes it has.
    pub length: u64,
}

/// The gate's routines: what tests jump into and disassemble.
pub fn routines() -> [Routine; 4] {
    [
        birth::routine(),
        fault::routine(),
        fault::routine_restore(),
        leave::routine(),
    ]
}

fn routine(name: &'static str, start: usize, end: usize) -> Routine {
    let number = |address: usize| u64::try_from(address).unwrap_or(0);
    Routine {
        name,
        start: number(start),
        length: number(end.saturating_sub(start)),
    }
}
