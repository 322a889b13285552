//! Records that another lane made of branches that this one lent to it.

use super::Recorder;
use keylane_policy::abi::message::LaneId;
use keylane_policy::history::{LENT, Record, Recording, Weight, What};
use keylane_workflow::FanId;
use std::sync::Arc;

impl Recorder {
    /// Adds what lane `lane` recorded of branches of `fan`. The borrower may be hostile: whatever
    /// it says stays within this recording's bounds and in numbers of its own.
    pub(crate) fn merge(&mut self, lane: LaneId, fan: FanId, borrowed: Recording) {
        let Recording {
            places,
            records,
            dropped,
            ..
        } = borrowed;
        self.recording.dropped = self.recording.dropped.saturating_add(dropped);
        let places: Vec<Option<u32>> = places
            .iter()
            .map(|place| {
                let pointer: Arc<str> = place.pointer.as_str().into();
                self.place(&pointer, &place.state, &place.kind)
            })
            .collect();
        let Some(&(lender, _)) = self.fans.get(&fan) else {
            let lost = u64::try_from(records.len()).unwrap_or(u64::MAX);
            self.recording.dropped = self.recording.dropped.saturating_add(lost);
            return;
        };
        let (first_branch, first_fan) = (self.next_foreign, self.next_fan);
        for mut record in records {
            record.lane = lane;
            record.branch = first_branch.saturating_add(record.branch);
            record.place = record
                .place
                .and_then(|place| places.get(usize::try_from(place).ok()?).copied().flatten());
            if let Some(number) = fan_of(&mut record) {
                if *number == LENT {
                    *number = lender;
                } else {
                    *number = first_fan.saturating_add(*number);
                    self.next_fan = self.next_fan.max(number.saturating_add(1));
                }
            }
            self.next_foreign = self.next_foreign.max(record.branch.saturating_add(1));
            let weight = if record.what.is_error() {
                Weight::Needed
            } else {
                Weight::Ordinary
            };
            let _counted = self.push_as(weight, record);
        }
    }
}

fn fan_of(record: &mut Record) -> Option<&mut u64> {
    match &mut record.what {
        What::FanStarted { fan, .. }
        | What::BranchStarted { fan, .. }
        | What::BranchEnded { fan, .. }
        | What::FanEnded { fan, .. } => Some(fan),
        What::Entered { .. }
        | What::Exited { .. }
        | What::Failed { .. }
        | What::Scheduled { .. }
        | What::Ended { .. }
        | What::Retried { .. } => None,
    }
}
