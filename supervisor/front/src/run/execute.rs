//! Runs executions in lanes.

use super::{Prepared, refuse};
use crate::exit::Exit;
use crate::render::screen::Screen;
use keylane_policy::blame::{Blame, Failure};
use std::io::Stderr;

/// Runs every input of a prepared run. This build has no lane to run them in, and says so.
pub(super) fn execute(prepared: Prepared, screen: &mut Screen<Stderr>) -> Exit {
    let options = &prepared.options;
    let failure = Failure::new(Blame::Bug, "starting a lane", "this build carries no lane")
        .advise("build the package `keylane` of a revision that has one");
    refuse(
        &options.asked(),
        &failure.into(),
        options.json,
        options.stream,
        screen,
    )
}
