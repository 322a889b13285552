//! Starting the branches of fan-outs, one at a time.

use super::branch::{Branch, Phase};
use super::context::{Item, Variables, World};
use super::event::Event;
use super::execution::Execution;
use super::fan::{FanId, FanOut, Work};
use super::scope;
use super::slab::Key;
use super::step::state_of;
use super::stop::Served;
use crate::definition::Kind;
use crate::expression::Scope;
use crate::fault::TaskError;
use crate::json::Node;
use crate::random::Random;
use std::cell::OnceCell;

/// What a branch begins with.
pub(super) struct Beginning {
    pub(super) machine: usize,
    pub(super) input: Node,
    pub(super) item: Option<Item>,
    pub(super) variables: Variables,
    pub(super) seed: u64,
    pub(super) random: Random,
}

impl Execution {
    /// Starts one branch: one that waits before it calls anything if there is one, else one of the
    /// innermost fan-out that may start one. False if there is none.
    pub(super) fn start_one(&mut self) -> bool {
        if let Some(key) = self.eager_fan() {
            self.start_in(key);
            return true;
        }
        let Some(entry @ (_, _, key)) = self.startable.last().copied() else {
            return false;
        };
        if !self.start_in(key) {
            self.startable.remove(&entry);
        }
        true
    }

    /// The newest fan-out with a branch to start that waits before it calls anything.
    pub(super) fn eager_fan(&mut self) -> Option<Key> {
        while let Some(key) = self.eager.last().copied() {
            if self.fans.get(key).is_some_and(FanOut::eager) {
                return Some(key);
            }
            self.eager.pop();
        }
        None
    }

    /// Starts the next branch of a fan-out; false if it may start none.
    pub(super) fn start_in(&mut self, key: Key) -> bool {
        let now = self.now;
        let index = match self.fans.get_mut(key) {
            Some(fan) if fan.startable() > 0 => fan.take_first(),
            _ => None,
        };
        let Some(index) = index else {
            return false;
        };
        let Some(fan) = self.fans.get_mut(key) else {
            return true;
        };
        fan.running += 1;
        let beginning = self
            .fans
            .get(key)
            .ok_or_else(gone)
            .and_then(|f| self.beginning(f, index));
        if let Some(FanOut {
            work: Work::Lent { branches, .. },
            ..
        }) = self.fans.get_mut(key)
        {
            branches.remove(&index);
        }
        let number = self.next_number();
        let begun = beginning.and_then(|beginning| {
            let fan = self.fans.get_mut(key).ok_or_else(gone)?;
            let parent = self.branches.get(fan.parent).ok_or_else(gone)?;
            let machine = self
                .definition
                .machines
                .get(beginning.machine)
                .ok_or_else(gone)?;
            let parent_number = parent.number;
            let branch = self.branches.insert(Branch {
                number,
                machine: beginning.machine,
                state: machine.start,
                input: beginning.input,
                phase: Phase::Enter,
                parent: Some((key, index)),
                live_place: fan.live.len(),
                item: beginning.item,
                variables: beginning.variables,
                seed: beginning.seed,
                stored: 0,
                random: beginning.random,
                fans_made: 0,
                started_ns: now,
                worked_ns: 0,
                entered_ns: now,
                attempts: Vec::new(),
                retries: 0,
                timer: None,
            });
            fan.live.push(branch);
            self.ready.push_back(branch);
            Ok(parent_number)
        });
        match begun {
            Ok(parent) => self.tell(
                || Event::BranchStarted {
                    branch: number,
                    parent,
                    fan: FanId(key.number()),
                    index,
                    at_ns: now,
                },
                false,
            ),
            Err(fault) => self.deliver(key, index, Err(fault.into()), Served::here(now, 0)),
        }
        true
    }

    /// The machine, input and item of a branch.
    pub(super) fn beginning(&self, fan: &FanOut, index: u64) -> Result<Beginning, TaskError> {
        let parent = self.branches.get(fan.parent).ok_or_else(gone)?;
        let state = state_of(&self.definition, parent).ok_or_else(gone)?;
        let machine = fan.machine(index).ok_or_else(gone)?;
        let seed = fan.branch_seed(index);
        let random = Random::new(seed);
        let variables = parent.variables.clone();
        let items = match &fan.work {
            Work::Machines(_) => {
                let (input, item) = (fan.data.clone(), parent.item.clone());
                return Ok(Beginning {
                    machine,
                    input,
                    item,
                    variables,
                    seed,
                    random,
                });
            }
            Work::Lent { branches, .. } => {
                let branch = branches.get(&index).ok_or_else(gone)?;
                let scope = scope::unpack(&branch.scope)
                    .map_err(|failed| TaskError::new(&failed.error, failed.cause))?;
                return Ok(Beginning {
                    machine,
                    input: branch.input.node.clone(),
                    item: scope.item,
                    variables: scope.variables,
                    seed: scope.seed,
                    random: scope.random,
                });
            }
            Work::Items { items, .. } => items.as_array().unwrap_or(&[]),
        };
        let place = usize::try_from(index).unwrap_or(usize::MAX);
        let value = items.get(place).ok_or_else(gone)?.unparsed();
        let item = Item { index, value };
        let Kind::Map(map) = &state.kind else {
            return Err(gone());
        };
        let input = match &map.selector {
            None => item.value.clone(),
            Some(selector) => {
                let world = World {
                    fixed: &self.fixed,
                    state: &state.name,
                    entered_ns: parent.entered_ns,
                    retries: parent.retries,
                    item: Some(&item),
                    variables: &parent.variables,
                    made: OnceCell::new(),
                };
                let limit = self.data_limit;
                let scope = Scope {
                    data: &fan.data,
                    roots: &world,
                    random: &random,
                    limit,
                };
                let input = selector.eval(&scope)?;
                self.fits(&input)?;
                input
            }
        };
        Ok(Beginning {
            machine,
            input,
            item: Some(item),
            variables,
            seed,
            random,
        })
    }
}

/// What the definition or another part of the execution guarantees is not there.
fn gone() -> TaskError {
    TaskError::runtime("a part of the fan-out is gone; this is a bug of Keylane")
}
