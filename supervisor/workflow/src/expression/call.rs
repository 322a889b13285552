//! Evaluating calls of intrinsic functions.

use super::{Argument, Call, Intrinsic, Scope, array, text};
use crate::fault::{INTRINSIC, TaskError};
use crate::json::{Data, Node, View};
use crate::random::Random;

/// The values of a call's arguments, and whose they are.
pub(super) struct Arguments<'a> {
    pub(super) intrinsic: Intrinsic,
    pub(super) values: Vec<Node>,
    pub(super) scope: &'a Scope<'a>,
}

impl Call {
    /// Recursion is bounded by the nesting that the parser accepts.
    pub(super) fn eval(&self, scope: &Scope<'_>) -> Result<Node, TaskError> {
        let mut values = Vec::with_capacity(self.arguments.len());
        for (place, argument) in self.arguments.iter().enumerate() {
            values.push(match argument {
                Argument::Quoted(raw) if place == 0 && self.intrinsic == Intrinsic::Format => {
                    Node::String(raw.clone())
                }
                Argument::Quoted(raw) => Node::string(text::unescape(raw)),
                Argument::Literal(node) => node.clone(),
                Argument::Expression(expression) => expression.eval(scope)?,
            });
        }
        let arguments = Arguments {
            intrinsic: self.intrinsic,
            values,
            scope,
        };
        match self.intrinsic {
            Intrinsic::Format => text::format(&arguments),
            Intrinsic::StringToJson => {
                let text = arguments.string(0)?.as_bytes().to_vec();
                match Data::from_untrusted(text) {
                    Ok(data) => Ok(data.node),
                    Err(fault) => arguments.fail(format!("the string is not JSON: {fault}")),
                }
            }
            Intrinsic::JsonToString => {
                let node = arguments.any(0)?;
                arguments.fits(node.size())?;
                Ok(Node::string(node.text().as_str()))
            }
            Intrinsic::Array => Ok(Node::array(arguments.values)),
            Intrinsic::ArrayPartition => array::partition(&arguments),
            Intrinsic::ArrayContains => array::contains(&arguments),
            Intrinsic::ArrayRange => array::range(&arguments),
            Intrinsic::ArrayGetItem => array::get_item(&arguments),
            Intrinsic::ArrayLength => Ok(Node::count(arguments.array(0)?.len())),
            Intrinsic::ArrayUnique => array::unique(&arguments),
            Intrinsic::Base64Encode => text::base64_encode(&arguments),
            Intrinsic::Base64Decode => text::base64_decode(&arguments),
            Intrinsic::Hash => text::hash(&arguments),
            Intrinsic::JsonMerge => merge(&arguments),
            Intrinsic::MathRandom => math_random(&arguments),
            Intrinsic::MathAdd => {
                let (a, b) = (arguments.integer(0)?, arguments.integer(1)?);
                match a.checked_add(b) {
                    Some(sum) => Ok(Node::int(sum)),
                    None => arguments.fail(format!("{a} + {b} is too large")),
                }
            }
            Intrinsic::StringSplit => text::split(&arguments),
            Intrinsic::Uuid => Ok(Node::string(scope.random.uuid())),
        }
    }
}

impl Arguments<'_> {
    pub(super) fn fail<T>(&self, why: impl std::fmt::Display) -> Result<T, TaskError> {
        Err(TaskError::new(
            INTRINSIC,
            format!("{}: {why}", self.intrinsic.name()),
        ))
    }

    /// Refuses to make a value of more than the limit's bytes.
    pub(super) fn fits(&self, bytes: usize) -> Result<(), TaskError> {
        if bytes > self.scope.limit {
            return self.fail(format!("a result of more than {} bytes", self.scope.limit));
        }
        Ok(())
    }

    pub(super) fn any(&self, place: usize) -> Result<&Node, TaskError> {
        match self.values.get(place) {
            Some(node) => Ok(node),
            None => self.fail(format!("argument {} is missing", place + 1)),
        }
    }

    pub(super) fn array(&self, place: usize) -> Result<&[Node], TaskError> {
        match self.any(place)?.as_array() {
            Some(array) => Ok(array),
            None => self.fail(format!("argument {} must be an array", place + 1)),
        }
    }

    pub(super) fn string(&self, place: usize) -> Result<&str, TaskError> {
        match self.any(place)?.as_str() {
            Some(text) => Ok(text),
            None => self.fail(format!("argument {} must be a string", place + 1)),
        }
    }

    /// An integer; other numbers are rounded, as the service does.
    pub(super) fn integer(&self, place: usize) -> Result<i64, TaskError> {
        let number = self.any(place)?.as_number();
        let rounded = number.and_then(|number| match number.as_i64() {
            Some(int) => Some(int),
            None => crate::json::Number::computed(number.as_f64().round())?.as_i64(),
        });
        match rounded {
            Some(int) => Ok(int),
            None => self.fail(format!("argument {} must be an integer", place + 1)),
        }
    }
}

fn merge(arguments: &Arguments<'_>) -> Result<Node, TaskError> {
    if !matches!(arguments.any(2)?.view(), View::Bool(false)) {
        return arguments.fail("argument 3 must be false: only a shallow merge exists");
    }
    let (Some(a), Some(b)) = (arguments.any(0)?.as_object(), arguments.any(1)?.as_object()) else {
        return arguments.fail("arguments 1 and 2 must be objects");
    };
    let kept = a
        .members()
        .iter()
        .map(|(key, node)| (key.clone(), b.get(key).unwrap_or(node).clone()));
    let added = b
        .members()
        .iter()
        .filter(|(key, _)| a.get(key).is_none())
        .cloned();
    Ok(Node::object(kept.chain(added).collect()))
}

/// From the first argument on, and below the second.
fn math_random(arguments: &Arguments<'_>) -> Result<Node, TaskError> {
    let (start, end) = (arguments.integer(0)?, arguments.integer(1)?);
    let span = match end.checked_sub(start).map(u64::try_from) {
        Some(Ok(span)) if span > 0 => span,
        _ => return arguments.fail(format!("there is no number from {start} on below {end}")),
    };
    let drawn = match arguments.values.len() {
        3 => Random::new(arguments.integer(2)?.cast_unsigned()).below(span),
        _ => arguments.scope.random.below(span),
    };
    Ok(Node::int(start.saturating_add_unsigned(drawn)))
}
