//! What a report tells, in words.

use super::saved::{Outcome, Saved};
use super::story::{FailedStep, Story};
use crate::render::duration::nanoseconds;
use crate::render::escape;
use crate::render::report::Cause;
use crate::render::table::Table;
use keylane_policy::blame::Blame;

/// Bytes of a name, of a line such as an input, and of a cause that a person is shown.
const NAME: usize = 200;
const INPUT: usize = 2000;
const CAUSE: usize = 4000;

/// The text.
pub(super) fn show(saved: &Saved, story: &Story<'_>) -> String {
    let mut text = head(story);
    if let (Outcome::Refused, Some(failure)) = (saved.status, &saved.failure) {
        text.push_str(&format!("\n{}\n", escape::line(&failure.to_string())));
        return text;
    }
    if let Some(failed) = &story.failed {
        text.push_str(&step(failed));
    }
    if !story.chain.is_empty() {
        let mut table = Table::new("How it came to that", &["at", "what"]);
        for link in &story.chain {
            table.row(&[nanoseconds(link.at_ns), link.what.clone()]);
        }
        text.push_str(&table.text());
    }
    text.push_str(&troubles(story));
    text.push_str(&slowest(story));
    text.push_str(&functions(story));
    for fan in story.fans {
        let line = format!("{}: {}", fan.pointer, fan.decision);
        text.push_str(&format!(
            "\nFan-out {}\n",
            escape::line(escape::cut(&line, 400).as_ref())
        ));
    }
    match (story.events, story.events_dropped) {
        (None, _) => text.push_str(
            "\nThe report has no history: `keylane run --stream` records one with `--json`.\n",
        ),
        (Some(_), 0) => {}
        (Some(_), dropped) => text.push_str(&format!(
            "\n{dropped} events found no room in the history: counts and times of states are of the \
             others.\n"
        )),
    }
    text
}

fn head(story: &Story<'_>) -> String {
    let how = match story.status {
        Outcome::Succeeded => "succeeded in",
        Outcome::Failed => "failed after",
        Outcome::Cancelled => "was cancelled after",
        Outcome::Refused => return "the run was refused, nothing ran\n".to_owned(),
    };
    let calls = story.functions.iter();
    let calls = calls.fold(0u64, |sum, function| sum.saturating_add(function.calls));
    let line = format!(
        "{} {how} {}: {calls} calls on {} lanes",
        escape::cut(story.workflow, NAME),
        nanoseconds(story.run_ns),
        story.lanes
    );
    format!("{}\n", escape::line(&line))
}

fn step(failed: &FailedStep<'_>) -> String {
    let mut text = "\nWhat failed\n".to_owned();
    let mut line = |name: &str, words: &str| {
        let words = escape::cut(words, INPUT);
        text.push_str(&format!("  {name:<9} {}\n", escape::line(&words)));
    };
    if let Some(state) = failed.state {
        let kind = failed
            .kind
            .map_or_else(String::new, |kind| format!(" ({kind})"));
        line("state", &format!("\"{state}\"{kind}"));
    }
    for outer in &failed.within {
        line("in", outer);
    }
    if let Some(pointer) = failed.pointer {
        line("at", pointer);
    }
    if let Some(function) = failed.function {
        let lane = failed
            .lane
            .map_or_else(String::new, |lane| format!(" on lane {lane}"));
        line("function", &format!("{function}{lane}"));
    }
    let cause = Cause::read(failed.cause);
    let message = escape::cut(&cause.message, CAUSE);
    let mut lines = message.lines();
    let first = lines.next().unwrap_or_default();
    line("error", &format!("{}: {first}", failed.error));
    for more in lines {
        line("", more);
    }
    let trace = cause.trace.concat();
    for more in escape::cut(&trace, CAUSE).lines() {
        line("", more);
    }
    let whose = match failed.blame {
        Blame::Bug => "a bug of Keylane".to_owned(),
        blame => blame.to_string(),
    };
    line("fault of", &whose);
    match (failed.input, failed.input_bytes) {
        (Some(input), bytes) => {
            let whole = bytes.unwrap_or(0);
            line("input", input);
            if input.len().min(INPUT) < usize::try_from(whole).unwrap_or(usize::MAX) {
                line("", &format!("({whole} bytes in all)"));
            }
        }
        (None, Some(bytes)) => line("input", &format!("{bytes} bytes, not kept")),
        (None, None) => {}
    }
    if let Some(event) = failed.event.filter(|event| Some(*event) != failed.input) {
        line("event", event);
    }
    text
}

fn troubles(story: &Story<'_>) -> String {
    if story.troubles.is_empty() {
        return String::new();
    }
    let columns = ["at", "state", "failures", "error", "then"];
    let mut table = Table::new("What went wrong on the way", &columns);
    for trouble in &story.troubles {
        table.row(&[
            nanoseconds(trouble.at_ns),
            trouble.state.to_owned(),
            trouble.failures.to_string(),
            trouble.error.to_owned(),
            trouble.end.to_owned(),
        ]);
    }
    let more = story.troubles_in_all.saturating_sub(story.troubles.len());
    if more > 0 {
        table.note(&format!("and {more} more"));
    }
    table.text()
}

fn slowest(story: &Story<'_>) -> String {
    if story.slowest.is_empty() {
        return String::new();
    }
    let columns = ["state", "type", "runs", "in all", "longest", "paused"];
    let mut table = Table::new(
        "Where the time went (branches that ran side by side add up)",
        &columns,
    );
    for step in &story.slowest {
        table.row(&[
            step.state.to_owned(),
            step.kind.to_owned(),
            step.count.to_string(),
            nanoseconds(step.total_ns),
            nanoseconds(step.longest_ns),
            match step.paused_ns {
                0 => String::new(),
                paused => nanoseconds(paused),
            },
        ]);
    }
    table.text()
}

fn functions(story: &Story<'_>) -> String {
    if story.functions.is_empty() {
        return String::new();
    }
    let columns = [
        "function", "calls", "errors", "in all", "mean", "longest", "workers",
    ];
    let mut table = Table::new("Functions", &columns);
    for function in story.functions {
        let mean = function.total_ns.checked_div(function.calls).unwrap_or(0);
        table.row(&[
            function.function.clone(),
            function.calls.to_string(),
            function.errors.to_string(),
            nanoseconds(function.total_ns),
            nanoseconds(mean),
            nanoseconds(function.longest_ns),
            function.forks.to_string(),
        ]);
    }
    table.text()
}
