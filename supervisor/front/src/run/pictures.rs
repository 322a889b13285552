//! The files that `--trace` and `--timeline` ask for.

use super::Options;
use super::files::Target;
use crate::history::spans;
use crate::render::report::Context;
use crate::{timeline, trace};
use keylane_policy::blame::{Blame, Failure};
use keylane_policy::report::Report;

/// Where pictures of the run go.
#[derive(Clone, Debug, Default)]
pub(super) struct Pictures {
    trace: Option<Target>,
    timeline: Option<Target>,
}

impl Pictures {
    /// Refuses files that cannot be written.
    pub(super) fn check(options: &Options) -> Result<Pictures, Failure> {
        if let (Some(trace), Some(timeline)) = (&options.trace, &options.timeline)
            && trace == timeline
        {
            let doing = format!("writing --trace {}", trace.display());
            let cause = "--timeline names the same file";
            return Err(Failure::new(Blame::Operator, doing, cause).advise("name two files"));
        }
        let check = |option, path: &Option<_>| {
            path.as_deref()
                .map(|path| Target::check(option, path))
                .transpose()
        };
        Ok(Pictures {
            trace: check("--trace", &options.trace)?,
            timeline: check("--timeline", &options.timeline)?,
        })
    }

    /// Whether any was asked for.
    pub(super) fn any(&self) -> bool {
        self.trace.is_some() || self.timeline.is_some()
    }

    /// Writes what was asked for.
    pub(super) fn write(&self, report: &Report, context: &Context<'_>) -> Result<(), Failure> {
        let Some(history) = context.history.filter(|_| self.any()) else {
            return Ok(());
        };
        let spans = spans::spans(&history.events);
        if let Some(target) = &self.trace {
            target.write(&trace::trace(context.workflow, &spans))?;
        }
        if let Some(target) = &self.timeline {
            let caption = timeline::Caption::of(report, context);
            target.write(&timeline::timeline(&caption, &spans))?;
        }
        Ok(())
    }
}
