//! Expressions: a path or an intrinsic function, and the templates in which they stand.
//!
//! The definition's author controls their text; functions control the data that they are applied
//! to. An evaluation ends: it has no loops but those over data that exists, and what it makes is
//! bounded by [`Scope::limit`].

mod array;
mod call;
mod intrinsic;
mod parse;
mod template;
mod text;

pub(crate) use intrinsic::Intrinsic;
pub(crate) use template::Template;

use crate::fault::TaskError;
use crate::json::Node;
use crate::path::{Missing, Path, Roots};
use crate::random::Random;
use std::sync::Arc;

/// What an expression is evaluated on.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    /// `$`
    pub(crate) data: &'a Node,
    /// `$$` and `$name`
    pub(crate) roots: &'a dyn Roots,
    pub(crate) random: &'a Random,
    /// Bytes that a value may have.
    pub(crate) limit: usize,
}

/// A path or a call of an intrinsic function.
#[derive(Clone, Debug)]
pub(crate) enum Expression {
    Path(Path),
    Call(Call),
}

/// A call of an intrinsic function.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    intrinsic: Intrinsic,
    arguments: Vec<Argument>,
}

#[derive(Clone, Debug)]
enum Argument {
    /// A string in quotes, its escapes as they were written: `States.Format` needs to tell `\{`
    /// from `{`.
    Quoted(Arc<str>),
    Literal(Node),
    Expression(Expression),
}

impl Expression {
    /// The value. Recursion is bounded by the nesting that [`parse`] accepts.
    pub(crate) fn eval(&self, scope: &Scope<'_>) -> Result<Node, TaskError> {
        match self {
            Expression::Path(path) => eval_path(path, scope),
            Expression::Call(call) => call.eval(scope),
        }
    }

    /// Calls `seen` with every path in the expression, those in filters too.
    pub(crate) fn paths(&self, seen: &mut dyn FnMut(&Path)) {
        match self {
            Expression::Path(path) => path.each(seen),
            Expression::Call(call) => {
                for argument in &call.arguments {
                    if let Argument::Expression(expression) = argument {
                        expression.paths(seen);
                    }
                }
            }
        }
    }
}

/// The value that a path selects; selecting nothing ends the execution.
pub(crate) fn eval_path(path: &Path, scope: &Scope<'_>) -> Result<Node, TaskError> {
    path.eval(scope.data, scope.roots).map_err(|Missing(why)| {
        TaskError::runtime(format!("the path `{}` selects nothing: {why}", path.text))
    })
}
