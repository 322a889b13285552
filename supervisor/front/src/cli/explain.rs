//! `keylane explain`.

use super::print;
use crate::exit::Exit;
use crate::refusal::Refusal;
use crate::render::report::document;
use crate::render::screen::Screen;
use crate::{explain, operator, render};
use std::path::Path;

pub(super) fn explain(record: &str, policy: Option<&Path>, json: bool) -> Exit {
    let told = operator::load(policy)
        .and_then(|grants| explain::explain(record, &grants, json).map_err(Refusal::from));
    match told {
        Ok(text) if json => print(&document(&text, false), Exit::Done),
        Ok(text) => print(&text, Exit::Done),
        Err(refusal) => {
            let text = render::failure::refusal("explain", &refusal);
            Screen::stderr(true, false).failure(&text);
            refusal.exit()
        }
    }
}
