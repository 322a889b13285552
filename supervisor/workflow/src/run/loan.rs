//! Branches that other lanes run.

use super::execution::{Execution, Failed};
use super::fan::{FanId, Work};
use super::scope;
use super::slab::Key;
use crate::definition::Definition;
use crate::fault::TaskError;
use crate::json::Data;
use std::sync::Arc;

/// Branches of one fan-out, all for the same machine.
#[derive(Clone, Debug)]
pub struct Loan {
    /// JSON pointer of the machine in the definition.
    pub machine: String,
    /// The branches.
    pub branches: Vec<LoanBranch>,
}

/// One branch for another lane.
#[derive(Clone, Debug)]
pub struct LoanBranch {
    /// Its place in the fan-out.
    pub index: u64,
    /// Its effective input.
    pub input: Data,
    /// What else it may read, for [`Execution::branch`] alone.
    pub scope: Vec<u8>,
}

impl Execution {
    /// An execution of one branch that another lane lent. Its output, or its error, is to be
    /// repaid there.
    pub fn branch(
        definition: Arc<Definition>,
        machine: &str,
        scope: &[u8],
        input: Data,
    ) -> Result<Execution, Failed> {
        let number = definition.machine_at(machine).ok_or_else(|| {
            scope::refused(format!("the definition has no machine at {machine:?}"))
        })?;
        let scope = scope::unpack(scope)?;
        let mut execution = Execution::idle(definition, scope.fixed, scope.data_limit, scope.now);
        execution.deadline = scope.deadline;
        let root = execution.root(
            number,
            input.node,
            scope.variables,
            scope.seed,
            scope.random,
        );
        if let Some(branch) = execution.branches.get_mut(root) {
            branch.item = scope.item;
        }
        Ok(execution)
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
        Some(Loan { machine, branches })
    }

    /// Tells how a lent branch ended. One that is not lent (any more) is ignored.
    pub fn repay(&mut self, fan: FanId, index: u64, result: Result<Data, TaskError>, now_ns: u64) {
        self.now = self.now.max(now_ns);
        let key = Key::from_number(fan.0);
        let Some(since) = self
            .fans
            .get_mut(key)
            .and_then(|fan| fan.lent.remove(&index))
        else {
            return;
        };
        let result = result
            .map(|data| data.node)
            .and_then(|node| self.fits(&node).map(|()| node));
        self.deliver(key, index, result.map_err(Into::into), since, true);
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
