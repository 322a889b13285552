//! `keylane scan`: the forbidden instructions in files, for people and for programs.
//!
//! Reads files, and maps and executes nothing. An attacker controls: the files' bytes, their names,
//! and what becomes of them between a look at a folder and the opening.

mod document;
mod files;
mod text;
mod work;

use crate::cli::print;
use crate::exit::Exit;
use crate::render;
use crate::render::report::document;
use crate::render::screen::Screen;
use keylane_image::Findings;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What became of one file.
#[derive(Debug)]
struct Examined {
    path: PathBuf,
    /// Whether it was named on the command line, and not found in a folder.
    named: bool,
    result: Result<Findings, String>,
}

impl Examined {
    /// Whether there is something to say about it.
    fn is_told(&self) -> bool {
        match &self.result {
            Ok(findings) => self.named || !findings.is_clean() || findings.reported > 0,
            Err(_) => true,
        }
    }
}

/// A whole scan.
#[derive(Debug, Default)]
struct Scan {
    /// The files about which there is something to say, by path.
    told: Vec<Examined>,
    /// All files that were opened.
    files: u64,
    /// Those that are ELF files.
    elf: u64,
    executable: u64,
    refused: u64,
    reported: u64,
    with_finds: u64,
    errors: u64,
    took: Duration,
}

impl Scan {
    fn add(&mut self, examined: Examined) {
        self.elf += 1;
        match &examined.result {
            Ok(findings) => {
                self.executable += findings.executable;
                self.refused += findings.refused;
                self.reported += findings.reported;
                self.with_finds += u64::from(findings.refused + findings.reported > 0);
            }
            Err(_) => self.errors += 1,
        }
        if examined.is_told() {
            self.told.push(examined);
        }
    }

    fn exit(&self) -> Exit {
        if self.refused + self.errors > 0 {
            Exit::Found
        } else {
            Exit::Done
        }
    }

    /// Executable bytes in a second of the whole scan, walking and reading included.
    fn bytes_per_second(&self) -> f64 {
        self.executable as f64 / self.took.as_secs_f64().max(1e-9)
    }
}

/// Scans files and folders, and prints what was found.
pub fn scan(paths: &[PathBuf], json: bool) -> Exit {
    let mut screen = Screen::stderr(false, json);
    let listed = match files::list(paths) {
        Ok(listed) => listed,
        Err((path, failure)) => {
            let asked = format!("scan {}", path.display());
            screen.failure(&render::failure::failure(&asked, &failure));
            return Exit::before(failure.blame);
        }
    };
    let scan = work::examine(listed, &mut |path: &Path, done, total| {
        screen.progress(&path.display().to_string(), done, total);
    });
    screen.clear();
    if json {
        // Texts, numbers and lists always have a JSON form.
        let text = serde_json::to_string(&document::document(&scan)).unwrap_or_default();
        print(&document(&text, false), scan.exit())
    } else {
        print(&text::text(&scan), scan.exit())
    }
}

#[cfg(test)]
mod tests;
