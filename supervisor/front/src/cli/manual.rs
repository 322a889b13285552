//! `keylane man`: manual pages, from the same description as `--help`.

use super::{command, print};
use crate::exit::Exit;
use crate::render;
use crate::render::escape;
use crate::render::screen::Screen;
use keylane_policy::blame::{Blame, Failure};
use std::io;
use std::path::Path;

pub(super) fn manual(folder: Option<&Path>) -> Exit {
    let Some(folder) = folder else {
        let mut page = Vec::new();
        return match clap_mangen::Man::new(command()).render(&mut page) {
            Ok(()) => print(&String::from_utf8_lossy(&page), Exit::Done),
            // A vector takes every byte.
            Err(_unwritable) => Exit::Bug,
        };
    };
    match write(folder) {
        Ok(pages) => {
            let shown = folder.display().to_string();
            let text = format!("wrote {pages} pages into {}\n", escape::line(&shown));
            print(&text, Exit::Done)
        }
        Err(error) => {
            let shown = folder.display().to_string();
            let failure = Failure::new(Blame::Operator, "writing the pages", error.to_string())
                .advise("name a folder that exists and that you may write");
            let text = render::failure::failure(&format!("man {shown}"), &failure);
            Screen::stderr(true, false).failure(&text);
            Exit::Unwritten
        }
    }
}

/// Writes keylane.1 and keylane-COMMAND.1 for each command; answers how many that were.
fn write(folder: &Path) -> io::Result<usize> {
    clap_mangen::generate_to(command(), folder)?;
    Ok(command().get_subcommands().count() + 1)
}
