//! From the start of a program to its loops.
//!
//! Exit status: 0 the peer is gone, 1 the function cannot be loaded (told to the spawner first),
//! 2 started or spoken to in a way that is not the protocol, 3 the channel cannot be used.

use crate::link::Link;
use crate::runtime::{LoadFailure, Runtime, Target};
use crate::zygote::Role;
use crate::{threads, worker, zygote};
use keylane_policy::abi::message::FromZygote;
use std::ffi::{CString, OsString};
use std::path::PathBuf;
use std::process::ExitCode;

/// The function cannot be loaded.
const EXIT_LOAD: u8 = 1;
/// The start or a message is not of the protocol.
const EXIT_PROTOCOL: u8 = 2;

/// The whole life of a zygote, and in its forks that of a worker.
pub(crate) fn run<R: Runtime>() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let [name, tree, handler] = arguments.as_slice() else {
        eprintln!(
            "keylane-launcher: expected the arguments NAME TREE HANDLER, got {} of them; \
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
    let mut runtime = match load::<R>(&target) {
        Ok(runtime) => runtime,
        Err(failure) => {
            report(&link, failure);
            return ExitCode::from(EXIT_LOAD);
        }
    };
    if let Err(cause) = link.send(&FromZygote::Loaded) {
        eprintln!("keylane-launcher: telling the spawner that the function is loaded: {cause}");
        return ExitCode::from(EXIT_PROTOCOL);
    }
    match zygote::run(link, &mut runtime) {
        Role::Gone => ExitCode::SUCCESS,
        Role::Broken(cause) => {
            eprintln!("keylane-launcher: {cause}");
            ExitCode::from(EXIT_PROTOCOL)
        }
        Role::Worker(start) => worker::serve(start, &mut runtime),
    }
}

/// Loads the function, and sees to it that nothing but this thread runs.
fn load<R: Runtime>(target: &Target<'_>) -> Result<R, LoadFailure> {
    let mut runtime = R::load(target)?;
    if threads::settled(&mut runtime) {
        runtime.settle();
        Ok(runtime)
    } else {
        Err(runtime.threads_left(target.handler))
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
