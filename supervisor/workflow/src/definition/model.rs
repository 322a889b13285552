//! The checked program.

use super::checker;
use super::problem::Problem;
use crate::expression::{Expression, Template};
use crate::path::{Path, Reference};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A definition that was checked.
#[derive(Debug)]
pub struct Definition {
    /// Machine 0 is the whole; the others are branches and item processors.
    pub(crate) machines: Vec<Machine>,
    /// The functions that the check was given.
    pub(crate) functions: Vec<String>,
    pub(crate) used: BTreeSet<u16>,
    pub(crate) timeout_seconds: Option<u64>,
}

impl Definition {
    /// Checks a definition against the functions that exist. A function's number in a call is its
    /// place in `functions`. All problems are told at once, by their position; a definition with
    /// warnings alone is accepted.
    pub fn check(
        text: &[u8],
        functions: &[String],
    ) -> Result<(Definition, Vec<Problem>), Vec<Problem>> {
        checker::check(text, functions)
    }

    /// The functions that the definition may call: all of them if a `FunctionName.$` decides while
    /// it runs.
    pub fn functions_used(&self) -> &BTreeSet<u16> {
        &self.used
    }

    /// JSON pointers of the Tasks that call their function by `arn:aws:states:::lambda:invoke`. The
    /// service tells of those calls in other words than of the rest.
    pub fn invoking(&self) -> BTreeSet<String> {
        let states = self.machines.iter().flat_map(|machine| &machine.states);
        let invoking = states.filter(|state| match &state.kind {
            Kind::Task(task) => !matches!(task.target, Target::Function(_)),
            _ => false,
        });
        invoking.map(|state| state.pointer.to_string()).collect()
    }

    /// The machine at a JSON pointer.
    pub(crate) fn machine_at(&self, pointer: &str) -> Option<usize> {
        self.machines
            .iter()
            .position(|machine| &*machine.pointer == pointer)
    }
}

/// States with a beginning: the whole definition, a branch or an item processor.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) pointer: Arc<str>,
    pub(crate) start: usize,
    pub(crate) states: Vec<State>,
    pub(crate) uses: Uses,
    /// Whether a walk may come to a Wait before it calls anything.
    pub(crate) waits: bool,
}

/// What the paths of a machine, and of the machines inside it, may read from outside.
#[derive(Clone, Debug, Default)]
pub(crate) struct Uses {
    pub(crate) execution_input: bool,
    pub(crate) map_item: bool,
    pub(crate) variables: BTreeSet<Arc<str>>,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) name: Arc<str>,
    pub(crate) pointer: Arc<str>,
    pub(crate) input: Select,
    pub(crate) output: Select,
    pub(crate) assign: Option<Template>,
    /// The next state of the machine; none where the machine ends.
    pub(crate) next: Option<usize>,
    pub(crate) kind: Kind,
}

/// `InputPath`, `OutputPath`.
#[derive(Debug)]
pub(crate) enum Select {
    Whole,
    /// `null`: an empty object.
    Nothing,
    At(Expression),
}

/// `ResultPath`.
#[derive(Debug)]
pub(crate) enum ResultPlace {
    /// `null`: the result is dropped.
    Nowhere,
    At(Reference),
}

#[derive(Debug)]
pub(crate) enum Kind {
    Task(Box<Task>),
    Parallel {
        branches: Vec<usize>,
        work: Box<Work>,
    },
    Map(Box<Map>),
    Pass {
        parameters: Option<Template>,
        result: Option<Template>,
        place: ResultPlace,
    },
    Choice {
        rules: Vec<Rule>,
        default: Option<usize>,
    },
    Wait(Wait),
    Succeed,
    Fail {
        error: Words,
        cause: Words,
    },
}

impl Kind {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Kind::Task(_) => "Task",
            Kind::Parallel { .. } => "Parallel",
            Kind::Map(_) => "Map",
            Kind::Pass { .. } => "Pass",
            Kind::Choice { .. } => "Choice",
            Kind::Wait(_) => "Wait",
            Kind::Succeed => "Succeed",
            Kind::Fail { .. } => "Fail",
        }
    }

    /// What the states that can fail and be retried have in common.
    pub(crate) fn work(&self) -> Option<&Work> {
        match self {
            Kind::Task(task) => Some(&task.work),
            Kind::Parallel { work, .. } => Some(work),
            Kind::Map(map) => Some(&map.work),
            Kind::Pass { .. } | Kind::Choice { .. } | Kind::Wait(_) | Kind::Succeed => None,
            Kind::Fail { .. } => None,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) parameters: Option<Template>,
    pub(crate) selector: Option<Template>,
    pub(crate) place: ResultPlace,
    pub(crate) retry: Vec<Retrier>,
    pub(crate) catch: Vec<Catcher>,
}

#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) target: Target,
    pub(crate) timeout: Option<Amount>,
    pub(crate) heartbeat: Option<Amount>,
    pub(crate) work: Work,
}

/// Whom a Task calls.
#[derive(Debug)]
pub(crate) enum Target {
    /// The function of this number, with the effective input.
    Function(u16),
    /// `lambda:invoke` of this function, with the member `Payload` of the parameters.
    Invoke(u16),
    /// `lambda:invoke` of the function that the parameters name.
    InvokeNamed,
}

#[derive(Debug)]
pub(crate) struct Map {
    pub(crate) items: Option<Expression>,
    pub(crate) selector: Option<Template>,
    pub(crate) machine: usize,
    pub(crate) concurrency: Amount,
    pub(crate) tolerated_count: Option<Amount>,
    pub(crate) tolerated_percentage: Option<Amount>,
    pub(crate) work: Work,
}

/// A number in the definition or in the data.
#[derive(Debug)]
pub(crate) enum Amount {
    Fixed(f64),
    At(Expression),
}

#[derive(Debug)]
pub(crate) struct Retrier {
    pub(crate) errors: Vec<String>,
    pub(crate) interval: f64,
    pub(crate) attempts: u64,
    pub(crate) rate: f64,
    pub(crate) most: Option<f64>,
    pub(crate) jitter: bool,
}

#[derive(Debug)]
pub(crate) struct Catcher {
    pub(crate) errors: Vec<String>,
    pub(crate) next: usize,
    pub(crate) place: ResultPlace,
    pub(crate) assign: Option<Template>,
}

#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) test: Test,
    pub(crate) next: usize,
    pub(crate) assign: Option<Template>,
}

#[derive(Debug)]
pub(crate) enum Test {
    All(Vec<Test>),
    Any(Vec<Test>),
    Not(Box<Test>),
    Compare {
        variable: Path,
        comparator: Comparator,
        operand: Operand,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    Equals,
    LessThan,
    GreaterThan,
    LessThanEquals,
    GreaterThanEquals,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparator {
    String(Span),
    Numeric(Span),
    Timestamp(Span),
    BooleanEquals,
    StringMatches,
    IsNull,
    IsPresent,
    IsNumeric,
    IsString,
    IsBoolean,
    IsTimestamp,
}

#[derive(Debug)]
pub(crate) enum Operand {
    Literal(crate::json::Node),
    Path(Path),
}

#[derive(Debug)]
pub(crate) enum Wait {
    Seconds(Amount),
    /// Nanoseconds since the epoch.
    Until(i128),
    UntilPath(Expression),
}

/// `Error` and `Cause` of a Fail state.
#[derive(Debug)]
pub(crate) enum Words {
    Absent,
    Fixed(String),
    At(Expression),
}
