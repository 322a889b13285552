//! The events of the execution itself: its beginning and its end.

use super::super::event::{Details, EventType, Extent};
use super::{Assembly, Spot, TIMEOUTS};
use keylane_policy::report::{Report, Status};

impl Assembly<'_> {
    pub(super) fn begin(&mut self, input: &str) {
        let text = crate::history::within(input);
        let details = Details {
            input_details: Some(Extent {
                truncated: text.len() < input.len(),
                bytes: u64::try_from(input.len()).unwrap_or(u64::MAX),
            }),
            input: Some(text.to_owned()),
            ..Details::default()
        };
        self.own(
            self.recording.began_ns,
            EventType::ExecutionStarted,
            details,
        );
        // As in the service: the first state is led to by no event.
        self.walk(0).last = 0;
    }

    pub(super) fn end(&mut self, report: &Report) {
        let mut details = Details::default();
        let kind = match (report.status, &report.error) {
            (Status::Succeeded, _) => {
                let output = report.output.as_deref().unwrap_or_default();
                let text = crate::history::within(output);
                details.output_details = Some(Extent {
                    truncated: text.len() < output.len(),
                    bytes: u64::try_from(output.len()).unwrap_or(u64::MAX),
                });
                details.output = Some(text.to_owned());
                EventType::ExecutionSucceeded
            }
            (Status::Cancelled, _) => EventType::ExecutionAborted,
            (Status::Failed, Some(error))
                if error.state.is_none() && TIMEOUTS.contains(&error.error.as_str()) =>
            {
                EventType::ExecutionTimedOut
            }
            (Status::Failed, _) => EventType::ExecutionFailed,
        };
        if let Some(error) = &report.error {
            details.error = Some(error.error.clone());
            details.cause = Some(error.cause.clone());
        }
        let latest = self.events.last().map_or(0, |event| event.head.at_ns);
        let ended = self.recording.began_ns.saturating_add(latest);
        self.own(self.recording.ended_ns.max(ended), kind, details);
    }

    /// Adds an event of the execution itself.
    fn own(&mut self, at_ns: u64, kind: EventType, details: Details) {
        let spot = Spot {
            at_ns,
            lane: 0,
            branch: 0,
        };
        self.push(spot, kind, details);
        if let Some(head) = self.last_head() {
            head.lane = None;
        }
    }
}
