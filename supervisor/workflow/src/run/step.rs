//! One step of one branch.

use super::branch::{Branch, Broken, Phase};
use super::context::World;
use super::event::Event;
use super::execution::{Call, CallId, Execution};
use super::slab::Key;
use crate::definition::{Amount, Definition, Kind, ResultPlace, Select, State, Target, Task};
use crate::expression::{Expression, Scope, Template};
use crate::fault::{self, TaskError};
use crate::json::{Data, Node};
use crate::time;
use keylane_policy::limit::{VARIABLES_BYTES, VARIABLES_FACTOR};
use std::cell::OnceCell;
use std::sync::Arc;

/// The state in which a branch is.
pub(super) fn state_of<'d>(definition: &'d Definition, branch: &Branch) -> Option<&'d State> {
    definition
        .machines
        .get(branch.machine)?
        .states
        .get(branch.state)
}

/// What a branch does after a step.
pub(super) enum Flow {
    /// The state is over with this output, and leads to its next one or to another.
    Leave(Node, Option<usize>),
    Call(Call),
    /// It waits for something that will make it ready.
    Blocked,
}

impl Execution {
    /// Lets a branch go on; the call that it makes, if it makes one.
    pub(super) fn step(&mut self, key: Key) -> Option<Call> {
        let definition = self.definition.clone();
        let branch = self.branches.get_mut(key)?;
        let state = state_of(&definition, branch)?;
        let phase = std::mem::replace(&mut branch.phase, Phase::Work);
        let flow = match phase {
            Phase::Enter => {
                self.enter(key, state);
                self.work(key, state).map_err(Broken::from)
            }
            Phase::Work => self.work(key, state).map_err(Broken::from),
            Phase::Result(result) => self.finish(key, state, result).map_err(Broken::from),
            Phase::Error(broken) => Err(broken),
            waiting @ (Phase::Calling { .. }
            | Phase::Fanned(_)
            | Phase::Waiting(_)
            | Phase::Backing) => {
                branch.phase = waiting;
                return None;
            }
        };
        match flow {
            Ok(Flow::Call(call)) => return Some(call),
            Ok(Flow::Blocked) => {}
            Ok(Flow::Leave(output, jump)) => match self.fits(&output) {
                Ok(()) => self.leave(key, state, output, jump, false),
                Err(fault) => self.failed(key, state, fault.into()),
            },
            Err(broken) => self.failed(key, state, broken),
        }
        None
    }

    /// Whether a branch's next step may make a call.
    pub(super) fn is_about_to_call(&self, key: Key) -> bool {
        let branch = self.branches.get(key);
        let state = branch.and_then(|branch| state_of(&self.definition, branch));
        let task = state.is_some_and(|state| matches!(state.kind, Kind::Task(_)));
        task && branch.is_some_and(|b| matches!(b.phase, Phase::Enter | Phase::Work))
    }

    /// Refuses data that has grown beyond the limits.
    pub(super) fn fits(&self, node: &Node) -> Result<(), TaskError> {
        if node.size() > self.data_limit {
            let cause = format!(
                "the state's data has {} bytes, more than the limit of {}",
                node.size(),
                self.data_limit
            );
            return Err(TaskError::new(fault::DATA_LIMIT, cause));
        }
        if node.is_too_deep() {
            let levels = keylane_policy::limit::JSON_DEPTH;
            let cause = format!("the state's data is nested deeper than {levels} levels");
            return Err(TaskError::new(fault::DATA_LIMIT, cause));
        }
        Ok(())
    }

    fn enter(&mut self, key: Key, state: &State) {
        let now = self.now;
        let Some(branch) = self.branches.get_mut(key) else {
            return;
        };
        branch.entered_ns = now;
        branch.retries = 0;
        branch.attempts.clear();
        let number = branch.number;
        let input = branch.input.clone();
        self.tell(
            || Event::StateEntered {
                branch: number,
                pointer: state.pointer.clone(),
                state: state.name.clone(),
                kind: state.kind.name(),
                input: Data::from_node(input),
                at_ns: now,
            },
            false,
        );
    }

    /// Ends a state: the branch goes on to the next one, or is over.
    pub(super) fn leave(
        &mut self,
        key: Key,
        state: &State,
        output: Node,
        jump: Option<usize>,
        caught: bool,
    ) {
        let now = self.now;
        let Some(branch) = self.branches.get_mut(key) else {
            return;
        };
        let number = branch.number;
        let told = output.clone();
        let next = jump.or(state.next);
        if let Some(next) = next {
            branch.state = next;
            branch.input = output.clone();
            branch.phase = Phase::Enter;
            self.ready.push_back(key);
        }
        self.tell(
            || Event::StateExited {
                branch: number,
                pointer: state.pointer.clone(),
                state: state.name.clone(),
                kind: state.kind.name(),
                output: Data::from_node(told),
                caught,
                at_ns: now,
            },
            false,
        );
        if next.is_none() {
            self.branch_over(key, Ok(output));
        }
    }

    /// Evaluates something on the paths of a branch's state.
    pub(super) fn with_scope<T>(
        &self,
        branch: &Branch,
        state: &State,
        data: &Node,
        evaluate: impl FnOnce(&Scope<'_>) -> T,
    ) -> T {
        let world = World {
            fixed: &self.fixed,
            state: &state.name,
            entered_ns: branch.entered_ns,
            retries: branch.retries,
            item: branch.item.as_ref(),
            variables: &branch.variables,
            made: OnceCell::new(),
        };
        evaluate(&Scope {
            data,
            roots: &world,
            random: &branch.random,
            limit: self.data_limit,
        })
    }

    pub(super) fn eval(
        &self,
        branch: &Branch,
        state: &State,
        data: &Node,
        template: &Template,
    ) -> Result<Node, TaskError> {
        self.with_scope(branch, state, data, |scope| template.eval(scope))
    }

    pub(super) fn expression(
        &self,
        branch: &Branch,
        state: &State,
        data: &Node,
        expression: &Expression,
    ) -> Result<Node, TaskError> {
        self.with_scope(branch, state, data, |scope| expression.eval(scope))
    }

    /// `InputPath`, `OutputPath`.
    pub(super) fn select(
        &self,
        branch: &Branch,
        state: &State,
        data: &Node,
        select: &Select,
    ) -> Result<Node, TaskError> {
        match select {
            Select::Whole => Ok(data.clone()),
            Select::Nothing => Ok(Node::object(Vec::new())),
            Select::At(expression) => self.expression(branch, state, data, expression),
        }
    }

    /// A number of the definition or of the data, within bounds.
    pub(super) fn amount(
        &self,
        branch: &Branch,
        state: &State,
        data: &Node,
        (amount, name): (&Amount, &str),
        bounds: std::ops::RangeInclusive<f64>,
    ) -> Result<f64, TaskError> {
        let expression = match amount {
            Amount::Fixed(fixed) => return Ok(*fixed),
            Amount::At(expression) => expression,
        };
        let found = self.expression(branch, state, data, expression)?;
        let number = found.as_number().map(crate::json::Number::as_f64);
        match number.filter(|number| bounds.contains(number)) {
            Some(number) => Ok(number),
            None => Err(TaskError::runtime(format!(
                "`{name}` must select a number from {} to {}",
                bounds.start(),
                bounds.end()
            ))),
        }
    }

    /// Sets the variables of an `Assign`.
    pub(super) fn assign(
        &mut self,
        key: Key,
        state: &State,
        data: &Node,
        assign: Option<&Template>,
    ) -> Result<(), TaskError> {
        let Some(template) = assign else {
            return Ok(());
        };
        let Some(branch) = self.branches.get(key) else {
            return Ok(());
        };
        let assigned = self.eval(branch, state, data, template)?;
        self.fits(&assigned)?;
        let most = self.data_limit.min(VARIABLES_BYTES);
        if assigned.size() > most {
            let cause = format!("`Assign` makes more than the limit of {most} bytes");
            return Err(TaskError::new(fault::DATA_LIMIT, cause));
        }
        let members = assigned
            .as_object()
            .map_or(&[][..], |object| object.members());
        let bytes = |node: Option<&Node>| node.map_or(0, Node::size);
        let more: usize = members.iter().map(|(_, value)| bytes(Some(value))).sum();
        let less = members
            .iter()
            .map(|(name, _)| bytes(branch.variables.get(name)));
        let less = less.sum::<usize>().min(branch.stored);
        let most = most.saturating_mul(VARIABLES_FACTOR);
        if self.stored.saturating_sub(less).saturating_add(more) > most {
            let cause = format!("all variables together have more than the limit of {most} bytes");
            return Err(TaskError::new(fault::DATA_LIMIT, cause));
        }
        self.stored = self.stored.saturating_sub(less).saturating_add(more);
        let Some(branch) = self.branches.get_mut(key) else {
            return Ok(());
        };
        branch.stored = branch.stored.saturating_sub(less).saturating_add(more);
        let variables = Arc::make_mut(&mut branch.variables);
        for (name, value) in members {
            variables.insert(name.clone(), value.settled());
        }
        Ok(())
    }

    /// Does the work of a branch's state.
    fn work(&mut self, key: Key, state: &State) -> Result<Flow, TaskError> {
        let Some(branch) = self.branches.get(key) else {
            return Ok(Flow::Blocked);
        };
        let data = self.select(branch, state, &branch.input, &state.input)?;
        match &state.kind {
            Kind::Task(task) => self.call(key, state, task, data),
            Kind::Parallel { branches, work } => {
                let data = match &work.parameters {
                    Some(parameters) => self.eval(branch, state, &data, parameters)?,
                    None => data,
                };
                self.fits(&data)?;
                self.fan_parallel(key, state, branches, data)
            }
            Kind::Map(map) => self.fan_map(key, state, map, data),
            Kind::Pass {
                parameters,
                result,
                place,
            } => {
                let template = result.as_ref().or(parameters.as_ref());
                let result = match template {
                    Some(template) => self.eval(branch, state, &data, template)?,
                    None => data,
                };
                let output = placed(place, &branch.input, &result)?;
                self.assign(key, state, &result, state.assign.as_ref())?;
                self.output(key, state, output)
                    .map(|output| Flow::Leave(output, None))
            }
            Kind::Choice { rules, default } => {
                let output = self.select(branch, state, &data, &state.output)?;
                let chosen = self.with_scope(branch, state, &data, |scope| {
                    super::choice::choose(rules, scope)
                })?;
                let (next, assign) = match chosen {
                    Some(rule) => (Some(rule.next), rule.assign.as_ref()),
                    None => (*default, state.assign.as_ref()),
                };
                let Some(next) = next else {
                    let cause = "no rule matches and there is no Default";
                    return Err(TaskError::new(fault::NO_CHOICE, cause));
                };
                self.assign(key, state, &data, assign)?;
                Ok(Flow::Leave(output, Some(next)))
            }
            Kind::Wait(wait) => {
                let until = self.until(branch, state, &data, wait)?;
                self.assign(key, state, &data, state.assign.as_ref())?;
                let output = self.output(key, state, data)?;
                if until <= self.now {
                    return Ok(Flow::Leave(output, None));
                }
                if let Some(branch) = self.branches.get_mut(key) {
                    branch.phase = Phase::Waiting(output);
                }
                self.set_timer(key, Some(until));
                Ok(Flow::Blocked)
            }
            Kind::Succeed => self
                .output(key, state, data)
                .map(|output| Flow::Leave(output, None)),
            Kind::Fail { error, cause } => {
                let error = self.words(branch, state, &data, (error, "ErrorPath"))?;
                let cause = self.words(branch, state, &data, (cause, "CausePath"))?;
                Err(TaskError { error, cause })
            }
        }
    }

    pub(super) fn output(&self, key: Key, state: &State, data: Node) -> Result<Node, TaskError> {
        match self.branches.get(key) {
            Some(branch) => self.select(branch, state, &data, &state.output),
            None => Ok(data),
        }
    }

    /// Calls a Task's function.
    fn call(
        &mut self,
        key: Key,
        state: &State,
        task: &Task,
        data: Node,
    ) -> Result<Flow, TaskError> {
        let Some(branch) = self.branches.get(key) else {
            return Ok(Flow::Blocked);
        };
        let seconds = 1.0..=99_999_999.0;
        let timeout = match &task.timeout {
            None => None,
            Some(amount) => Some(self.amount(
                branch,
                state,
                &data,
                (amount, "TimeoutSecondsPath"),
                seconds.clone(),
            )?),
        };
        let heartbeat = match &task.heartbeat {
            None => None,
            Some(amount) => Some(self.amount(
                branch,
                state,
                &data,
                (amount, "HeartbeatSecondsPath"),
                seconds,
            )?),
        };
        if let (Some(heartbeat), Some(timeout)) = (heartbeat, timeout)
            && heartbeat >= timeout
        {
            let cause = "the heartbeat interval must be less than the timeout";
            return Err(TaskError::runtime(cause));
        }
        let event = match &task.work.parameters {
            Some(parameters) => self.eval(branch, state, &data, parameters)?,
            None => data,
        };
        let (function, event) = self.target(task, event)?;
        self.fits(&event)?;
        let state_deadline = timeout.map(|seconds| self.now.saturating_add(time::seconds(seconds)));
        let deadline_ns = state_deadline.into_iter().chain(self.deadline).min();
        let number = branch.number;
        let call = self.calls.insert(key);
        if let Some(branch) = self.branches.get_mut(key) {
            branch.phase = Phase::Calling { call, function };
        }
        self.set_timer(key, state_deadline);
        let id = CallId(call.number());
        let input = Data::from_node(event);
        let at_ns = self.now;
        self.tell(
            || Event::TaskScheduled {
                branch: number,
                pointer: state.pointer.clone(),
                call: id.0,
                function,
                input: input.clone(),
                at_ns,
            },
            false,
        );
        Ok(Flow::Call(Call {
            id,
            function,
            input,
            deadline_ns,
            heartbeat_ns: heartbeat.map(time::seconds),
        }))
    }

    /// The function that a Task calls, and the event that it gets.
    fn target(&self, task: &Task, parameters: Node) -> Result<(u16, Node), TaskError> {
        let function = match &task.target {
            Target::Function(function) => return Ok((*function, parameters)),
            Target::Invoke(function) => *function,
            Target::InvokeNamed => {
                let named = parameters
                    .get("FunctionName")
                    .and_then(Node::as_str)
                    .unwrap_or("");
                let name = crate::definition::function_name(named);
                let place = self
                    .definition
                    .functions
                    .iter()
                    .position(|known| known == name);
                place
                    .and_then(|place| u16::try_from(place).ok())
                    .ok_or_else(|| {
                        let cause = format!("the project defines no function {named:?}");
                        TaskError::new(fault::NO_FUNCTION, cause)
                    })?
            }
        };
        let payload = parameters.get("Payload").cloned();
        Ok((
            function,
            payload.unwrap_or_else(|| Node::object(Vec::new())),
        ))
    }
}

/// `ResultPath`.
pub(super) fn placed(place: &ResultPlace, input: &Node, result: &Node) -> Result<Node, TaskError> {
    match place {
        ResultPlace::Nowhere => Ok(input.clone()),
        ResultPlace::At(reference) => reference
            .put(input, result.clone())
            .map_err(|cause| TaskError::new(fault::RESULT_PATH, cause)),
    }
}
