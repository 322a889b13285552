//! A run as one picture (SVG): which state ran when, on which lane, what waited, what was tried
//! again, what failed.
//!
//! `rows` decides what is drawn where, as data; `paint` writes it. Names come from functions and
//! definitions: every text passes [`svg::text`]. A run of any size becomes a picture of bounded
//! size: rows are shared by instances that do not overlap, and bars that would touch are one.

mod axis;
mod paint;
mod rows;
mod svg;
#[cfg(test)]
mod tests;

use crate::history::spans::Spans;
use crate::render::duration::nanoseconds;
use crate::render::report::Context;
use keylane_policy::report::{Report, Status};

/// The words around the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caption {
    /// The workflow's name.
    pub title: String,
    /// How it went, in one line.
    pub summary: String,
    /// Whether it succeeded.
    pub succeeded: bool,
    /// The error that ended it.
    pub error: Option<String>,
    /// What the picture lacks.
    pub missing: Option<String>,
}

impl Caption {
    /// The words for a report.
    pub fn of(report: &Report, context: &Context<'_>) -> Caption {
        let how = match report.status {
            Status::Succeeded => "succeeded in",
            Status::Failed => "failed after",
            Status::Cancelled => "cancelled after",
        };
        let sum = |of: fn(&keylane_policy::report::FunctionCalls) -> u64| {
            let each = report.functions.iter().map(of);
            each.fold(0u64, u64::saturating_add)
        };
        let (calls, errors) = (sum(|f| f.calls), sum(|f| f.errors));
        let failed = match errors {
            0 => String::new(),
            errors => format!(", {errors} of them failed"),
        };
        let plural = |count: u64| if count == 1 { "" } else { "s" };
        let lanes = u64::try_from(context.lanes).unwrap_or(u64::MAX);
        let dropped = context.history.map_or(0, |history| history.dropped);
        Caption {
            title: context.workflow.to_owned(),
            summary: format!(
                "{how} {} · {calls} call{}{failed} · {lanes} lane{}",
                nanoseconds(report.run_ns),
                plural(calls),
                plural(lanes)
            ),
            succeeded: report.status == Status::Succeeded,
            error: report.error.as_ref().map(|error| match &error.state {
                Some(state) => format!("{} in {state}", error.error),
                None => error.error.clone(),
            }),
            missing: (dropped > 0)
                .then(|| format!("{dropped} events found no room in the history and are missing")),
        }
    }
}

/// The picture of a run.
pub fn timeline(caption: &Caption, spans: &Spans) -> String {
    paint::paint(caption, &rows::rows(spans), spans)
}
