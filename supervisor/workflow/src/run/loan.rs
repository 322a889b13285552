//! Branches that other lanes run.

use super::branch::Phase;
use super::execution::{Execution, Failed};
use super::fan::{FanId, FanOut, Work};
use super::scope;
use super::slab::Key;
use super::stop::Served;
use crate::definition::Definition;
use crate::json::{Data, Node};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Branches of one fan-out, all for the same machine.
#[derive(Clone, Debug)]
pub struct Loan {
    /// JSON pointer of the machine in the definition.
    pub machine: String,
    /// The branches.
    pub branches: Vec<LoanBranch>,
    /// Whether the others go on when one of them fails: the state tolerates failures.
    pub tolerant: bool,
}

/// One branch for another lane.
#[derive(Clone, Debug)]
pub struct LoanBranch {
    /// Its place in the fan-out.
    pub index: u64,
    /// Its effective input.
    pub input: Data,
    /// What else it may read, for [`Execution::borrow`] alone.
    pub scope: Vec<u8>,
}

impl Execution {
    /// An execution of branches that another lane lent: they run like branches of a fan-out of its
    /// own, which is the second value, and [`Execution::take_borrowed`] tells how each ended. It is
    /// over when all have ended, or when one has failed whose siblings are stopped; those are not
    /// told of.
    pub fn borrow(definition: Arc<Definition>, loan: Loan) -> Result<(Execution, FanId), Failed> {
        let pointer = loan.machine;
        let machine = definition.machine_at(&pointer).ok_or_else(|| {
            scope::refused(format!("the definition has no machine at {pointer:?}"))
        })?;
        let Some(first) = loan.branches.first() else {
            return Err(scope::refused("there is none"));
        };
        // What is not a branch's own is the same in all of them.
        let scope = scope::unpack(&first.scope)?;
        let mut execution = Execution::idle(definition, scope.fixed, scope.data_limit, scope.now);
        execution.deadline = scope.deadline;
        let parent = execution.root(machine, Node::Null, scope.variables, 0, scope.random);
        execution.ready.clear();
        let branches: BTreeMap<u64, LoanBranch> = loan
            .branches
            .into_iter()
            .map(|branch| (branch.index, branch))
            .collect();
        let fan = execution.fans.insert(FanOut {
            parent,
            pointer: pointer.into(),
            state: "".into(),
            total: u64::try_from(branches.len()).unwrap_or(u64::MAX),
            order: Vec::new(),
            waiters: 0,
            next: 0,
            end: 0,
            // The last is the first to start.
            returned: branches.keys().rev().copied().collect(),
            work: Work::Lent { machine, branches },
            data: Node::Null,
            running: 0,
            lent: BTreeMap::new(),
            finished: 0,
            // The lender's concurrency let them all go.
            cap: u64::MAX,
            failures: 0,
            tolerated: loan.tolerant.then_some(u64::MAX),
            results: Vec::new(),
            collected: 0,
            live: Vec::new(),
            depth: 0,
            age: 0,
            seed: (0, 0),
        });
        execution.startable.insert((0, 0, fan));
        if let Some(branch) = execution.branches.get_mut(parent) {
            branch.phase = Phase::Fanned(fan);
        }
        Ok((execution, FanId(fan.number())))
    }

    /// How lent branches ended since the last time, by their place in the lender's fan-out.
    pub fn take_borrowed(&mut self) -> Vec<(u64, Result<Data, Failed>)> {
        std::mem::take(&mut self.borrowed)
            .into_iter()
            .map(|(index, result)| (index, result.map(Data::from_node).map_err(Failed::from)))
            .collect()
    }

    /// Takes up to `max` branches, from the end of those that have not started, to be run by
    /// another lane; as many as the state's MaxConcurrency allows. None if there are none.
    pub fn lend(&mut self, fan: FanId, max: usize) -> Option<Loan> {
        let key = Key::from_number(fan.0);
        let now = self.now;
        let mut loan: Option<(usize, Vec<LoanBranch>)> = None;
        for _ in 0..max {
            let out = self.fans.get_mut(key)?;
            if out.startable() == 0 {
                break;
            }
            let Some(index) = out.take_last() else { break };
            let out = self.fans.get(key)?;
            let packed = self.beginning(out, index).ok().and_then(|beginning| {
                let machine = beginning.machine;
                let (input, scope) = scope::pack(self, out, beginning)?;
                Some((
                    machine,
                    LoanBranch {
                        index,
                        input,
                        scope,
                    },
                ))
            });
            let out = self.fans.get_mut(key)?;
            let Some((machine, branch)) = packed else {
                // It cannot begin: here it will fail as it must.
                out.returned.push(index);
                break;
            };
            out.running += 1;
            out.lent.insert(index, now);
            let (_, branches) = loan.get_or_insert_with(|| (machine, Vec::new()));
            branches.push(branch);
            if matches!(out.work, Work::Machines(_)) {
                break;
            }
        }
        let (machine, branches) = loan?;
        let machine = self.definition.machines.get(machine)?.pointer.to_string();
        let tolerant = self.fans.get(key)?.tolerated.is_some();
        Some(Loan {
            machine,
            branches,
            tolerant,
        })
    }

    /// Tells how a lent branch ended, with the state of the definition in which its error arose. One
    /// that is not lent (any more) is ignored.
    pub fn repay(&mut self, fan: FanId, index: u64, result: Result<Data, Failed>, now_ns: u64) {
        self.now = self.now.max(now_ns);
        let key = Key::from_number(fan.0);
        let Some(since) = self
            .fans
            .get_mut(key)
            .and_then(|fan| fan.lent.remove(&index))
        else {
            return;
        };
        let result = match result {
            Ok(data) => match self.fits(&data.node) {
                Ok(()) => Ok(data.node),
                Err(fault) => Err(fault.into()),
            },
            Err(failed) => Err(failed.into()),
        };
        self.deliver(key, index, result, Served::elsewhere(since));
    }

    /// Takes a lent branch back as one that has not started: the borrower is gone.
    pub fn unlend(&mut self, fan: FanId, index: u64) {
        let key = Key::from_number(fan.0);
        let Some(fan) = self.fans.get_mut(key) else {
            return;
        };
        if fan.lent.remove(&index).is_none() {
            return;
        }
        fan.running = fan.running.saturating_sub(1);
        fan.returned.push(index);
        self.startable.insert((fan.depth, fan.age, key));
    }
}
