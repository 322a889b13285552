//! Filters: `[?(@.price > 10 && @.name == 'a')]`.

use super::eval::Walk;
use super::{Path, Step};
use crate::json::{Node, View};
use std::cmp::Ordering;

#[derive(Clone, Debug)]
pub(super) enum Predicate {
    Any(Vec<Predicate>),
    All(Vec<Predicate>),
    Not(Box<Predicate>),
    /// The value has something at this place.
    Exists(Vec<Step>),
    Compare(Operand, Comparison, Operand),
}

#[derive(Clone, Debug)]
pub(super) enum Operand {
    /// `@...`
    Here(Vec<Step>),
    /// `$...`
    Path(Box<Path>),
    Literal(Node),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
    In,
    NotIn,
}

impl Predicate {
    fn each(&self, seen: &mut dyn FnMut(&Path)) {
        match self {
            Predicate::Any(inner) | Predicate::All(inner) => {
                inner.iter().for_each(|predicate| predicate.each(seen));
            }
            Predicate::Not(inner) => inner.each(seen),
            Predicate::Exists(steps) => each(steps, seen),
            Predicate::Compare(left, _, right) => {
                for operand in [left, right] {
                    match operand {
                        Operand::Here(steps) => each(steps, seen),
                        Operand::Path(path) => path.each(seen),
                        Operand::Literal(_) => {}
                    }
                }
            }
        }
    }

    /// Whether `node` passes. Recursion is bounded by `FILTER_DEPTH`.
    pub(super) fn accepts(&self, node: &Node, walk: &Walk<'_>) -> bool {
        match self {
            Predicate::Any(any) => any.iter().any(|one| one.accepts(node, walk)),
            Predicate::All(all) => all.iter().all(|one| one.accepts(node, walk)),
            Predicate::Not(inner) => !inner.accepts(node, walk),
            Predicate::Exists(steps) => at(steps, node, walk).is_some(),
            Predicate::Compare(left, comparison, right) => {
                let (left, right) = (left.value(node, walk), right.value(node, walk));
                comparison.holds(left.as_ref(), right.as_ref())
            }
        }
    }
}

/// Calls `seen` with every path in the filters of `steps`. Recursion is bounded by the nesting that
/// the parser accepts.
pub(super) fn each(steps: &[Step], seen: &mut dyn FnMut(&Path)) {
    for step in steps {
        if let Step::Filter(predicate) = step {
            predicate.each(seen);
        }
    }
}

/// What `steps` select from `node`: one value for a definite way, else a list that is not empty.
fn at(steps: &[Step], node: &Node, walk: &Walk<'_>) -> Option<Node> {
    let mut found = walk.select(node, steps).ok()?;
    if steps.iter().all(Step::is_definite) {
        return found.pop();
    }
    (!found.is_empty()).then(|| Node::array(found))
}

impl Operand {
    fn value(&self, node: &Node, walk: &Walk<'_>) -> Option<Node> {
        match self {
            Operand::Here(steps) => at(steps, node, walk),
            Operand::Path(path) => walk.follow(path).ok(),
            Operand::Literal(literal) => Some(literal.clone()),
        }
    }
}

impl Comparison {
    /// A missing value equals nothing and is in nothing.
    fn holds(self, left: Option<&Node>, right: Option<&Node>) -> bool {
        let (Some(left), Some(right)) = (left, right) else {
            return matches!(self, Comparison::NotEqual | Comparison::NotIn);
        };
        let order = || match (left.view(), right.view()) {
            (View::Number(a), View::Number(b)) => Some(a.order(b)),
            (View::String(a), View::String(b)) => Some(a.cmp(b)),
            _ => None,
        };
        let member = || {
            right
                .as_array()
                .is_some_and(|list| list.iter().any(|n| n.same(left)))
        };
        match self {
            Comparison::Equal => left.same(right),
            Comparison::NotEqual => !left.same(right),
            Comparison::Less => order() == Some(Ordering::Less),
            Comparison::AtMost => order().is_some_and(Ordering::is_le),
            Comparison::Greater => order() == Some(Ordering::Greater),
            Comparison::AtLeast => order().is_some_and(Ordering::is_ge),
            Comparison::In => member(),
            Comparison::NotIn => !member(),
        }
    }
}
