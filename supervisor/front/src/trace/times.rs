//! When each thing is drawn: see the contract of the folder.

use crate::history::spans::{Pause, Spans, Visit};

/// Beginning and end, in nanoseconds since the execution's start; the end is the later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Time {
    pub(super) start_ns: u64,
    pub(super) end_ns: u64,
}

/// Hands out times that follow each other.
pub(super) struct Cursor {
    at_ns: u64,
}

impl Cursor {
    pub(super) fn from(at_ns: u64) -> Cursor {
        Cursor { at_ns }
    }

    /// The next time: as asked, but for what is needed to come after the one before.
    pub(super) fn next(&mut self, start_ns: u64, end_ns: u64) -> Time {
        let start_ns = start_ns.max(self.at_ns);
        self.at_ns = end_ns.max(start_ns.saturating_add(1));
        Time {
            start_ns,
            end_ns: self.at_ns,
        }
    }
}

/// When walks and visits are drawn, in the order in which [`Spans`] has them.
pub(super) struct Times {
    pub(super) walks: Vec<Time>,
    pub(super) visits: Vec<Time>,
}

impl Times {
    pub(super) fn of(spans: &Spans) -> Times {
        let nowhere = Time {
            start_ns: 0,
            end_ns: 1,
        };
        let mut visits = vec![nowhere; spans.visits.len()];
        let walks = spans.walks.iter().map(|walk| {
            let mut cursor = Cursor::from(walk.start_ns);
            for &at in &walk.visits {
                if let (Some(visit), Some(time)) = (spans.visits.get(at), visits.get_mut(at)) {
                    *time = cursor.next(visit.start_ns, visit.end_ns.max(paused(visit, &cursor)));
                }
            }
            let least = cursor.at_ns.max(walk.start_ns.saturating_add(1));
            Time {
                start_ns: walk.start_ns,
                end_ns: walk.end_ns.max(least),
            }
        });
        Times {
            walks: walks.collect(),
            visits,
        }
    }
}

/// When the pauses of a visit are drawn that is drawn from `start_ns` on.
pub(super) fn pauses(visit: &Visit, start_ns: u64) -> impl Iterator<Item = (&Pause, Time)> {
    let mut cursor = Cursor::from(start_ns);
    let pauses = visit.pauses.iter();
    pauses.map(move |pause| (pause, cursor.next(pause.start_ns, pause.end_ns)))
}

/// The end of a visit's pauses, if it is drawn from the cursor on.
fn paused(visit: &Visit, cursor: &Cursor) -> u64 {
    let start_ns = visit.start_ns.max(cursor.at_ns);
    pauses(visit, start_ns)
        .last()
        .map_or(0, |(_, time)| time.end_ns)
}
