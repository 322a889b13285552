//! The rules of a Choice state.

use crate::definition::{Comparator, Operand, Rule, Span, Test};
use crate::expression::{Scope, eval_path};
use crate::fault::TaskError;
use crate::json::{Node, View};
use crate::time;
use std::cmp::Ordering;

/// The first rule that matches.
pub(super) fn choose<'r>(
    rules: &'r [Rule],
    scope: &Scope<'_>,
) -> Result<Option<&'r Rule>, TaskError> {
    for rule in rules {
        if holds(&rule.test, scope)? {
            return Ok(Some(rule));
        }
    }
    Ok(None)
}

/// Recursion is bounded by the definition's depth.
fn holds(test: &Test, scope: &Scope<'_>) -> Result<bool, TaskError> {
    match test {
        Test::All(tests) => {
            for test in tests {
                if !holds(test, scope)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Test::Any(tests) => {
            for test in tests {
                if holds(test, scope)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Test::Not(test) => Ok(!holds(test, scope)?),
        Test::Compare {
            variable,
            comparator: Comparator::IsPresent,
            operand,
        } => {
            let present = variable.is_present(scope.data, scope.roots);
            Ok(Node::Bool(present).same(&value(operand, scope)?))
        }
        Test::Compare {
            variable,
            comparator,
            operand,
        } => {
            let found = eval_path(variable, scope)?;
            Ok(compare(*comparator, &found, &value(operand, scope)?))
        }
    }
}

fn value(operand: &Operand, scope: &Scope<'_>) -> Result<Node, TaskError> {
    match operand {
        Operand::Literal(node) => Ok(node.clone()),
        Operand::Path(path) => eval_path(path, scope),
    }
}

/// Values of another type than the comparator's do not match.
fn compare(comparator: Comparator, found: &Node, operand: &Node) -> bool {
    let timestamp = |node: &Node| node.as_str().and_then(time::parse);
    let is = |holds: bool| Node::Bool(holds).same(operand);
    match comparator {
        Comparator::String(span) => match (found.as_str(), operand.as_str()) {
            (Some(a), Some(b)) => within(span, a.cmp(b)),
            _ => false,
        },
        Comparator::Numeric(span) => match (found.as_number(), operand.as_number()) {
            (Some(a), Some(b)) => within(span, a.order(b)),
            _ => false,
        },
        Comparator::Timestamp(span) => match (timestamp(found), timestamp(operand)) {
            (Some(a), Some(b)) => within(span, a.cmp(&b)),
            _ => false,
        },
        Comparator::BooleanEquals => match (found.view(), operand.view()) {
            (View::Bool(a), View::Bool(b)) => a == b,
            _ => false,
        },
        Comparator::StringMatches => match (found.as_str(), operand.as_str()) {
            (Some(text), Some(pattern)) => matches(text, pattern),
            _ => false,
        },
        Comparator::IsNull => is(matches!(found.view(), View::Null)),
        // Asked before the value was looked for.
        Comparator::IsPresent => is(true),
        Comparator::IsNumeric => is(found.as_number().is_some()),
        Comparator::IsString => is(found.as_str().is_some()),
        Comparator::IsBoolean => is(matches!(found.view(), View::Bool(_))),
        Comparator::IsTimestamp => is(timestamp(found).is_some()),
    }
}

fn within(span: Span, order: Ordering) -> bool {
    match span {
        Span::Equals => order.is_eq(),
        Span::LessThan => order.is_lt(),
        Span::GreaterThan => order.is_gt(),
        Span::LessThanEquals => order.is_le(),
        Span::GreaterThanEquals => order.is_ge(),
    }
}

/// One element of a pattern.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Glob {
    Any,
    Char(char),
}

/// `StringMatches`: `*` stands for any characters, `\*` for a star and `\\` for a backslash. Takes
/// at most the product of the lengths.
fn matches(text: &str, pattern: &str) -> bool {
    let mut globs = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        globs.push(match c {
            '*' => Glob::Any,
            '\\' => Glob::Char(chars.next().unwrap_or('\\')),
            other => Glob::Char(other),
        });
    }
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut glob) = (0, 0);
    // Where to go on if what follows the last star does not fit: the star takes one more.
    let mut star: Option<(usize, usize)> = None;
    while let Some(c) = text.get(at) {
        match globs.get(glob) {
            Some(Glob::Any) => {
                star = Some((at, glob + 1));
                glob += 1;
            }
            Some(Glob::Char(wanted)) if wanted == c => {
                at += 1;
                glob += 1;
            }
            _ => match star {
                Some((taken, after)) => {
                    star = Some((taken + 1, after));
                    at = taken + 1;
                    glob = after;
                }
                None => return false,
            },
        }
    }
    globs.iter().skip(glob).all(|glob| *glob == Glob::Any)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_characters_and_an_escaped_one_for_itself() {
        for (text, pattern, expected) in [
            ("foobar.csv", "foo*.csv", true),
            ("foobar.csv", "*.log", false),
            ("", "*", true),
            ("", "", true),
            ("a", "", false),
            ("abcabc", "*abc", true),
            ("a*b", "a\\*b", true),
            ("axb", "a\\*b", false),
            ("a\\b", "a\\\\b", true),
            ("aaab", "a*a*b", true),
            ("ünï", "ü*ï", true),
        ] {
            assert_eq!(matches(text, pattern), expected, "{text} {pattern}");
        }
    }

    #[test]
    fn a_hostile_pattern_is_answered_in_bounded_time() {
        let text = "a".repeat(2000);
        let pattern = format!("{}b", "a*".repeat(500));
        assert!(!matches(&text, &pattern));
    }
}
