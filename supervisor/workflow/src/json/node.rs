//! One value: a scalar, or a shared container that knows its text, its members, or both.

use super::number::Number;
use super::parse;
use super::text::Text;
use super::write;
use keylane_policy::limit::JSON_DEPTH;
use std::cmp::Ordering;
use std::sync::{Arc, OnceLock};

/// A JSON value. Clones share.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string that was parsed or made here.
    String(Arc<str>),
    /// A container, or a value of which only the text is known so far.
    Tree(Arc<Tree>),
}

/// See [`Node::Tree`]. Text and shape are never both absent.
#[derive(Debug)]
pub(crate) struct Tree {
    text: OnceLock<Text>,
    shape: OnceLock<Shape>,
    /// Bytes of the text, estimated while there is none.
    size: usize,
    /// No fewer than the levels of nesting.
    depth: u16,
}

/// The parsed form of one level.
#[derive(Debug)]
pub(super) enum Shape {
    Scalar(Node),
    Array(Vec<Node>),
    Object(Object),
}

/// An object's members in the order in which they were written.
#[derive(Debug, Default)]
pub(crate) struct Object {
    members: Vec<(Arc<str>, Node)>,
    /// Places in `members` by key, made for large objects when something is looked up.
    sorted: OnceLock<Vec<usize>>,
}

/// A look at a value.
#[derive(Clone, Copy)]
pub(crate) enum View<'a> {
    Null,
    Bool(bool),
    Number(&'a Number),
    String(&'a str),
    Array(&'a [Node]),
    Object(&'a Object),
}

impl Object {
    /// Members of which no two share a key.
    pub(crate) fn new(members: Vec<(Arc<str>, Node)>) -> Object {
        Object {
            members,
            sorted: OnceLock::new(),
        }
    }

    pub(crate) fn members(&self) -> &[(Arc<str>, Node)] {
        &self.members
    }

    fn place(&self, key: &str) -> Option<usize> {
        if self.members.len() <= 16 {
            return self.members.iter().position(|(name, _)| &**name == key);
        }
        let name = |place: usize| self.members.get(place).map_or("", |(name, _)| name);
        let sorted = self.sorted.get_or_init(|| {
            let mut places: Vec<usize> = (0..self.members.len()).collect();
            places.sort_by(|a, b| name(*a).cmp(name(*b)));
            places
        });
        let found = sorted
            .binary_search_by(|place| name(*place).cmp(key))
            .ok()?;
        sorted.get(found).copied()
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.place(key)
            .and_then(|place| self.members.get(place))
            .map(|(_, node)| node)
    }

    /// The same members with `key` set, in its old place if it has one.
    pub(crate) fn with(&self, key: &str, node: Node) -> Object {
        let mut members = self.members.clone();
        match self.place(key).and_then(|place| members.get_mut(place)) {
            Some(member) => member.1 = node,
            None => members.push((key.into(), node)),
        }
        Object::new(members)
    }
}

impl Tree {
    pub(super) fn from_text(text: Text, depth: u16) -> Node {
        let size = text.len();
        let text = OnceLock::from(text);
        Node::Tree(Arc::new(Tree {
            text,
            shape: OnceLock::new(),
            size,
            depth,
        }))
    }

    fn from_shape(shape: Shape, size: usize, depth: u16) -> Node {
        let shape = OnceLock::from(shape);
        Node::Tree(Arc::new(Tree {
            text: OnceLock::new(),
            shape,
            size,
            depth,
        }))
    }

    pub(super) fn shape(&self) -> &Shape {
        self.shape.get_or_init(|| match self.text.get() {
            Some(text) => parse::one_level(text, self.depth),
            None => Shape::Scalar(Node::Null),
        })
    }

    pub(super) fn known_text(&self) -> Option<&Text> {
        self.text.get()
    }

    pub(super) fn text(&self) -> &Text {
        self.text.get_or_init(|| {
            let mut out = String::with_capacity(self.size);
            write::write_shape(self.shape(), &mut out);
            Text::whole(out, Vec::new())
        })
    }
}

impl Node {
    pub(crate) fn string(text: impl Into<Arc<str>>) -> Node {
        Node::String(text.into())
    }

    pub(crate) fn int(value: i64) -> Node {
        Node::Number(Number::Int(value))
    }

    pub(crate) fn count(value: usize) -> Node {
        Node::int(i64::try_from(value).unwrap_or(i64::MAX))
    }

    pub(crate) fn array(elements: Vec<Node>) -> Node {
        let (mut size, mut depth) = (2_usize, 0);
        for node in &elements {
            size = size.saturating_add(node.size() + 1);
            depth = depth.max(node.depth());
        }
        Tree::from_shape(Shape::Array(elements), size, depth.saturating_add(1))
    }

    /// An object of members of which no two share a key.
    pub(crate) fn object(members: Vec<(Arc<str>, Node)>) -> Node {
        Node::from_object(Object::new(members))
    }

    pub(crate) fn from_object(object: Object) -> Node {
        let (mut size, mut depth) = (2_usize, 0);
        for (key, node) in object.members() {
            size = size.saturating_add(key.len() + node.size() + 4);
            depth = depth.max(node.depth());
        }
        Tree::from_shape(Shape::Object(object), size, depth.saturating_add(1))
    }

    pub(crate) fn view(&self) -> View<'_> {
        match self {
            Node::Null => View::Null,
            Node::Bool(value) => View::Bool(*value),
            Node::Number(number) => View::Number(number),
            Node::String(text) => View::String(text),
            Node::Tree(tree) => match tree.shape() {
                // A scalar's shape is a scalar node, so this ends here.
                Shape::Scalar(node) => node.view(),
                Shape::Array(elements) => View::Array(elements),
                Shape::Object(object) => View::Object(object),
            },
        }
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match self.view() {
            View::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_array(&self) -> Option<&[Node]> {
        match self.view() {
            View::Array(elements) => Some(elements),
            _ => None,
        }
    }

    pub(crate) fn as_object(&self) -> Option<&Object> {
        match self.view() {
            View::Object(object) => Some(object),
            _ => None,
        }
    }

    pub(crate) fn as_number(&self) -> Option<&Number> {
        match self.view() {
            View::Number(number) => Some(number),
            _ => None,
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.as_object().and_then(|object| object.get(key))
    }

    /// Bytes of its text; an estimate from below while it was never written.
    pub(crate) fn size(&self) -> usize {
        match self {
            Node::Null => 4,
            Node::Bool(_) => 5,
            Node::Number(Number::Int(_)) => 8,
            Node::Number(Number::Text(text)) => text.len(),
            Node::String(text) => text.len() + 2,
            Node::Tree(tree) => tree.size,
        }
    }

    /// A bound on its levels of nesting.
    fn depth(&self) -> u16 {
        match self {
            Node::Tree(tree) => tree.depth,
            _ => 0,
        }
    }

    /// Whether its nesting exceeds what Keylane accepts. The bound that a node inherited from a
    /// deep neighbour may be too large, so beyond the limit the truth is counted.
    pub(crate) fn is_too_deep(&self) -> bool {
        usize::from(self.depth()) > JSON_DEPTH && self.count_depth() > JSON_DEPTH
    }

    /// Recursion is bounded by the depth of the parts (each within the limit) plus that of the
    /// template which joined them (within the limit as well).
    fn count_depth(&self) -> usize {
        let Node::Tree(tree) = self else { return 0 };
        if let Some(text) = tree.known_text() {
            return parse::levels(text.as_str());
        }
        let below = match tree.shape() {
            Shape::Scalar(_) => return 0,
            Shape::Array(elements) => elements.iter().map(Node::count_depth).max(),
            Shape::Object(object) => object.members.iter().map(|(_, n)| n.count_depth()).max(),
        };
        1 + below.unwrap_or(0)
    }

    pub(crate) fn text(&self) -> Text {
        match self {
            Node::Tree(tree) => tree.text().clone(),
            scalar => {
                let mut out = String::new();
                write::write_node(scalar, &mut out);
                Text::whole(out, Vec::new())
            }
        }
    }

    /// The same value without what was parsed of it: whoever looks inside parses for himself and
    /// drops that again. A fan-out gives each branch such a copy of its item.
    pub(crate) fn unparsed(&self) -> Node {
        match self {
            Node::Tree(tree) => match tree.known_text() {
                Some(text) => Tree::from_text(text.clone(), tree.depth),
                None => self.clone(),
            },
            scalar => scalar.clone(),
        }
    }

    /// The same value, keeping no larger text alive than it needs. For values that outlive the
    /// state that made them by long, such as the results of a fan-out's branches.
    pub(crate) fn settled(&self) -> Node {
        let Node::Tree(tree) = self else {
            return self.clone();
        };
        if let Some(text) = tree.known_text() {
            return match text.is_small_part() {
                true => Tree::from_text(text.detached(), tree.depth),
                false => self.clone(),
            };
        }
        match tree.shape() {
            Shape::Scalar(node) => node.clone(),
            Shape::Array(elements) => Node::array(elements.iter().map(Node::settled).collect()),
            Shape::Object(object) => Node::object(
                object
                    .members
                    .iter()
                    .map(|(key, node)| (key.clone(), node.settled()))
                    .collect(),
            ),
        }
    }

    /// Equality of JSON values: numbers by value, objects whatever their order.
    pub(crate) fn same(&self, other: &Node) -> bool {
        match (self.view(), other.view()) {
            (View::Null, View::Null) => true,
            (View::Bool(a), View::Bool(b)) => a == b,
            (View::Number(a), View::Number(b)) => a.order(b) == Ordering::Equal,
            (View::String(a), View::String(b)) => a == b,
            (View::Array(a), View::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b))
            }
            (View::Object(a), View::Object(b)) => {
                a.members.len() == b.members.len()
                    && a.members
                        .iter()
                        .all(|(k, v)| b.get(k).is_some_and(|w| v.same(w)))
            }
            _ => false,
        }
    }
}
