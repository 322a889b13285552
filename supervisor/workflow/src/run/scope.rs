//! What a lent branch may read besides its input, as bytes that travel between lanes.
//!
//! Only what the branch's machine can read is packed: the check has noted whether any of its paths
//! reads the execution's input, the Map's item or a variable. The reader treats the bytes as
//! foreign: the lane that sends them may be hostile.

use super::context::{Fixed, Item, Variables};
use super::execution::{Execution, Failed};
use super::fan::FanOut;
use super::start::Beginning;
use crate::fault::RUNTIME;
use crate::json::{Data, Node};
use crate::random::Random;
use keylane_policy::limit::JSON_DEPTH;
use std::sync::Arc;

/// Levels of nesting that packing adds.
const LEVELS: usize = 4;

/// A scope that was unpacked.
pub(super) struct Unpacked {
    pub(super) fixed: Fixed,
    pub(super) item: Option<Item>,
    pub(super) variables: Variables,
    pub(super) seed: u64,
    pub(super) random: Random,
    pub(super) data_limit: usize,
    pub(super) now: u64,
    pub(super) deadline: Option<u64>,
}

/// JSON has no 64-bit numbers that everybody reads alike, so these are strings.
fn number(value: u64) -> Node {
    Node::string(value.to_string())
}

/// The input and the scope of a branch that is lent.
pub(super) fn pack(
    execution: &Execution,
    fan: &FanOut,
    beginning: Beginning,
) -> Option<(Data, Vec<u8>)> {
    let parent = execution.branches.get(fan.parent)?;
    let uses = &execution.definition.machines.get(beginning.machine)?.uses;
    let all = execution.fixed.execution.as_object()?.members();
    let wanted = all
        .iter()
        .filter(|(key, _)| uses.execution_input || &**key != "Input");
    let variables = parent
        .variables
        .iter()
        .filter(|(name, _)| uses.variables.contains(*name));
    let variables = variables
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let mut members = vec![
        ("execution".into(), Node::object(wanted.cloned().collect())),
        ("machine".into(), execution.fixed.machine.clone()),
        ("variables".into(), Node::object(variables)),
        ("seed".into(), number(beginning.seed)),
        ("random".into(), number(beginning.random.state())),
        ("limit".into(), Node::count(execution.data_limit)),
        ("now".into(), number(execution.now)),
    ];
    if let (Some(item), true) = (&beginning.item, uses.map_item) {
        members.push(("item".into(), item.node()));
    }
    if let Some(deadline) = execution.deadline {
        members.push(("deadline".into(), number(deadline)));
    }
    let scope = Node::object(members).text().to_vec();
    Some((Data::from_node(beginning.input), scope))
}

/// Why a loan is not taken.
pub(super) fn refused(cause: impl std::fmt::Display) -> Failed {
    Failed {
        error: RUNTIME.to_owned(),
        cause: format!("a lent branch cannot be run: {cause}"),
        state: None,
        pointer: None,
        function: None,
    }
}

/// Reads what [`pack`] wrote.
pub(super) fn unpack(scope: &[u8]) -> Result<Unpacked, Failed> {
    let scope = Data::within(scope.to_vec(), JSON_DEPTH + LEVELS)
        .map_err(refused)?
        .node;
    let member = |name: &str| {
        scope
            .get(name)
            .ok_or_else(|| refused(format!("its scope has no member {name:?}")))
    };
    let number = |name: &str| {
        let text = member(name)?.as_str().unwrap_or("");
        text.parse::<u64>()
            .map_err(|_| refused(format!("{name:?} of its scope is no number")))
    };
    let item = scope.get("item").and_then(|item| {
        let index = item.get("Index")?.as_number()?.as_i64()?;
        Some(Item {
            index: u64::try_from(index).ok()?,
            value: item.get("Value")?.clone(),
        })
    });
    let variables = member("variables")?
        .as_object()
        .map(|object| Arc::new(object.members().iter().cloned().collect()));
    let limit = member("limit")?
        .as_number()
        .and_then(crate::json::Number::as_i64);
    let deadline = scope
        .get("deadline")
        .is_some()
        .then(|| number("deadline"))
        .transpose()?;
    Ok(Unpacked {
        fixed: Fixed {
            execution: member("execution")?.clone(),
            machine: member("machine")?.clone(),
        },
        item,
        variables: variables.ok_or_else(|| refused("its variables are no object"))?,
        seed: number("seed")?,
        random: Random::new(number("random")?),
        data_limit: limit
            .and_then(|limit| usize::try_from(limit).ok())
            .ok_or_else(|| refused("its data limit is no number"))?,
        now: number("now")?,
        deadline,
    })
}
