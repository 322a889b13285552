//! `keylane inspect REPORT`: what a saved report tells about its execution.
//!
//! `saved` reads the file, `story` finds out what matters, `show` says it to a person. The file may
//! be hostile: it is read within bounds and every text of it is escaped on its way out.

pub mod saved;
mod show;
pub mod story;
#[cfg(test)]
mod tests;

use crate::history::spans;
use keylane_policy::blame::{Blame, Failure};
use std::path::Path;

/// What a report tells: for a person, or as a JSON text.
pub fn inspect(path: &Path, json: bool) -> Result<String, Failure> {
    let saved = saved::read(path)?;
    tell(&saved, json)
}

fn tell(saved: &saved::Saved, json: bool) -> Result<String, Failure> {
    let spans = spans::spans(saved.events.as_deref().unwrap_or_default());
    let story = story::story(saved, &spans);
    if !json {
        return Ok(show::show(saved, &story));
    }
    serde_json::to_string(&story)
        .map_err(|error| Failure::new(Blame::Bug, "writing what a report tells", error.to_string()))
}
