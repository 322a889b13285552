//! Runs inside an instance on Keylane's behalf: loads the function, forks workers, answers calls.
//!
//! Started by the spawner inside a complete jail as `NAME TREE MODULE.FUNCTION`, with the tree, which
//! is then `.`, as working directory, pipes as output, and a `SOCK_SEQPACKET` socket to the spawner as descriptor
//! 3. From the first import on, the function's code owns this process: no promise of Keylane may
//! rest on anything here. What the package owes is to honest functions: their results, their
//! errors in full, and workers that do not share what they should not.
//!
//! ```text
//!  main ─► python (load) ─► Loaded ─► zygote loop ──fork──► worker loop
//! ```
//!
//! Exit status: 0 the peer is gone, 1 the function cannot be loaded (told to the spawner first),
//! 2 started or spoken to in a way that is not the protocol, 3 the channel cannot be used.

mod channel;
mod fork;
mod futex;
mod link;
mod python;
mod signals;
mod threads;
mod worker;
mod zygote;

use keylane_policy::abi::message::FromZygote;
use link::Link;
use python::{Interpreter, LoadFailure, Target};
use std::ffi::{CString, OsString};
use std::path::PathBuf;
use std::process::ExitCode;
use zygote::Role;

/// The function cannot be loaded.
const EXIT_LOAD: u8 = 1;
/// The start or a message is not of the protocol.
const EXIT_PROTOCOL: u8 = 2;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let [name, tree, handler] = arguments.as_slice() else {
        eprintln!(
            "keylane-launcher: expected the arguments NAME TREE MODULE.FUNCTION, got {} of them; \
             only Keylane's spawner starts this program",
            arguments.len()
        );
        return ExitCode::from(EXIT_PROTOCOL);
    };
    // Executing the image gave this process the memfd's name; workers keep the function's.
    if let Ok(name) = CString::new(name.as_encoded_bytes()) {
        let _only_for_ps = nix::sys::prctl::set_name(&name);
    }
    // Executing the image made this process dumpable again (execve(2)).
    let _not_relied_upon = nix::sys::prctl::set_dumpable(false);
    let link = match Link::inherited() {
        Ok(link) => link,
        Err(cause) => {
            eprintln!("keylane-launcher: {cause}");
            return ExitCode::from(EXIT_PROTOCOL);
        }
    };
    // The spawner says `.`, because everybody can read a command line; the function may change its
    // directory, so the name is made to last.
    let tree = match std::env::current_dir() {
        Ok(here) => here.join(tree).components().collect::<PathBuf>(),
        Err(cause) => {
            eprintln!("keylane-launcher: its directory has no name: {cause}");
            return ExitCode::from(EXIT_PROTOCOL);
        }
    };
    let target = Target {
        name,
        tree: tree.as_os_str(),
        handler,
    };
    let mut interpreter = match load(&target) {
        Ok(interpreter) => interpreter,
        Err(failure) => {
            report(&link, failure);
            return ExitCode::from(EXIT_LOAD);
        }
    };
    if let Err(cause) = link.send(&FromZygote::Loaded) {
        eprintln!("keylane-launcher: telling the spawner that the function is loaded: {cause}");
        return ExitCode::from(EXIT_PROTOCOL);
    }
    match zygote::run(link, &mut interpreter) {
        Role::Gone => ExitCode::SUCCESS,
        Role::Broken(cause) => {
            eprintln!("keylane-launcher: {cause}");
            ExitCode::from(EXIT_PROTOCOL)
        }
        Role::Worker(start) => worker::serve(start, &mut interpreter),
    }
}

/// Starts Python, loads the function, and sees to it that nothing but this thread runs.
fn load(target: &Target<'_>) -> Result<Interpreter, LoadFailure> {
    let mut interpreter = Interpreter::start()?;
    interpreter.load(target)?;
    if threads::settled(&mut interpreter) {
        interpreter.settle();
        Ok(interpreter)
    } else {
        Err(interpreter.threads_left(target.handler))
    }
}

/// Tells the spawner why the function is not there.
fn report(link: &Link, failure: LoadFailure) {
    let LoadFailure {
        error_type,
        message,
        trace,
    } = failure;
    let sent = link.send(&FromZygote::LoadFailed {
        error_type,
        message,
        trace,
    });
    if let Err(cause) = sent {
        eprintln!("keylane-launcher: telling the spawner so: {cause}");
    }
}
