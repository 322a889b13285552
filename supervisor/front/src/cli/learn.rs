//! `keylane learn`.

use crate::exit::Exit;
use crate::learn;
use crate::run::input;
use std::path::PathBuf;

pub(super) fn learn(
    project: PathBuf,
    input: Option<input::Source>,
    policy: Option<PathBuf>,
    json: bool,
) -> Exit {
    learn::learn(learn::Options {
        project,
        input: input.unwrap_or_default(),
        policy,
        json,
    })
}
