//! `keylane inspect`.

use super::print;
use crate::exit::Exit;
use crate::render::report::document;
use crate::render::screen::Screen;
use crate::{inspect, render};
use std::path::Path;

pub(super) fn inspect(report: &Path, json: bool) -> Exit {
    match inspect::inspect(report, json) {
        Ok(text) if json => print(&document(&text, false), Exit::Done),
        Ok(text) => print(&text, Exit::Done),
        Err(failure) => {
            let asked = format!("inspect {}", report.display());
            let text = render::failure::failure(&asked, &failure);
            Screen::stderr(true, false).failure(&text);
            Exit::before(failure.blame)
        }
    }
}
