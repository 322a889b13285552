//! What a path selects.

use super::{MATCHES, Path, Root, Roots, Step, VISITS};
use crate::json::{Node, View};
use std::cell::Cell;

/// Why a path selects nothing where it must select something, as a sentence.
#[derive(Debug)]
pub(crate) struct Missing(pub(crate) String);

impl Path {
    /// The value at a definite path, or the list of all matches.
    pub(crate) fn eval(&self, data: &Node, roots: &dyn Roots) -> Result<Node, Missing> {
        let walk = Walk {
            data,
            roots,
            visits: Cell::new(VISITS),
        };
        let found = walk.follow(self)?;
        // A filter takes a path that ran out of visits for one that selects nothing.
        if walk.visits.get() == 0 {
            Err(Missing(too_long()))
        } else {
            Ok(found)
        }
    }

    /// Whether a definite path selects something; an indefinite one always yields a list.
    pub(crate) fn is_present(&self, data: &Node, roots: &dyn Roots) -> bool {
        self.eval(data, roots).is_ok()
    }
}

/// The values that the paths of one expression may begin at.
pub(super) struct Walk<'a> {
    data: &'a Node,
    roots: &'a dyn Roots,
    /// Values that may still be looked at.
    visits: Cell<usize>,
}

impl Walk<'_> {
    pub(super) fn follow(&self, path: &Path) -> Result<Node, Missing> {
        let root = match &path.root {
            Root::Data => self.data,
            Root::Context => self.roots.context(),
            Root::Variable(name) => self
                .roots
                .variable(name)
                .ok_or_else(|| Missing(format!("no variable `${name}` is assigned")))?,
        };
        let mut found = self.select(root, &path.steps)?;
        if !path.definite {
            return Ok(Node::array(found));
        }
        found
            .pop()
            .ok_or_else(|| Missing(format!("nothing is at `{}`", path.text)))
    }

    /// All values that `steps` select from `root`. Fails where a step that must exist does not,
    /// as long as no step before it may select several.
    pub(super) fn select(&self, root: &Node, steps: &[Step]) -> Result<Vec<Node>, Missing> {
        let mut found = vec![root.clone()];
        let mut certain = true;
        for step in steps {
            certain &= step.is_definite();
            let mut next = Vec::new();
            for node in &found {
                let before = next.len();
                if let (false, true) = (self.apply(step, node, &mut next), certain) {
                    return Err(Missing(missing(step)));
                }
                let made = next.len() - before;
                self.visits.set(self.visits.get().saturating_sub(made + 1));
                if next.len() > MATCHES || self.visits.get() == 0 {
                    return Err(Missing(too_long()));
                }
            }
            found = next;
        }
        Ok(found)
    }

    /// Appends what `step` selects from `node`; whether the step fits the value.
    fn apply(&self, step: &Step, node: &Node, out: &mut Vec<Node>) -> bool {
        match (step, node.view()) {
            (Step::Name(name), View::Object(object)) => match object.get(name) {
                Some(member) => out.push(member.clone()),
                None => return false,
            },
            (Step::Names(names), View::Object(object)) => {
                let members = names.iter().filter_map(|name| {
                    object
                        .get(name)
                        .map(|member| (name.clone(), member.clone()))
                });
                out.push(Node::object(members.collect()));
            }
            (Step::Index(index), View::Array(elements)) => {
                out.extend(
                    place(*index, elements.len())
                        .and_then(|at| elements.get(at))
                        .cloned(),
                );
            }
            (Step::Indices(indices), View::Array(elements)) => {
                let places = indices
                    .iter()
                    .filter_map(|index| place(*index, elements.len()));
                out.extend(places.filter_map(|at| elements.get(at)).cloned());
            }
            (Step::Slice(start, end), View::Array(elements)) => {
                let start = start.map_or(0, |start| bound(start, elements.len()));
                let end = end.map_or(elements.len(), |end| bound(end, elements.len()));
                out.extend(elements.get(start..end).unwrap_or(&[]).iter().cloned());
            }
            (Step::Wildcard, View::Array(elements)) => out.extend(elements.iter().cloned()),
            (Step::Wildcard, View::Object(object)) => {
                out.extend(object.members().iter().map(|(_, member)| member.clone()));
            }
            (Step::Wildcard, _) => {}
            (Step::Descend, _) => descend(node, out),
            (Step::Filter(predicate), View::Array(elements)) => {
                out.extend(
                    elements
                        .iter()
                        .filter(|e| predicate.accepts(e, self))
                        .cloned(),
                );
            }
            (Step::Filter(predicate), View::Object(_)) => {
                out.extend(predicate.accepts(node, self).then(|| node.clone()));
            }
            (Step::Length, View::Array(elements)) => out.push(Node::count(elements.len())),
            (Step::Length, View::Object(object)) => out.push(Node::count(object.members().len())),
            (Step::Length, View::String(text)) => out.push(Node::count(text.chars().count())),
            _ => return false,
        }
        true
    }
}

/// `node` and everything below it, parents first. Not recursive; stops at [`MATCHES`].
fn descend(node: &Node, out: &mut Vec<Node>) {
    let mut waiting = vec![node.clone()];
    while let Some(node) = waiting.pop() {
        let before = waiting.len();
        match node.view() {
            View::Array(elements) => waiting.extend(elements.iter().cloned()),
            View::Object(object) => waiting.extend(object.members().iter().map(|m| m.1.clone())),
            _ => {}
        }
        if let Some(children) = waiting.get_mut(before..) {
            children.reverse();
        }
        out.push(node);
        if out.len() > MATCHES {
            return;
        }
    }
}

fn too_long() -> String {
    format!("it looks at more than {VISITS} values, or selects more than {MATCHES}")
}

fn missing(step: &Step) -> String {
    match step {
        Step::Name(name) => format!("there is no field `{name}`"),
        Step::Index(index) => format!("`[{index}]` is applied to something that is no array"),
        _ => "the path does not fit the value".to_owned(),
    }
}

/// An index, counted from the end if negative.
fn place(index: i64, len: usize) -> Option<usize> {
    match usize::try_from(index) {
        Ok(place) => Some(place),
        Err(_) => len.checked_sub(usize::try_from(index.unsigned_abs()).ok()?),
    }
}

/// A slice's bound, counted from the end if negative, kept within the array.
fn bound(index: i64, len: usize) -> usize {
    match usize::try_from(index) {
        Ok(place) => place.min(len),
        Err(_) => len.saturating_sub(usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX)),
    }
}
