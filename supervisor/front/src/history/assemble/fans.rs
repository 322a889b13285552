//! Events of fan-outs and their branches, those included that something outside stopped.

use super::super::event::{Details, EventType};
use super::{Assembly, Spot};
use keylane_policy::history::Record;
use std::collections::BTreeMap;

/// What is known of one fan-out.
pub(super) struct Fan {
    branch: u64,
    /// Name of the state.
    name: String,
    is_map: bool,
    /// The event that told of its start.
    started: u64,
    /// The last event of the branch that ended last.
    last: u64,
    /// Branches that run, by index.
    running: BTreeMap<u64, u64>,
    /// The error of the branch that failed last.
    error: Option<(String, String)>,
}

impl Assembly<'_> {
    pub(super) fn fan_started(&mut self, record: &Record, fan: u64, total: u64) {
        let place = self.place(record).cloned();
        let is_map = place.as_ref().is_none_or(|place| place.kind != "Parallel");
        let kind = if is_map {
            EventType::MapStateStarted
        } else {
            EventType::ParallelStateStarted
        };
        let details = Details {
            length: Some(total),
            ..Details::default()
        };
        let started = self.push(record, kind, details);
        let known = Fan {
            branch: record.branch,
            name: place.map(|place| place.state).unwrap_or_default(),
            is_map,
            started,
            last: started,
            running: BTreeMap::new(),
            error: None,
        };
        self.fans.insert(fan, known);
    }

    fn iteration(&self, fan: u64, index: u64) -> Details {
        Details {
            name: self.fans.get(&fan).map(|fan| fan.name.clone()),
            index: Some(index),
            ..Details::default()
        }
    }

    pub(super) fn branch_started(&mut self, record: &Record, fan: u64, index: u64) {
        let Some(known) = self.fans.get_mut(&fan) else {
            return;
        };
        known.running.insert(index, record.branch);
        let (is_map, started) = (known.is_map, known.started);
        let walk = self.walk(record.branch);
        (walk.fan, walk.last) = (Some((fan, index)), started);
        if is_map {
            let details = self.iteration(fan, index);
            self.push(record, EventType::MapIterationStarted, details);
        }
    }

    pub(super) fn branch_ended(&mut self, record: &Record, fan: u64, index: u64, failed: bool) {
        let error = self.walk(record.branch).error.clone().filter(|_| failed);
        let Some(known) = self.fans.get_mut(&fan) else {
            return;
        };
        known.running.remove(&index);
        if failed {
            known.error = error.clone();
        }
        let is_map = known.is_map;
        let before = self.walk(record.branch).last;
        if is_map {
            let kind = if failed {
                EventType::MapIterationFailed
            } else {
                EventType::MapIterationSucceeded
            };
            let mut details = self.iteration(fan, index);
            (details.error, details.cause) = error.unzip();
            self.push(record, kind, details);
        }
        let walk = self.walk(record.branch);
        walk.over = true;
        // As in the service: the state's failure follows what failed inside, not the iteration.
        let last = if failed { before } else { walk.last };
        if let Some(known) = self.fans.get_mut(&fan) {
            known.last = last;
        }
    }

    pub(super) fn fan_ended(&mut self, record: &Record, fan: u64, failed: bool) {
        let Some(known) = self.fans.get_mut(&fan) else {
            return;
        };
        let stopped = std::mem::take(&mut known.running);
        let (branch, is_map, last) = (known.branch, known.is_map, known.last);
        let error = known.error.take();
        for (index, branch) in stopped {
            let spot = Spot {
                branch,
                ..Spot::from(record)
            };
            self.stop(spot, is_map.then_some((fan, index)));
        }
        let spot = Spot {
            branch,
            ..Spot::from(record)
        };
        if self.walk(branch).over {
            return;
        }
        let kind = match (is_map, failed, error.is_some()) {
            (true, false, _) => EventType::MapStateSucceeded,
            (true, true, true) => EventType::MapStateFailed,
            (true, true, false) => EventType::MapStateAborted,
            (false, false, _) => EventType::ParallelStateSucceeded,
            (false, true, true) => EventType::ParallelStateFailed,
            (false, true, false) => EventType::ParallelStateAborted,
        };
        let mut details = Details::default();
        (details.error, details.cause) = error.filter(|_| failed).unzip();
        let id = self.push_after(spot, kind, details, last);
        // As in the service: leaving the state follows what its success followed.
        self.walk(branch).last = if failed { id } else { last };
        if failed {
            self.note_failure(branch);
        }
    }

    /// Something outside of a branch stopped it.
    fn stop(&mut self, spot: Spot, iteration: Option<(u64, u64)>) {
        let walk = self.walk(spot.branch);
        walk.over = true;
        if let Some(kind) = EventType::aborted(&walk.kind) {
            walk.kind.clear();
            self.push(spot, kind, Details::default());
        }
        if let Some((fan, index)) = iteration {
            let details = self.iteration(fan, index);
            self.push(spot, EventType::MapIterationAborted, details);
        }
    }
}
