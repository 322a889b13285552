//! Choice states: rules, comparators, And, Or and Not.

use super::checker::{Checker, Field, Fields};
use super::machine::Names;
use super::model::{Comparator, Kind, Operand, Rule, Span, Test};
use crate::json::spot;
use crate::time;

const SPANS: [(&str, Span); 5] = [
    ("Equals", Span::Equals),
    ("LessThan", Span::LessThan),
    ("GreaterThan", Span::GreaterThan),
    ("LessThanEquals", Span::LessThanEquals),
    ("GreaterThanEquals", Span::GreaterThanEquals),
];

const PLAIN: [(&str, Comparator); 8] = [
    ("BooleanEquals", Comparator::BooleanEquals),
    ("StringMatches", Comparator::StringMatches),
    ("IsNull", Comparator::IsNull),
    ("IsPresent", Comparator::IsPresent),
    ("IsNumeric", Comparator::IsNumeric),
    ("IsString", Comparator::IsString),
    ("IsBoolean", Comparator::IsBoolean),
    ("IsTimestamp", Comparator::IsTimestamp),
];

/// The comparator of a name, and whether it compares with a path.
fn comparator(name: &str) -> Option<(Comparator, bool)> {
    if let Some((_, comparator)) = PLAIN.iter().find(|(plain, _)| *plain == name) {
        return Some((*comparator, false));
    }
    let (stem, is_path) = match name.strip_suffix("Path") {
        Some(stem) => (stem, true),
        None => (name, false),
    };
    if stem == "BooleanEquals" {
        return Some((Comparator::BooleanEquals, true));
    }
    type Kind = (&'static str, fn(Span) -> Comparator);
    let kinds: [Kind; 3] = [
        ("String", Comparator::String),
        ("Numeric", Comparator::Numeric),
        ("Timestamp", Comparator::Timestamp),
    ];
    kinds.iter().find_map(|(kind, make)| {
        let rest = stem.strip_prefix(kind)?;
        let span = SPANS.iter().find(|(name, _)| *name == rest)?;
        Some((make(span.1), is_path))
    })
}

/// The names of all comparators.
fn comparators() -> Vec<String> {
    let spans = ["String", "Numeric", "Timestamp"].iter().flat_map(|kind| {
        SPANS
            .iter()
            .flat_map(move |(span, _)| [format!("{kind}{span}"), format!("{kind}{span}Path")])
    });
    let plain = PLAIN.iter().map(|(name, _)| (*name).to_owned());
    spans
        .chain(plain)
        .chain(["BooleanEqualsPath".to_owned()])
        .collect()
}

impl Checker<'_> {
    pub(super) fn choice(&mut self, state: Fields<'_>, names: &Names<'_>) -> Option<Kind> {
        let default = match state.get("Default") {
            Some(field) => self.target(&field, "Default", names).map(Some),
            None => {
                self.warn(
                    state.spot.start,
                    state.pointer,
                    "this Choice has no `Default`: if no rule matches, it fails with \
                     States.NoChoiceMatched"
                        .to_owned(),
                    "name the state for all other cases".to_owned(),
                );
                Some(None)
            }
        };
        let Some(field) = state.get("Choices") else {
            let message = "a Choice state needs `Choices`".to_owned();
            self.error(state.spot.start, state.pointer, message);
            return None;
        };
        let elements = match &field.spot.kind {
            spot::Kind::Array(elements) if !elements.is_empty() => elements,
            _ => {
                self.wrong(
                    &field,
                    "`Choices` must be an array of at least one rule".to_owned(),
                );
                return None;
            }
        };
        let mut rules = Vec::new();
        for (place, element) in elements.iter().enumerate() {
            let pointer = format!("{}/{place}", field.pointer);
            let rule = self.object(element, &pointer, "a rule").and_then(|fields| {
                let next = match fields.get("Next") {
                    Some(next) => self.target(&next, "Next", names),
                    None => {
                        let message = "a rule needs `Next`".to_owned();
                        let advice = "name the state that follows if the rule matches".to_owned();
                        self.error_advised(element.start, &pointer, message, advice);
                        None
                    }
                };
                let assign = self.assign(fields);
                let test = self.test(fields, true);
                Some(Rule {
                    test: test?,
                    next: next?,
                    assign: assign?,
                })
            });
            rules.push(rule);
        }
        let rules = rules.into_iter().collect::<Option<Vec<_>>>();
        Some(Kind::Choice {
            rules: rules?,
            default: default?,
        })
    }

    /// Recursion is bounded by the definition's depth.
    fn test(&mut self, fields: Fields<'_>, top: bool) -> Option<Test> {
        let mut operator: Option<&str> = None;
        for member in fields.spot.members().unwrap_or(&[]) {
            let key = member.key.as_str();
            let pointer = spot::child_pointer(fields.pointer, key);
            match key {
                "Variable" | "Comment" => continue,
                "Next" | "Assign" if top => continue,
                "Next" | "Assign" => {
                    let message = format!("`{key}` belongs to the outermost rule");
                    let advice = "move it out of `And`, `Or` and `Not`".to_owned();
                    self.error_advised(member.start, &pointer, message, advice);
                    continue;
                }
                "Condition" | "Output" => {
                    let message =
                        format!("`{key}` belongs to JSONata, which Keylane does not support");
                    self.error(member.start, &pointer, message);
                    return None;
                }
                _ => {}
            }
            if !matches!(key, "And" | "Or" | "Not") && comparator(key).is_none() {
                let message = format!("`{key}` is no comparator");
                let known = comparators();
                let known = known.iter().map(String::as_str).chain(["And", "Or", "Not"]);
                match self.near(key, known.chain(["Variable", "Next"])) {
                    Some(near) => {
                        let advice = format!("did you mean `{near}`?");
                        self.error_advised(member.start, &pointer, message, advice);
                    }
                    None => self.error(member.start, &pointer, message),
                }
                return None;
            }
            match operator {
                None => operator = Some(key),
                Some(first) => {
                    let message =
                        format!("a rule makes one comparison, this one `{first}` and `{key}`");
                    let advice = "put each into a rule of its own, and both into `And`".to_owned();
                    self.error_advised(member.start, &pointer, message, advice);
                }
            }
        }
        let Some(name) = operator else {
            let message = "this rule compares nothing".to_owned();
            let advice = "it needs a comparator such as `StringEquals`, or And, Or, Not".to_owned();
            self.error_advised(fields.spot.start, fields.pointer, message, advice);
            return None;
        };
        let field = fields.get(name)?;
        match name {
            "And" => self.tests(&field, name).map(Test::All),
            "Or" => self.tests(&field, name).map(Test::Any),
            "Not" => {
                let inner = self.object(field.spot, &field.pointer, "`Not`")?;
                Some(Test::Not(Box::new(self.test(inner, false)?)))
            }
            _ => self.comparison(fields, name, &field),
        }
    }

    fn tests(&mut self, field: &Field<'_>, name: &str) -> Option<Vec<Test>> {
        let elements = match &field.spot.kind {
            spot::Kind::Array(elements) if !elements.is_empty() => elements,
            _ => {
                self.wrong(
                    field,
                    format!("`{name}` must be an array of at least one rule"),
                );
                return None;
            }
        };
        let mut tests = Vec::new();
        for (place, element) in elements.iter().enumerate() {
            let pointer = format!("{}/{place}", field.pointer);
            let inner = self.object(element, &pointer, "a rule");
            tests.push(inner.and_then(|inner| self.test(inner, false)));
        }
        tests.into_iter().collect()
    }

    fn comparison(&mut self, fields: Fields<'_>, name: &str, field: &Field<'_>) -> Option<Test> {
        let variable = match fields.get("Variable") {
            Some(variable) => self.path(&variable, "Variable"),
            None => {
                let message = format!("`{name}` needs a `Variable`");
                let advice = "`Variable` is the path of the value to compare, such as `$.amount`";
                let advice = advice.to_owned();
                self.error_advised(fields.spot.start, fields.pointer, message, advice);
                None
            }
        };
        let (comparator, is_path) = comparator(name)?;
        let operand = if is_path {
            self.path(field, name).map(Operand::Path)
        } else {
            self.literal(name, comparator, field)
        };
        Some(Test::Compare {
            variable: variable?,
            comparator,
            operand: operand?,
        })
    }

    fn literal(
        &mut self,
        name: &str,
        comparator: Comparator,
        field: &Field<'_>,
    ) -> Option<Operand> {
        let kind = &field.spot.kind;
        let (fits, wanted) = match comparator {
            Comparator::String(_) | Comparator::StringMatches => {
                (matches!(kind, spot::Kind::String(_)), "a string")
            }
            Comparator::Numeric(_) => (matches!(kind, spot::Kind::Number(_)), "a number"),
            Comparator::Timestamp(_) => {
                let text = field.spot.as_str();
                if text.and_then(time::parse).is_none() {
                    self.timestamp_wanted(field, name);
                    return None;
                }
                (true, "")
            }
            _ => (matches!(kind, spot::Kind::Bool(_)), "true or false"),
        };
        if !fits {
            let found = field.spot.kind_name();
            let message = format!("`{name}` must be {wanted}, not {found}");
            let has_path = comparators().iter().any(|c| *c == format!("{name}Path"));
            let advice = super::values::meant(field.spot, wanted, has_path.then_some(name));
            self.wrong_advised(field, message, advice);
            return None;
        }
        Some(Operand::Literal(field.spot.node()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_thirty_nine_comparators_and_each_is_known_by_its_name() {
        let names = comparators();
        assert_eq!(names.len(), 39);
        assert!(names.iter().all(|name| comparator(name).is_some()));
        assert!(comparator("StringMatchesPath").is_none());
    }
}
