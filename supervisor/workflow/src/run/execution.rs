//! An execution and what its host sees of it.

use super::branch::{Branch, Broken, Phase};
use super::context::{Fixed, Variables};
use super::event::{Detail, Event};
use super::fan::FanOut;
use super::slab::{Key, Slab};
use crate::definition::Definition;
use crate::fault::{self, TaskError};
use crate::json::{Data, Node};
use crate::random::Random;
use crate::time::SECOND;
use keylane_policy::limit::PAYLOAD_BYTES;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// Steps that one poll makes before it returns to the host, so that states which lead to each
/// other for ever cannot hold it.
const STEPS: usize = 1000;

/// What an execution is called, and where its time and its random numbers begin.
#[derive(Clone, Debug)]
pub struct Context {
    /// Its name, `$$.Execution.Name`.
    pub execution_name: String,
    /// The workflow's name, `$$.StateMachine.Name`.
    pub workflow_name: String,
    /// When it started, in nanoseconds since the epoch.
    pub started_ns: u64,
    /// The seed of its random numbers.
    pub seed: u64,
    /// Bytes that a state's data may have.
    pub data_limit: usize,
}

impl Default for Context {
    fn default() -> Context {
        Context {
            execution_name: "execution".to_owned(),
            workflow_name: "workflow".to_owned(),
            started_ns: 0,
            seed: 0,
            data_limit: usize::try_from(PAYLOAD_BYTES).unwrap_or(usize::MAX),
        }
    }
}

/// A call's number in its execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// A function is to be called.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its number, for [`Execution::complete`].
    pub id: CallId,
    /// The function's place in the list that [`Definition::check`] was given.
    pub function: u16,
    /// The event that the function gets.
    pub input: Data,
    /// When the state gives up, in nanoseconds since the epoch.
    pub deadline_ns: Option<u64>,
    /// For how many nanoseconds the function may be silent: then the call ends with
    /// `States.HeartbeatTimeout`.
    pub heartbeat_ns: Option<u64>,
}

/// What an execution wants next.
#[derive(Clone, Debug)]
pub enum Poll {
    /// Call a function.
    Call(Call),
    /// Nobody waits for this call any more.
    Cancel(CallId),
    /// Nothing until a call completes or the time comes.
    Idle {
        /// When to poll again, if time alone makes it go on. The instant that was given, or an
        /// earlier one, asks for another poll at once: the host may look after other things first.
        wake_at_ns: Option<u64>,
    },
    /// The execution is over; see [`Execution::outcome`].
    Done,
}

/// Why an execution failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The error's name.
    pub error: String,
    /// Its cause.
    pub cause: String,
    /// The state in which it arose.
    pub state: Option<String>,
    /// JSON pointer to that state in the definition.
    pub pointer: Option<String>,
    /// The function whose call failed.
    pub function: Option<u16>,
}

impl From<Broken> for Failed {
    fn from(broken: Broken) -> Failed {
        let (state, pointer) = broken.origin.unzip();
        Failed {
            error: broken.fault.error,
            cause: broken.fault.cause,
            state,
            pointer,
            function: broken.function,
        }
    }
}

impl From<Failed> for Broken {
    fn from(failed: Failed) -> Broken {
        Broken {
            fault: TaskError {
                error: failed.error,
                cause: failed.cause,
            },
            function: failed.function,
            origin: failed.state.zip(failed.pointer),
        }
    }
}

/// A running definition.
#[derive(Debug)]
pub struct Execution {
    pub(super) definition: Arc<Definition>,
    pub(super) fixed: Fixed,
    pub(super) data_limit: usize,
    pub(super) branches: Slab<Branch>,
    pub(super) fans: Slab<FanOut>,
    /// The branch that waits for each call.
    pub(super) calls: Slab<Key>,
    /// Branches that can go on, the one to go first last.
    pub(super) ready: VecDeque<Key>,
    /// Branches that can go on and are about to call, which a call in progress puts off; they go before those
    /// of `ready`, the last one first.
    pub(super) about_to_call: Vec<Key>,
    /// Fan-outs that may start a branch, by depth and age: the innermost, newest is the last.
    pub(super) startable: BTreeSet<(usize, u64, Key)>,
    /// Fan-outs that may have a branch to start that waits before it calls anything; the newest
    /// last. Some may be over.
    pub(super) eager: Vec<Key>,
    /// When branches are to go on, or to give up.
    pub(super) timers: BTreeSet<(u64, Key)>,
    pub(super) cancels: VecDeque<CallId>,
    pub(super) outcome: Option<Result<Data, Failed>>,
    pub(super) events: Vec<Event>,
    pub(super) detail: Detail,
    /// The latest instant that the host told.
    pub(super) now: u64,
    /// When the whole execution gives up.
    pub(super) deadline: Option<u64>,
    /// Bytes of the variables of all branches that run here.
    pub(super) stored: usize,
    /// Numbers given to branches and fan-outs.
    pub(super) numbers: u64,
    /// How branches that another lane lent have ended.
    pub(super) borrowed: Vec<(u64, Result<Node, Broken>)>,
    /// Since when the host has been at work without a pause and without completing a call.
    at_work_since: Option<u64>,
}

impl Execution {
    /// An execution of the whole definition. It begins with the first poll.
    pub fn new(definition: Arc<Definition>, context: Context, input: Data) -> Execution {
        let deadline = definition.timeout_seconds.map(|seconds| {
            context
                .started_ns
                .saturating_add(seconds.saturating_mul(SECOND))
        });
        let fixed = Fixed::new(&context, &input.node);
        let random = Random::new(context.seed);
        let limit = context.data_limit;
        let mut execution = Execution::idle(definition, fixed, limit, context.started_ns);
        execution.deadline = deadline;
        execution.root(0, input.node, Variables::default(), context.seed, random);
        execution
    }

    /// An execution without a branch.
    pub(super) fn idle(
        definition: Arc<Definition>,
        fixed: Fixed,
        data_limit: usize,
        now: u64,
    ) -> Execution {
        Execution {
            definition,
            fixed,
            data_limit,
            branches: Slab::new(),
            fans: Slab::new(),
            calls: Slab::new(),
            ready: VecDeque::new(),
            about_to_call: Vec::new(),
            startable: BTreeSet::new(),
            eager: Vec::new(),
            timers: BTreeSet::new(),
            cancels: VecDeque::new(),
            outcome: None,
            events: Vec::new(),
            detail: Detail::default(),
            now,
            deadline: None,
            stored: 0,
            numbers: 0,
            borrowed: Vec::new(),
            at_work_since: None,
        }
    }

    /// Gives it its root branch.
    pub(super) fn root(
        &mut self,
        machine: usize,
        input: Node,
        variables: Variables,
        seed: u64,
        random: Random,
    ) -> Key {
        let start = self
            .definition
            .machines
            .get(machine)
            .map_or(0, |machine| machine.start);
        let key = self.branches.insert(Branch {
            number: 0,
            machine,
            state: start,
            input,
            phase: Phase::Enter,
            parent: None,
            live_place: 0,
            item: None,
            variables,
            seed,
            stored: 0,
            random,
            fans_made: 0,
            started_ns: self.now,
            worked_ns: 0,
            entered_ns: self.now,
            attempts: Vec::new(),
            retries: 0,
            timer: None,
        });
        self.ready.push_back(key);
        key
    }

    /// What the execution wants at this instant. Branches that have started go on before another
    /// is started, and another is started only when none of them can go on.
    pub fn poll(&mut self, now_ns: u64) -> Poll {
        self.now = self.now.max(now_ns);
        self.at_work_since.get_or_insert(self.now);
        self.ready.extend(self.about_to_call.drain(..));
        if self.outcome.is_none() && self.deadline.is_some_and(|deadline| deadline <= self.now) {
            let fault = TaskError::new(fault::TIMEOUT, "the execution ran into its TimeoutSeconds");
            self.end(Err(fault.into()));
        }
        for _ in 0..STEPS {
            if let Some(cancelled) = self.cancels.pop_front() {
                return Poll::Cancel(cancelled);
            }
            if self.outcome.is_some() {
                return Poll::Done;
            }
            if self.ring(None) {
                continue;
            }
            if let Some(key) = self.ready.pop_back() {
                if let Some(call) = self.step(key) {
                    return Poll::Call(call);
                }
                continue;
            }
            if !self.start_one() {
                let timer = self.timers.first().map(|(at, _)| *at);
                let wake = timer.into_iter().chain(self.deadline).min();
                self.at_work_since = None;
                return Poll::Idle { wake_at_ns: wake };
            }
        }
        // The branch that went on so long lets the others go first, one that has not started too.
        if let Some(key) = self.ready.pop_back() {
            self.ready.push_front(key);
        }
        self.start_one();
        Poll::Idle {
            wake_at_ns: Some(now_ns),
        }
    }

    /// Goes on while a call runs, without making another: timers ring, branches that wait go on to
    /// their next call. False if nobody waits for the call any more; its host may end it then.
    pub fn attend(&mut self, call: CallId, now_ns: u64) -> bool {
        self.now = self.now.max(now_ns);
        let calling = self.calls.get(Key::from_number(call.0)).copied();
        let mut later = Vec::new();
        for _ in 0..STEPS {
            if self.outcome.is_some() || calling.is_none() {
                break;
            }
            // When the call itself is late, its host says so.
            if self.ring(calling) {
                continue;
            }
            if let Some(key) = self.ready.pop_back() {
                if self.is_about_to_call(key) {
                    later.push(key);
                } else if let Some(call) = self.step(key) {
                    // Not reached: only what is about to call makes calls.
                    self.cancels.push_back(call.id);
                }
            } else if let Some(key) = self.eager_fan() {
                self.start_in(key);
            } else {
                break;
            }
        }
        self.about_to_call.extend(later.into_iter().rev());
        self.calls.get(Key::from_number(call.0)).is_some()
    }

    /// Tells how a call ended. A call that was cancelled, has completed or never was is ignored.
    pub fn complete(&mut self, id: CallId, result: Result<Data, TaskError>, now_ns: u64) {
        self.now = self.now.max(now_ns);
        let Some(key) = self.calls.remove(Key::from_number(id.0)) else {
            return;
        };
        let since = self.at_work_since.replace(self.now).unwrap_or(self.now);
        if let Some(branch) = self.branches.get_mut(key) {
            let worked = self.now.saturating_sub(since);
            branch.worked_ns = branch.worked_ns.saturating_add(worked);
        }
        self.completed(key, id, result);
    }

    /// How the execution ended, once it is over.
    pub fn outcome(&self) -> Option<Result<&Data, &Failed>> {
        self.outcome.as_ref().map(Result::as_ref)
    }

    /// What happened since the last time; whoever never asks pays with memory.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Chooses how much is told from now on.
    pub fn set_detail(&mut self, detail: Detail) {
        self.detail = detail;
    }

    pub(super) fn tell(&mut self, event: impl FnOnce() -> Event, about_fans: bool) {
        if about_fans || self.detail == Detail::All {
            let event = event();
            debug_assert_eq!(event.is_about_fans(), about_fans);
            self.events.push(event);
        }
    }

    pub(super) fn next_number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// Sets the timer of a branch.
    pub(super) fn set_timer(&mut self, key: Key, at: Option<u64>) {
        let Some(branch) = self.branches.get_mut(key) else {
            return;
        };
        if let Some(old) = std::mem::replace(&mut branch.timer, at) {
            self.timers.remove(&(old, key));
        }
        if let Some(at) = at {
            self.timers.insert((at, key));
        }
    }

    /// Lets one timer ring that is due, of any branch but `but`; whether there was one.
    fn ring(&mut self, but: Option<Key>) -> bool {
        let timers = self.timers.iter().take_while(|(at, _)| *at <= self.now);
        let mut keys = timers.map(|(_, key)| *key);
        let Some(key) = keys.find(|key| Some(*key) != but) else {
            return false;
        };
        self.set_timer(key, None);
        self.rung(key);
        true
    }
}
