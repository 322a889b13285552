//! After a state's work: its result becomes its output. Also waiting, and the words of a failure.

use super::branch::{Branch, Broken, Phase};
use super::event::Event;
use super::execution::{CallId, Execution};
use super::slab::Key;
use super::step::{Flow, placed, state_of};
use crate::definition::{Kind, State, Target, Wait, Words};
use crate::fault::{self, TaskError};
use crate::json::{Data, Node};
use crate::time;

impl Execution {
    /// Makes the output of a Task, Parallel or Map from its result.
    pub(super) fn finish(
        &mut self,
        key: Key,
        state: &State,
        result: Node,
    ) -> Result<Flow, TaskError> {
        let (Some(branch), Some(work)) = (self.branches.get(key), state.kind.work()) else {
            return Ok(Flow::Blocked);
        };
        self.fits(&result)?;
        let result = match &state.kind {
            Kind::Task(task) => match task.target {
                Target::Function(_) => result,
                Target::Invoke(_) | Target::InvokeNamed => Node::object(vec![
                    ("ExecutedVersion".into(), Node::string("$LATEST")),
                    ("Payload".into(), result),
                    ("StatusCode".into(), Node::int(200)),
                ]),
            },
            _ => result,
        };
        let selected = match &work.selector {
            Some(selector) => self.eval(branch, state, &result, selector)?,
            None => result.clone(),
        };
        let output = placed(&work.place, &branch.input, &selected)?;
        let output = self.select(branch, state, &output, &state.output)?;
        self.assign(key, state, &result, state.assign.as_ref())?;
        Ok(Flow::Leave(output, None))
    }

    /// A call ended that this branch waits for.
    pub(super) fn completed(&mut self, key: Key, id: CallId, result: Result<Data, TaskError>) {
        self.set_timer(key, None);
        let definition = self.definition.clone();
        let at_ns = self.now;
        let Some(branch) = self.branches.get_mut(key) else {
            return;
        };
        let Phase::Calling { function, .. } = branch.phase else {
            return;
        };
        let Some(state) = state_of(&definition, branch) else {
            return;
        };
        let number = branch.number;
        let error = result
            .as_ref()
            .err()
            .map(|fault| (fault.error.clone(), fault.cause.clone()));
        branch.phase = match result {
            Ok(data) => Phase::Result(data.node),
            Err(fault) => Phase::Error(Broken {
                fault,
                function: Some(function),
                origin: None,
            }),
        };
        self.ready.push_back(key);
        self.tell(
            || Event::TaskEnded {
                branch: number,
                pointer: state.pointer.clone(),
                call: id.0,
                function,
                error,
                at_ns,
            },
            false,
        );
    }

    /// The timer of a branch rang.
    pub(super) fn rung(&mut self, key: Key) {
        let Some(branch) = self.branches.get_mut(key) else {
            return;
        };
        match std::mem::replace(&mut branch.phase, Phase::Work) {
            Phase::Waiting(output) => self.waited(key, output),
            Phase::Backing => self.ready.push_back(key),
            other => {
                let call = match &other {
                    Phase::Calling { call, .. } => Some(*call),
                    _ => None,
                };
                branch.phase = other;
                if let Some(call) = call {
                    self.timed_out(key, call);
                }
            }
        }
    }

    fn waited(&mut self, key: Key, output: Node) {
        let definition = self.definition.clone();
        let Some(state) = self
            .branches
            .get(key)
            .and_then(|b| state_of(&definition, b))
        else {
            return;
        };
        match self.fits(&output) {
            Ok(()) => self.leave(key, state, output, None, false),
            Err(fault) => self.failed(key, state, fault.into()),
        }
    }

    fn timed_out(&mut self, key: Key, call: Key) {
        let id = CallId(call.number());
        if self.calls.remove(call).is_none() {
            return;
        }
        self.cancels.push_back(id);
        let cause = "the task ran into its TimeoutSeconds";
        self.completed(key, id, Err(TaskError::new(fault::TIMEOUT, cause)));
    }

    /// When a Wait is over.
    pub(super) fn until(
        &self,
        branch: &Branch,
        state: &State,
        data: &Node,
        wait: &Wait,
    ) -> Result<u64, TaskError> {
        let instant = match wait {
            Wait::Seconds(amount) => {
                let bounds = 0.0..=99_999_999.0;
                let amount = (amount, "SecondsPath");
                let seconds = self.amount(branch, state, data, amount, bounds)?;
                return Ok(self.now.saturating_add(time::seconds(seconds)));
            }
            Wait::Until(instant) => *instant,
            Wait::UntilPath(expression) => {
                let found = self.expression(branch, state, data, expression)?;
                found.as_str().and_then(time::parse).ok_or_else(|| {
                    let cause = "`TimestampPath` must select a timestamp such as \
                                 2016-08-18T17:33:00Z";
                    TaskError::runtime(cause)
                })?
            }
        };
        // Before the epoch is long ago; beyond the clock is never.
        Ok(u64::try_from(instant.max(0)).unwrap_or(u64::MAX))
    }

    /// `Error` and `Cause` of a Fail state.
    pub(super) fn words(
        &self,
        branch: &Branch,
        state: &State,
        data: &Node,
        (words, name): (&Words, &str),
    ) -> Result<String, TaskError> {
        match words {
            Words::Absent => Ok(String::new()),
            Words::Fixed(text) => Ok(text.clone()),
            Words::At(expression) => {
                let found = self.expression(branch, state, data, expression)?;
                match found.as_str() {
                    Some(text) => Ok(text.to_owned()),
                    None => Err(TaskError::runtime(format!("`{name}` must select a string"))),
                }
            }
        }
    }
}
