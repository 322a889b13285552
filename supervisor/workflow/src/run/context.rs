//! What paths read besides the data: the context object and the variables.

use super::execution::Context;
use crate::json::Node;
use crate::path::Roots;
use crate::time;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The variables that a branch sees. Branches of a fan-out share them until they assign.
pub(super) type Variables = Arc<BTreeMap<Arc<str>, Node>>;

/// The parts of the context object that are the same throughout an execution.
#[derive(Debug)]
pub(super) struct Fixed {
    pub(super) execution: Node,
    pub(super) machine: Node,
}

fn object(members: Vec<(&str, Node)>) -> Node {
    Node::object(
        members
            .into_iter()
            .map(|(key, node)| (key.into(), node))
            .collect(),
    )
}

impl Fixed {
    pub(super) fn new(context: &Context, input: &Node) -> Fixed {
        let workflow = context.workflow_name.as_str();
        let name = context.execution_name.as_str();
        let arn = "arn:aws:states:local:000000000000";
        let execution = object(vec![
            (
                "Id",
                Node::string(format!("{arn}:execution:{workflow}:{name}")),
            ),
            ("Input", input.clone()),
            ("Name", Node::string(name)),
            (
                "RoleArn",
                Node::string("arn:aws:iam::000000000000:role/keylane"),
            ),
            ("StartTime", Node::string(time::format(context.started_ns))),
            ("RedriveCount", Node::int(0)),
        ]);
        let machine = object(vec![
            ("Id", Node::string(format!("{arn}:stateMachine:{workflow}"))),
            ("Name", Node::string(workflow)),
        ]);
        Fixed { execution, machine }
    }
}

/// The item of the Map that a branch is in.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) index: u64,
    pub(super) value: Node,
}

impl Item {
    pub(super) fn node(&self) -> Node {
        let index = Node::int(i64::try_from(self.index).unwrap_or(i64::MAX));
        object(vec![("Index", index), ("Value", self.value.clone())])
    }
}

/// The roots of the paths of one state. The context object is made when a path asks for it.
pub(super) struct World<'a> {
    pub(super) fixed: &'a Fixed,
    pub(super) state: &'a str,
    pub(super) entered_ns: u64,
    pub(super) retries: u64,
    pub(super) item: Option<&'a Item>,
    pub(super) variables: &'a Variables,
    pub(super) made: OnceCell<Node>,
}

impl Roots for World<'_> {
    fn context(&self) -> &Node {
        self.made.get_or_init(|| {
            let state = object(vec![
                ("EnteredTime", Node::string(time::format(self.entered_ns))),
                ("Name", Node::string(self.state)),
                (
                    "RetryCount",
                    Node::int(i64::try_from(self.retries).unwrap_or(i64::MAX)),
                ),
            ]);
            let mut members = vec![
                ("Execution", self.fixed.execution.clone()),
                ("State", state),
                ("StateMachine", self.fixed.machine.clone()),
            ];
            if let Some(item) = self.item {
                members.push(("Map", object(vec![("Item", item.node())])));
            }
            object(members)
        })
    }

    fn variable(&self, name: &str) -> Option<&Node> {
        self.variables.get(name)
    }
}
