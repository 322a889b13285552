//! The spawner: the one process that starts others.
//!
//! The front executes it from a sealed memfd with its socket as descriptor 3. It starts lanes and
//! zygotes, each jailed before it runs, forwards a lane's wish for a worker to the function's
//! zygote, holds a pidfd of every worker, and ends them. When the front goes away, however it goes,
//! the spawner ends everything that it started and removes the staged files.
//!
//! An attacker who owns a function controls what its zygote and workers send; one who has escaped
//! into a lane controls what that lane sends. Neither is believed beyond its own function or lane.

#![forbid(unsafe_code)]

mod burn;
mod ears;
mod extras;
mod identity;
mod lanes;
mod session;
mod spawner;
mod sweep;
mod workers;
mod zygotes;

use keylane_policy::abi::message::{FromSpawner, ToSpawner};
use keylane_sys::link::Link;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Ok(socket) = keylane_sys::process::inherited(3) else {
        eprintln!("keylane-spawner: started without its socket; it is a part of keylane");
        return ExitCode::from(70);
    };
    let front: Link<FromSpawner, ToSpawner> = Link::over(socket);
    let served = spawner::Spawner::new(front).map(|fit| fit.map(spawner::Spawner::serve));
    match served.and_then(Option::transpose) {
        Ok(Some(())) => ExitCode::SUCCESS,
        Ok(None) => ExitCode::from(70),
        Err(failure) => {
            eprintln!("keylane-spawner: {failure}");
            ExitCode::from(70)
        }
    }
}
