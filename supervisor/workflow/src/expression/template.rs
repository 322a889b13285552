//! Payload templates: JSON in which a member `"name.$"` holds an expression.

use super::{Expression, Scope};
use crate::fault::TaskError;
use crate::json::Node;
use std::sync::Arc;

/// A template. What holds no expression is one literal, whose text is copied as a whole.
#[derive(Clone, Debug)]
pub(crate) enum Template {
    Literal(Node),
    Expression(Expression),
    Array(Vec<Template>),
    Object(Vec<(Arc<str>, Template)>),
}

impl Template {
    /// The value. Recursion is bounded by the definition's depth.
    pub(crate) fn eval(&self, scope: &Scope<'_>) -> Result<Node, TaskError> {
        match self {
            Template::Literal(node) => Ok(node.clone()),
            Template::Expression(expression) => expression.eval(scope),
            Template::Array(elements) => {
                let elements = elements.iter().map(|element| element.eval(scope));
                Ok(Node::array(elements.collect::<Result<_, _>>()?))
            }
            Template::Object(members) => {
                let members = members
                    .iter()
                    .map(|(key, member)| match member.eval(scope) {
                        Ok(node) => Ok((key.clone(), node)),
                        Err(fault) => Err(TaskError {
                            cause: format!("{}; wanted for `{key}`", fault.cause),
                            error: fault.error,
                        }),
                    });
                Ok(Node::object(members.collect::<Result<_, _>>()?))
            }
        }
    }
}
