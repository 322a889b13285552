//! From the start of a program to its loops.
//!
//! WHEN says when the function is loaded: `before` workers are forked; `after`, in each worker, so
//! that the process that forks sees no code of the function; or for a `trial`, in a process that
//! forks nobody and only tells whether the function can be loaded.
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
    let (Some(when), [name, tree, handler, _]) = (when(&arguments), arguments.as_slice()) else {
        eprintln!(
            "keylane-launcher: expected the arguments NAME TREE HANDLER WHEN, got {} of them; \
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
    let mut runtime = match load::<R>(&target, when) {
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
    if when == When::Trial {
        return ExitCode::SUCCESS;
    }
    match zygote::run(link, &mut runtime) {
        Role::Gone => ExitCode::SUCCESS,
        Role::Broken(cause) => {
            eprintln!("keylane-launcher: {cause}");
            ExitCode::from(EXIT_PROTOCOL)
        }
        Role::Worker(start) => {
            let late = (when == When::After).then_some(&target);
            worker::serve(start, &mut runtime, late)
        }
    }
}

/// When the function is loaded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Before,
    After,
    Trial,
}

fn when(arguments: &[OsString]) -> Option<When> {
    match arguments.last()?.to_str()? {
        "before" => Some(When::Before),
        "after" => Some(When::After),
        "trial" => Some(When::Trial),
        _ => None,
    }
}

/// Starts the runtime, loads the function if it is time to, and sees to it that nothing but this
/// thread runs where forks follow.
fn load<R: Runtime>(target: &Target<'_>, when: When) -> Result<R, LoadFailure> {
    let mut runtime = R::bare()?;
    if when != When::After {
        runtime.import(target)?;
    }
    if when == When::Trial {
        return Ok(runtime);
    }
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
