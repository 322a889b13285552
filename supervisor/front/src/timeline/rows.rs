//! What is drawn where: states in groups, one row for each lane, bars on the rows.

use crate::history::spans::{Call, End, Spans, Visit};
use crate::render::duration::nanoseconds;
use crate::render::escape;
use std::collections::BTreeMap;

/// Rows that one state has on one lane; instances beyond share the last.
const SLOTS: usize = 4;
/// Rows of a picture.
const ROWS: usize = 240;
/// Columns that bars are put together for: what is thinner than one of them cannot be seen.
pub(super) const COLUMNS: u64 = 860;
/// Bytes of an error in a tooltip.
const ERROR_BYTES: usize = 300;

/// What a bar means, from the bottom layer to the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Meaning {
    /// A Map or Parallel with its branches.
    Fan,
    /// A state, whatever it does.
    State,
    /// A Wait state.
    Wait,
    /// A pause before another attempt.
    Pause,
    /// A call.
    Call,
    /// A call that failed.
    FailedCall,
    /// The end of a state that failed for good.
    Failure,
}

/// One bar, or several that would touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bar {
    pub(super) meaning: Meaning,
    pub(super) start_ns: u64,
    pub(super) end_ns: u64,
    /// How many it stands for.
    pub(super) count: u64,
    /// What it says when pointed at.
    pub(super) title: String,
    /// What is written on it if it is long enough.
    pub(super) label: Option<String>,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// The state, in the first row of its group.
    pub(super) name: Option<String>,
    pub(super) kind: &'static str,
    pub(super) pointer: String,
    pub(super) depth: usize,
    pub(super) lane: Option<u16>,
    pub(super) bars: Vec<Bar>,
    /// Instances on this row, and their time together.
    pub(super) count: u64,
    pub(super) total_ns: u64,
}

/// The rows of a picture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) rows: Vec<Row>,
    /// Rows that the picture has no room for.
    pub(super) left_out: usize,
    /// Lanes that did something.
    pub(super) lanes: Vec<u16>,
    /// What is drawn anywhere.
    pub(super) meanings: Vec<Meaning>,
}

#[derive(Default)]
struct Group<'s> {
    visits: Vec<&'s Visit>,
    children: Vec<&'s str>,
    depth: usize,
}

/// Decides the rows.
pub(super) fn rows(spans: &Spans) -> Rows {
    let column_ns = (spans.end_ns / COLUMNS).max(1);
    let mut groups: BTreeMap<&str, Group<'_>> = BTreeMap::new();
    let mut roots = Vec::new();
    for visit in &spans.visits {
        let around = spans.around(visit);
        let pointer = visit.pointer.as_str();
        if !groups.contains_key(pointer) {
            match around
                .first()
                .and_then(|fan| groups.get_mut(fan.pointer.as_str()))
            {
                Some(outer) => outer.children.push(pointer),
                None => roots.push(pointer),
            }
        }
        let group = groups.entry(pointer).or_default();
        group.depth = around.len();
        group.visits.push(visit);
    }
    let mut all = Rows::default();
    let mut waiting: Vec<&str> = roots.into_iter().rev().collect();
    while let Some(pointer) = waiting.pop() {
        // Taken out, so that a state which names itself as its own parent ends here.
        let Some(group) = groups.remove(pointer) else {
            continue;
        };
        waiting.extend(group.children.iter().rev());
        all.rows.extend(group_rows(&group, spans, column_ns));
    }
    let mut lanes: Vec<u16> = spans.walks.iter().map(|walk| walk.lane).collect();
    lanes.sort_unstable();
    lanes.dedup();
    let mut meanings: Vec<Meaning> = all
        .rows
        .iter()
        .flat_map(|row| row.bars.iter().map(|bar| bar.meaning))
        .collect();
    meanings.sort_unstable();
    meanings.dedup();
    all.left_out = all.rows.len().saturating_sub(ROWS);
    all.rows.truncate(ROWS);
    Rows {
        lanes,
        meanings,
        ..all
    }
}

fn length(visit: &Visit) -> u64 {
    visit.end_ns.saturating_sub(visit.start_ns)
}

fn sum(visits: &[&Visit]) -> u64 {
    visits
        .iter()
        .fold(0, |sum, visit| sum.saturating_add(length(visit)))
}

fn group_rows(group: &Group<'_>, spans: &Spans, column_ns: u64) -> Vec<Row> {
    let instant = sum(&group.visits) < column_ns;
    let mut lanes: BTreeMap<Option<u16>, Vec<&Visit>> = BTreeMap::new();
    for &visit in &group.visits {
        // States that take no time need no row on each lane.
        let lane = (!instant || group.visits.len() == 1).then_some(visit.lane);
        lanes.entry(lane).or_default().push(visit);
    }
    let mut rows = Vec::new();
    for (lane, visits) in lanes {
        for slot in slots(visits) {
            let first = group.visits.first();
            rows.push(Row {
                name: rows
                    .is_empty()
                    .then(|| first.map_or_else(String::new, |visit| visit.state.clone())),
                kind: first.map_or("", |visit| visit.kind),
                pointer: first.map_or_else(String::new, |visit| visit.pointer.clone()),
                depth: group.depth,
                lane,
                bars: merge(slot.iter().flat_map(|visit| bars(visit, spans)), column_ns),
                count: u64::try_from(slot.len()).unwrap_or(u64::MAX),
                total_ns: sum(&slot),
            });
        }
    }
    rows
}

/// Visits that overlap go into different slots, while there are any.
fn slots(mut visits: Vec<&Visit>) -> Vec<Vec<&Visit>> {
    visits.sort_by_key(|visit| visit.start_ns);
    let mut slots: Vec<(u64, Vec<&Visit>)> = Vec::new();
    for visit in visits {
        let free = slots.iter().position(|(until, _)| *until <= visit.start_ns);
        let at = match free {
            Some(at) => at,
            None if slots.len() < SLOTS => {
                slots.push((0, Vec::new()));
                slots.len().saturating_sub(1)
            }
            None => SLOTS.saturating_sub(1),
        };
        if let Some((until, slot)) = slots.get_mut(at) {
            *until = visit.end_ns.max(*until);
            slot.push(visit);
        }
    }
    slots.into_iter().map(|(_, slot)| slot).collect()
}

fn when(start_ns: u64, end_ns: u64) -> String {
    let length = nanoseconds(end_ns.saturating_sub(start_ns));
    let (start, end) = (nanoseconds(start_ns), nanoseconds(end_ns));
    format!("{length}, from {start} to {end}")
}

fn named(visit: &Visit, spans: &Spans) -> String {
    let walk = spans.walks.get(visit.walk);
    match walk.and_then(|walk| walk.index) {
        Some(index) => format!("{} #{index} on lane {}", visit.state, visit.lane),
        None => format!("{} on lane {}", visit.state, visit.lane),
    }
}

fn error_of(error: &(String, String)) -> String {
    let (error, cause) = error;
    let cause = cause.lines().next().unwrap_or_default();
    escape::cut(&format!("{error}: {cause}"), ERROR_BYTES).into_owned()
}

fn bars(visit: &Visit, spans: &Spans) -> Vec<Bar> {
    let bar = |meaning, (start_ns, end_ns): (u64, u64), title: String| Bar {
        meaning,
        start_ns,
        end_ns,
        count: 1,
        title,
        label: None,
    };
    let name = named(visit, spans);
    let time = (visit.start_ns, visit.end_ns);
    let meaning = match (visit.kind, visit.branches) {
        ("Wait", _) => Meaning::Wait,
        (_, Some(_)) => Meaning::Fan,
        _ => Meaning::State,
    };
    let ending = match (visit.end, &visit.error) {
        (End::Done, _) => String::new(),
        (End::Caught, Some(error)) => format!("; caught {}", error_of(error)),
        (End::Failed, Some(error)) => format!("; failed with {}", error_of(error)),
        (End::Caught, None) => "; caught an error".to_owned(),
        (End::Failed, None) => "; failed".to_owned(),
        (End::Stopped, _) => "; stopped".to_owned(),
    };
    let (start, end) = time;
    let title = format!("{name} ({}): {}{ending}", visit.kind, when(start, end));
    let mut all = vec![bar(meaning, time, title)];
    if let (Some(first), Some(branches)) = (all.first_mut(), visit.branches) {
        first.label = Some(format!(
            "{branches} branches · {}",
            nanoseconds(length(visit))
        ));
    } else if let (Some(first), Meaning::State) = (all.first_mut(), meaning) {
        first.label = visit.calls.is_empty().then(|| nanoseconds(length(visit)));
    }
    for pause in &visit.pauses {
        let time = (pause.start_ns, pause.end_ns);
        let when = when(pause.start_ns, pause.end_ns);
        let title = format!("{name}: pause before retry {}, {when}", pause.attempt);
        all.push(bar(Meaning::Pause, time, title));
    }
    for call in &visit.calls {
        all.push(call_bar(call, visit));
    }
    if visit.end == End::Failed {
        let title = format!(
            "{name} failed{}",
            match &visit.error {
                Some(error) => format!(" with {}", error_of(error)),
                None => String::new(),
            }
        );
        all.push(bar(Meaning::Failure, (visit.end_ns, visit.end_ns), title));
    }
    all
}

fn call_bar(call: &Call, visit: &Visit) -> Bar {
    let (meaning, error) = match &call.error {
        None => (Meaning::Call, String::new()),
        Some(error) => (Meaning::FailedCall, format!("; {}", error_of(error))),
    };
    let when = when(call.start_ns, call.end_ns);
    let attempt = match call.attempt {
        1 => String::new(),
        attempt => format!(", attempt {attempt}"),
    };
    Bar {
        meaning,
        start_ns: call.start_ns,
        end_ns: call.end_ns,
        count: 1,
        title: format!(
            "call of {}{attempt} on lane {}: {when}{error}",
            call.function, visit.lane
        ),
        label: Some(nanoseconds(call.end_ns.saturating_sub(call.start_ns))),
    }
}

/// Puts bars of one meaning together that are thinner than a column and lie in the same one.
fn merge(bars: impl Iterator<Item = Bar>, column_ns: u64) -> Vec<Bar> {
    let mut bars: Vec<Bar> = bars.collect();
    bars.sort_by_key(|bar| (bar.meaning, bar.start_ns));
    let mut merged: Vec<Bar> = Vec::with_capacity(bars.len());
    for bar in bars {
        let thin = |bar: &Bar| bar.end_ns.saturating_sub(bar.start_ns) < column_ns;
        let near = merged.last_mut().filter(|last| {
            last.meaning == bar.meaning
                && (last.count > 1 || thin(last))
                && thin(&bar)
                && bar.start_ns.saturating_sub(last.end_ns) < column_ns / 2
                && bar.end_ns.saturating_sub(last.start_ns) < column_ns.saturating_mul(8)
        });
        match near {
            Some(last) => {
                last.end_ns = last.end_ns.max(bar.end_ns);
                last.count = last.count.saturating_add(1);
                last.title = format!(
                    "{} together: {}",
                    last.count,
                    when(last.start_ns, last.end_ns)
                );
                last.label = None;
            }
            None => merged.push(bar),
        }
    }
    merged
}
