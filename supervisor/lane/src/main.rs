//! A lane: runs one workflow execution at a time and the calls of its functions.
//!
//! The spawner executes it, jailed, with the front's socket as descriptor 3 and the spawner's as
//! descriptor 4. Two threads: the orchestrator (this one) steps the interpreter and calls workers;
//! the monitor waits for everything else. It has no file system, no network and no command line.
//!
//! An attacker controls every byte of the channels and decides when liveness sockets end; the
//! definition and the input come from the front, the input's bytes from whoever started the
//! execution.

#![forbid(unsafe_code)]

mod borrow;
mod caller;
mod costs;
mod desk;
mod fate;
mod inbox;
mod ledger;
mod loans;
mod monitor;
mod orchestrator;
mod pool;
mod recorder;
mod run;
mod verdict;
mod worker;

use inbox::Inbox;
use keylane_sys::link::Link;
use keylane_sys::process::{exit, inherited};
use monitor::Monitor;
use orchestrator::Orchestrator;
use std::io;
use std::sync::Arc;

fn main() {
    match run() {
        Ok(()) => exit(0),
        Err(error) => {
            eprintln!("keylane-lane: {error}");
            exit(70)
        }
    }
}

fn run() -> io::Result<()> {
    // Executing the image made this process dumpable again (execve(2)).
    keylane_sys::jail::set_dumpable(false)?;
    let front = Arc::new(Link::over(inherited(3)?));
    let spawner = Arc::new(Link::over(inherited(4)?));
    let inbox = Arc::new(Inbox::default());
    let monitor = Monitor::new(Arc::clone(&front), Arc::clone(&spawner), Arc::clone(&inbox))?;
    let watch = monitor.watch();
    std::thread::Builder::new()
        .name("monitor".to_owned())
        .spawn(move || {
            let status = match monitor.run() {
                Ok(()) => 0,
                Err(error) => {
                    eprintln!("keylane-lane: monitor: {error}");
                    70
                }
            };
            // Without a monitor nobody hears the front: the lane ends, whatever it is doing.
            exit(status)
        })?;
    Orchestrator::new(front, spawner, inbox, watch).serve()
}
