//! Fan-outs: a Map or Parallel state at work.

use super::branch::{Broken, Phase};
use super::event::Event;
use super::execution::Execution;
use super::fail::{ends_everything, error_output};
use super::loan::LoanBranch;
use super::slab::Key;
use super::step::Flow;
use crate::definition::{Map, State};
use crate::fault::{self, TaskError};
use crate::json::Node;
use crate::random::Random;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A fan-out's number in its execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FanId(pub u64);

/// A fan-out in progress, as its host sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fan {
    /// Its number.
    pub id: FanId,
    /// JSON pointer to the Map or Parallel state.
    pub pointer: String,
    /// The state's name.
    pub state: String,
    /// Branches.
    pub total: u64,
    /// Branches that have started here or were lent.
    pub started: u64,
    /// Branches that have ended.
    pub finished: u64,
    /// Branches that may be lent now.
    pub lendable: u64,
}

/// What the branches work on.
#[derive(Debug)]
pub(super) enum Work {
    /// The branches of a Parallel, each a machine.
    Machines(Vec<usize>),
    /// The items of a Map, all for one machine.
    Items { machine: usize, items: Node },
    /// Branches that another lane lent, all for one machine, by their place in the fan-out there.
    Lent {
        machine: usize,
        branches: BTreeMap<u64, LoanBranch>,
    },
}

/// A fan-out.
#[derive(Debug)]
pub(super) struct FanOut {
    /// The branch whose state it is.
    pub(super) parent: Key,
    pub(super) pointer: Arc<str>,
    pub(super) state: Arc<str>,
    pub(super) work: Work,
    /// The effective input of the state.
    pub(super) data: Node,
    pub(super) total: u64,
    /// The order in which branches start, where it is not that of their places: those that wait
    /// before they call anything come first, so that no sibling's call puts off their clocks.
    pub(super) order: Vec<u64>,
    /// How many of the first are such.
    pub(super) waiters: u64,
    /// Branches from here on in that order, to `end`, have not started.
    pub(super) next: u64,
    pub(super) end: u64,
    /// Branches that were lent and came back unfinished.
    pub(super) returned: Vec<u64>,
    /// Branches that run, here or elsewhere.
    pub(super) running: u64,
    /// Branches that run elsewhere, and since when.
    pub(super) lent: BTreeMap<u64, u64>,
    pub(super) finished: u64,
    /// Branches that may run at a time.
    pub(super) cap: u64,
    pub(super) failures: u64,
    /// Failures that do not fail the state; none if any does.
    pub(super) tolerated: Option<u64>,
    pub(super) results: Vec<Option<Node>>,
    /// Bytes of the results so far.
    pub(super) collected: usize,
    /// Branches that run here.
    pub(super) live: Vec<Key>,
    pub(super) depth: usize,
    pub(super) age: u64,
    /// Its parent's seed, and which of the parent's fan-outs it is.
    pub(super) seed: (u64, u64),
}

impl FanOut {
    pub(super) fn unstarted(&self) -> u64 {
        self.end - self.next + u64::try_from(self.returned.len()).unwrap_or(0)
    }

    /// Branches that may start now.
    pub(super) fn startable(&self) -> u64 {
        self.unstarted().min(self.cap.saturating_sub(self.running))
    }

    /// Whether a branch may start now that waits before it calls anything.
    pub(super) fn eager(&self) -> bool {
        self.next < self.waiters.min(self.end) && self.running < self.cap
    }

    fn ordered(&self, turn: u64) -> u64 {
        let at = usize::try_from(turn).unwrap_or(usize::MAX);
        self.order.get(at).copied().unwrap_or(turn)
    }

    /// The next branch to start here.
    pub(super) fn take_first(&mut self) -> Option<u64> {
        if self.next < self.end {
            self.next += 1;
            return Some(self.ordered(self.next - 1));
        }
        self.returned.pop()
    }

    /// The next branch to lend.
    pub(super) fn take_last(&mut self) -> Option<u64> {
        if self.next < self.end {
            self.end -= 1;
            return Some(self.ordered(self.end));
        }
        self.returned.pop()
    }

    /// The machine that a branch runs.
    pub(super) fn machine(&self, index: u64) -> Option<usize> {
        match &self.work {
            Work::Items { machine, .. } | Work::Lent { machine, .. } => Some(*machine),
            Work::Machines(machines) => machines.get(usize::try_from(index).ok()?).copied(),
        }
    }

    /// Keeps the result of a branch. Results that together are more than a state's data may be
    /// fail the state at once, before they fill the memory.
    pub(super) fn keep(&mut self, index: u64, output: Node, limit: usize) -> Option<Broken> {
        self.collected = self.collected.saturating_add(output.size() + 1);
        if self.collected > limit {
            let cause = format!("the results have more than the limit of {limit} bytes");
            return Some(TaskError::new(fault::DATA_LIMIT, cause).into());
        }
        let place = usize::try_from(index).unwrap_or(usize::MAX);
        if let Some(slot) = self.results.get_mut(place) {
            *slot = Some(output);
        }
        None
    }

    /// Keeps the error of a branch as its result, if the state tolerates it.
    pub(super) fn tolerate(&mut self, index: u64, broken: Broken, limit: usize) -> Option<Broken> {
        let Some(tolerated) = self.tolerated.filter(|_| !ends_everything(&broken.fault)) else {
            return Some(broken);
        };
        self.failures += 1;
        if self.failures > tolerated {
            let cause = format!(
                "{} of {} items failed, {tolerated} are tolerated; the last with {}",
                self.failures, self.total, broken.fault
            );
            return Some(Broken {
                fault: TaskError::new(fault::THRESHOLD, cause),
                ..broken
            });
        }
        self.keep(index, error_output(&broken.fault), limit)
    }

    pub(super) fn branch_seed(&self, index: u64) -> u64 {
        Random::seed_of(self.seed.0, self.seed.1, index)
    }
}

impl Execution {
    /// The fan-outs in progress, outermost first. Looks at all of them.
    pub fn fans(&self) -> Vec<Fan> {
        let mut fans: Vec<_> = self.fans.iter().collect();
        fans.sort_by_key(|(_, fan)| (fan.depth, fan.age));
        fans.into_iter()
            .map(|(key, fan)| Fan {
                id: FanId(key.number()),
                pointer: fan.pointer.to_string(),
                state: fan.state.to_string(),
                total: fan.total,
                started: fan.total - fan.unstarted(),
                finished: fan.finished,
                lendable: fan.startable(),
            })
            .collect()
    }

    pub(super) fn fan_parallel(
        &mut self,
        key: Key,
        state: &State,
        branches: &[usize],
        data: Node,
    ) -> Result<Flow, TaskError> {
        let total = u64::try_from(branches.len()).unwrap_or(0);
        self.fan_out(
            key,
            state,
            Work::Machines(branches.to_vec()),
            data,
            (total, u64::MAX, None),
        )
    }

    pub(super) fn fan_map(
        &mut self,
        key: Key,
        state: &State,
        map: &Map,
        data: Node,
    ) -> Result<Flow, TaskError> {
        let Some(branch) = self.branches.get(key) else {
            return Ok(Flow::Blocked);
        };
        let items = match &map.items {
            Some(expression) => self.expression(branch, state, &data, expression)?,
            None => data.clone(),
        };
        let Some(count) = items.as_array().map(<[Node]>::len) else {
            let cause = "`ItemsPath` (or the input, where it is absent) must select an array";
            return Err(TaskError::runtime(cause));
        };
        let total = u64::try_from(count).unwrap_or(u64::MAX);
        let numbers = 0.0..=1.0e9;
        let concurrency = (&map.concurrency, "MaxConcurrencyPath");
        let cap = whole(self.amount(branch, state, &data, concurrency, numbers.clone())?);
        let tolerated_count = match &map.tolerated_count {
            None => None,
            Some(amount) => {
                let amount = (amount, "ToleratedFailureCountPath");
                Some(whole(self.amount(branch, state, &data, amount, numbers)?))
            }
        };
        let tolerated_percentage = match &map.tolerated_percentage {
            None => None,
            Some(amount) => {
                let amount = (amount, "ToleratedFailurePercentagePath");
                let percentage = self.amount(branch, state, &data, amount, 0.0..=100.0)?;
                let thousandths = u128::from(whole((percentage * 1000.0).round()));
                u64::try_from(u128::from(total) * thousandths / 100_000).ok()
            }
        };
        let tolerated = tolerated_count
            .into_iter()
            .chain(tolerated_percentage)
            .min();
        let cap = if cap == 0 { u64::MAX } else { cap };
        let work = Work::Items {
            machine: map.machine,
            items,
        };
        self.fan_out(key, state, work, data, (total, cap, tolerated))
    }

    fn fan_out(
        &mut self,
        key: Key,
        state: &State,
        work: Work,
        data: Node,
        (total, cap, tolerated): (u64, u64, Option<u64>),
    ) -> Result<Flow, TaskError> {
        let age = self.next_number();
        let Some(branch) = self.branches.get_mut(key) else {
            return Ok(Flow::Blocked);
        };
        branch.fans_made += 1;
        let (number, seed) = (branch.number, (branch.seed, branch.fans_made));
        let outer = branch.parent.map(|(fan, _)| fan);
        let depth = outer
            .and_then(|fan| self.fans.get(fan))
            .map_or(0, |fan| fan.depth + 1);
        let results = vec![None; usize::try_from(total).unwrap_or(0)];
        let (order, waiters) = self.order(&work, total);
        let fan = self.fans.insert(FanOut {
            parent: key,
            pointer: state.pointer.clone(),
            state: state.name.clone(),
            work,
            data,
            total,
            order,
            waiters,
            next: 0,
            end: total,
            returned: Vec::new(),
            running: 0,
            lent: BTreeMap::new(),
            finished: 0,
            cap,
            failures: 0,
            tolerated,
            results,
            collected: 0,
            live: Vec::new(),
            depth,
            age,
            seed,
        });
        let at_ns = self.now;
        self.tell(
            || Event::FanStarted {
                branch: number,
                fan: FanId(fan.number()),
                pointer: state.pointer.clone(),
                total,
                at_ns,
            },
            false,
        );
        if let Some(branch) = self.branches.get_mut(key) {
            branch.phase = Phase::Fanned(fan);
        }
        if total == 0 {
            self.fan_complete(fan);
        } else {
            self.startable.insert((depth, age, fan));
            if waiters > 0 {
                self.eager.push(fan);
            }
        }
        Ok(Flow::Blocked)
    }

    /// The order in which branches start (none where it is that of their places), and how many of
    /// the first wait before they call anything.
    fn order(&self, work: &Work, total: u64) -> (Vec<u64>, u64) {
        let waits = |machine: &usize| {
            let machine = self.definition.machines.get(*machine);
            machine.is_some_and(|machine| machine.waits)
        };
        match work {
            Work::Items { machine, .. } if waits(machine) => (Vec::new(), total),
            Work::Items { .. } | Work::Lent { .. } => (Vec::new(), 0),
            Work::Machines(machines) => {
                let (first, then): (Vec<_>, Vec<_>) =
                    (0..).zip(machines).partition(|(_, machine)| waits(machine));
                let waiters = u64::try_from(first.len()).unwrap_or(0);
                let order = first.into_iter().chain(then).map(|(index, _)| index);
                (order.collect(), waiters)
            }
        }
    }
}

/// The integer below a number that was checked to be neither negative nor large.
fn whole(number: f64) -> u64 {
    format!("{:.0}", number.floor()).parse().unwrap_or(0)
}
