//! Paths: what they are, how they are read, what they select.
//!
//! The flavour is that of the service (Jayway's): a path that can select one place at most is
//! definite and yields that value or fails; any other yields a list, empty if nothing matches. A
//! path reads the state's data (`$`), the context object (`$$`) or a variable (`$name`).
//!
//! The definition's author controls paths, a function controls what they are applied to. Every
//! walk is bounded by [`MATCHES`] and [`VISITS`].

mod eval;
mod filter;
mod parse;
mod reference;

pub(crate) use eval::Missing;
pub(crate) use parse::in_variable_name;
pub(crate) use reference::Reference;

use crate::json::Node;
use filter::Predicate;
use std::sync::Arc;

/// Values that one path may select, at any of its steps: repeated `..` would multiply them.
const MATCHES: usize = 2_000_000;

/// Values that one path may look at, those that its filters look at included: filters in filters
/// would multiply them.
const VISITS: usize = 10_000_000;

/// Levels of parentheses in a filter.
const FILTER_DEPTH: usize = 32;

/// Where a path begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Root {
    /// `$`: the state's data.
    Data,
    /// `$$`: the context object.
    Context,
    /// `$name`: a variable.
    Variable(Arc<str>),
}

/// A path.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    pub(crate) root: Root,
    steps: Vec<Step>,
    definite: bool,
    /// As it was written.
    pub(crate) text: Arc<str>,
}

#[derive(Clone, Debug)]
enum Step {
    Name(Arc<str>),
    Names(Vec<Arc<str>>),
    Index(i64),
    Indices(Vec<i64>),
    Slice(Option<i64>, Option<i64>),
    Wildcard,
    /// `..`: the value itself and everything below it.
    Descend,
    Filter(Predicate),
    /// `.length()`
    Length,
}

impl Step {
    fn is_definite(&self) -> bool {
        matches!(self, Step::Name(_) | Step::Index(_) | Step::Length)
    }
}

/// What a path may read.
pub(crate) trait Roots {
    /// `$$`
    fn context(&self) -> &Node;
    /// `$name`
    fn variable(&self, name: &str) -> Option<&Node>;
}

impl Path {
    /// Whether the path is `$` alone.
    pub(crate) fn is_whole(&self) -> bool {
        self.root == Root::Data && self.steps.is_empty()
    }

    /// Calls `seen` with this path and those in its filters.
    pub(crate) fn each(&self, seen: &mut dyn FnMut(&Path)) {
        seen(self);
        filter::each(&self.steps, seen);
    }

    /// The leading names of the path, as far as they are plain. For finding out what a path may
    /// read of the context object.
    pub(crate) fn leading_names(&self) -> Vec<&str> {
        fn plain(step: &Step) -> Option<&str> {
            match step {
                Step::Name(name) => Some(name),
                _ => None,
            }
        }
        self.steps.iter().map_while(plain).collect()
    }
}
