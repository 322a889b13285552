//! Reference paths: fields by name and elements by index only, so that a value can be put there.

use super::{Path, Root, Step};
use crate::json::{Node, Object, View};
use std::sync::Arc;

/// Where a `ResultPath` puts a result.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    steps: Vec<Place>,
    text: Arc<str>,
}

#[derive(Clone, Debug)]
enum Place {
    Name(Arc<str>),
    Index(usize),
}

impl Reference {
    /// The reference path that `text` is, or what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Reference, String> {
        let path = Path::parse(text)?;
        if path.root != Root::Data {
            return Err("it must be `$` or begin with `$.`".to_owned());
        }
        let place = |step: &Step| match step {
            Step::Name(name) => Ok(Place::Name(name.clone())),
            Step::Index(index) => usize::try_from(*index)
                .map(Place::Index)
                .map_err(|_| "it cannot count from an array's end".to_owned()),
            _ => Err(
                "only `.name`, `['name']` and `[0]` may stand in it, as it must name one place"
                    .to_owned(),
            ),
        };
        let steps = path.steps.iter().map(place).collect::<Result<_, _>>()?;
        Ok(Reference {
            steps,
            text: path.text,
        })
    }

    /// `into` with `value` at this place; objects on the way are made where nothing is. None if
    /// the place cannot be in such a value.
    pub(crate) fn put(&self, into: &Node, value: Node) -> Result<Node, String> {
        put(&self.steps, Some(into), value).ok_or_else(|| {
            format!(
                "the result cannot be put at `{}` of the state's input",
                self.text
            )
        })
    }
}

/// Recursion is bounded by the path's length, which [`crate::definition`] bounds.
fn put(steps: &[Place], into: Option<&Node>, value: Node) -> Option<Node> {
    let Some((step, rest)) = steps.split_first() else {
        return Some(value);
    };
    match (step, into.map(Node::view)) {
        (Place::Name(name), Some(View::Object(object))) => {
            let inner = put(rest, object.get(name), value)?;
            Some(Node::from_object(object.with(name, inner)))
        }
        (Place::Name(name), None | Some(View::Null)) => {
            let inner = put(rest, None, value)?;
            Some(Node::from_object(Object::new(vec![(name.clone(), inner)])))
        }
        (Place::Index(index), Some(View::Array(elements))) => {
            let inner = put(rest, Some(elements.get(*index)?), value)?;
            let mut elements = elements.to_vec();
            *elements.get_mut(*index)? = inner;
            Some(Node::array(elements))
        }
        _ => None,
    }
}
