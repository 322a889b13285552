//! Ends: of branches, of fan-outs, of the execution.

use super::branch::{Branch, Broken, Phase};
use super::event::Event;
use super::execution::{CallId, Execution};
use super::fail::ends_everything;
use super::fan::{FanId, Work};
use super::slab::{Key, Slab};
use crate::json::{Data, Node};

/// Where and when a branch of a fan-out ran.
#[derive(Clone, Copy)]
pub(super) struct Served {
    started_ns: u64,
    worked_ns: u64,
    lent: bool,
}

impl Served {
    /// In this execution, since then, with so much work.
    pub(super) fn here(started_ns: u64, worked_ns: u64) -> Served {
        Served {
            started_ns,
            worked_ns,
            lent: false,
        }
    }

    /// In another lane, which has it since then.
    pub(super) fn elsewhere(started_ns: u64) -> Served {
        Served {
            started_ns,
            worked_ns: 0,
            lent: true,
        }
    }
}

impl Execution {
    /// A branch is over.
    pub(super) fn branch_over(&mut self, key: Key, result: Result<Node, Broken>) {
        let Some(branch) = self.forget(key) else {
            return;
        };
        match branch.parent {
            None => self.end(result),
            Some((fan, index)) => {
                self.unlist(fan, branch.live_place);
                let served = Served::here(branch.started_ns, branch.worked_ns);
                self.deliver(fan, index, result, served);
            }
        }
    }

    /// Removes a branch with its timer and its call.
    fn forget(&mut self, key: Key) -> Option<Branch> {
        self.set_timer(key, None);
        let branch = self.branches.remove(key)?;
        self.stored = self.stored.saturating_sub(branch.stored);
        if let Phase::Calling { call, .. } = branch.phase
            && self.calls.remove(call).is_some()
        {
            self.cancels.push_back(CallId(call.number()));
        }
        Some(branch)
    }

    /// Takes a branch off its fan-out's list; the last of the list takes its place.
    fn unlist(&mut self, fan: Key, place: usize) {
        let Some(fan) = self.fans.get_mut(fan) else {
            return;
        };
        if place >= fan.live.len() {
            return;
        }
        fan.live.swap_remove(place);
        if let Some(moved) = fan
            .live
            .get(place)
            .and_then(|moved| self.branches.get_mut(*moved))
        {
            moved.live_place = place;
        }
    }

    /// A branch of a fan-out has ended, here or elsewhere.
    pub(super) fn deliver(
        &mut self,
        key: Key,
        index: u64,
        result: Result<Node, Broken>,
        served: Served,
    ) {
        let ended_ns = self.now;
        let failed = result.is_err();
        let limit = self.data_limit;
        let Some(fan) = self.fans.get_mut(key) else {
            return;
        };
        if let Some(parent) = self.branches.get_mut(fan.parent) {
            parent.worked_ns = parent.worked_ns.saturating_add(served.worked_ns);
        }
        let capped = !fan.eager();
        fan.running = fan.running.saturating_sub(1);
        fan.finished += 1;
        let broken = if let Work::Lent { .. } = fan.work {
            let broken = result
                .as_ref()
                .err()
                .filter(|broken| fan.tolerated.is_none() || ends_everything(&broken.fault))
                .cloned();
            self.borrowed.push((index, result));
            broken
        } else {
            match result {
                Ok(output) => fan.keep(index, output.settled(), limit),
                Err(broken) => fan.tolerate(index, broken, limit),
            }
        };
        let complete = fan.finished == fan.total;
        let entry = (fan.depth, fan.age, key);
        let more = fan.startable() > 0;
        let eager = capped && fan.eager();
        self.tell(
            || Event::BranchEnded {
                fan: FanId(key.number()),
                index,
                started_ns: served.started_ns,
                ended_ns,
                worked_ns: served.worked_ns,
                failed,
                lent: served.lent,
            },
            true,
        );
        match broken {
            Some(broken) => self.fan_failed(key, broken),
            None if complete => self.fan_complete(key),
            None if more => {
                self.startable.insert(entry);
                if eager {
                    self.eager.push(key);
                }
            }
            None => {}
        }
    }

    /// Hands a fan-out's results to the branch that waits for them.
    pub(super) fn fan_complete(&mut self, key: Key) {
        let Some(fan) = self.fans.remove(key) else {
            return;
        };
        self.startable.remove(&(fan.depth, fan.age, key));
        let results = fan
            .results
            .into_iter()
            .map(|result| result.unwrap_or(Node::Null))
            .collect();
        if let Work::Lent { .. } = fan.work {
            // Nothing follows here: the lender has the state.
            return self.end(Ok(Node::Null));
        }
        if let Some(parent) = self.branches.get_mut(fan.parent) {
            parent.phase = Phase::Result(Node::array(results));
            self.ready.push_back(fan.parent);
        }
        self.tell_fan_ended(key, fan.pointer, fan.total, false);
    }

    /// A branch's failure ends its fan-out; the branch that waits for it decides what follows.
    fn fan_failed(&mut self, key: Key, broken: Broken) {
        let Some(fan) = self.fans.get(key) else {
            return;
        };
        let parent = fan.parent;
        if let Work::Lent { .. } = fan.work {
            return self.end(Err(broken));
        }
        self.stop_fan(key);
        if let Some(branch) = self.branches.get_mut(parent) {
            branch.phase = Phase::Error(broken);
            self.ready.push_back(parent);
        }
    }

    /// Ends a fan-out with everything in it.
    fn stop_fan(&mut self, key: Key) {
        let mut waiting = vec![key];
        while let Some(key) = waiting.pop() {
            let Some(fan) = self.fans.remove(key) else {
                continue;
            };
            self.startable.remove(&(fan.depth, fan.age, key));
            for branch in fan.live {
                if let Some(Branch {
                    phase: Phase::Fanned(inner),
                    ..
                }) = self.forget(branch)
                {
                    waiting.push(inner);
                }
            }
            self.tell_fan_ended(key, fan.pointer, fan.total, true);
        }
    }

    fn tell_fan_ended(&mut self, key: Key, pointer: std::sync::Arc<str>, total: u64, failed: bool) {
        let at_ns = self.now;
        let fan = FanId(key.number());
        self.tell(
            || Event::FanEnded {
                fan,
                pointer,
                total,
                failed,
                at_ns,
            },
            true,
        );
    }

    /// Ends the execution.
    pub(super) fn end(&mut self, result: Result<Node, Broken>) {
        let calls: Vec<CallId> = self
            .calls
            .iter()
            .map(|(key, _)| CallId(key.number()))
            .collect();
        self.cancels.extend(calls);
        let fans: Vec<Key> = self.fans.iter().map(|(key, _)| key).collect();
        for key in fans {
            if let Some(fan) = self.fans.remove(key)
                && !matches!(fan.work, Work::Lent { .. })
            {
                self.tell_fan_ended(key, fan.pointer, fan.total, true);
            }
        }
        // Nothing is asked for any more, so no key of these can come back to life.
        self.calls = Slab::new();
        self.branches = Slab::new();
        self.ready.clear();
        self.about_to_call.clear();
        self.startable.clear();
        self.eager.clear();
        self.timers.clear();
        self.outcome = Some(match result {
            Ok(output) => Ok(Data::from_node(output)),
            Err(broken) => Err(broken.into()),
        });
    }
}
