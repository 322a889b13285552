//! Values of fields: strings, numbers, paths and templates.

use super::checker::{Checker, Field, Fields};
use super::model::{Amount, ResultPlace, Select, Words};
use crate::expression::{Expression, Template};
use crate::json::Node;
use crate::json::spot::{Kind, Spot, child_pointer};
use crate::path::{Path, Reference, Root};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The largest number of seconds that the service accepts.
pub(super) const SECONDS: f64 = 99_999_999.0;

/// The way to a value inside a template. Its pointer is spelt out for mistakes only: keys may be
/// long, and values many.
struct Trail<'t> {
    base: &'t str,
    up: Option<&'t Trail<'t>>,
    key: &'t str,
}

impl<'t> Trail<'t> {
    fn down(&'t self, key: &'t str) -> Trail<'t> {
        Trail {
            base: self.base,
            up: Some(self),
            key,
        }
    }

    /// Recursion is bounded by the definition's depth.
    fn pointer(&self) -> String {
        match self.up {
            None => self.base.to_owned(),
            Some(up) => child_pointer(&up.pointer(), self.key),
        }
    }
}

impl Checker<'_> {
    pub(super) fn string<'s>(&mut self, field: &Field<'s>, name: &str) -> Option<&'s str> {
        let text = field.spot.as_str();
        if text.is_none() {
            let kind = field.spot.kind_name();
            self.wrong(field, format!("`{name}` must be a string, not {kind}"));
        }
        text
    }

    /// A number within bounds; `whole` asks for an integer.
    pub(super) fn number(
        &mut self,
        field: &Field<'_>,
        name: &str,
        bounds: std::ops::RangeInclusive<f64>,
        whole: bool,
    ) -> Option<f64> {
        let number = match &field.spot.kind {
            Kind::Number(number) => number.as_f64(),
            _ => {
                let kind = field.spot.kind_name();
                self.wrong(field, format!("`{name}` must be a number, not {kind}"));
                return None;
            }
        };
        if !bounds.contains(&number) || (whole && number.fract() != 0.0) {
            let what = if whole { "an integer" } else { "a number" };
            let (least, most) = (bounds.start(), bounds.end());
            self.wrong(
                field,
                format!("`{name}` must be {what} from {least} to {most}"),
            );
            return None;
        }
        Some(number)
    }

    /// `name` as a number or `namePath` as a path.
    pub(super) fn amount(
        &mut self,
        fields: Fields<'_>,
        names: [&'static str; 2],
        bounds: std::ops::RangeInclusive<f64>,
        whole: bool,
    ) -> Option<Amount> {
        let (name, field) = self.one_of(fields, &names)?;
        if Some(&name) == names.first() {
            return self.number(&field, name, bounds, whole).map(Amount::Fixed);
        }
        self.expression(&field, name).map(Amount::At)
    }

    /// Remembers what a path reads from outside its machine.
    pub(super) fn reads(&mut self, path: &Path) {
        let Some(uses) = self.uses.last_mut() else {
            return;
        };
        match &path.root {
            Root::Data => {}
            Root::Variable(name) => {
                uses.variables.insert(name.clone());
            }
            Root::Context => {
                let names = path.leading_names();
                let (first, second) = (names.first().copied(), names.get(1).copied());
                let input = first == Some("Execution") && matches!(second, None | Some("Input"));
                uses.execution_input |= first.is_none() || input;
                uses.map_item |= matches!(first, None | Some("Map"));
            }
        }
    }

    /// A field whose text is a path or a call.
    pub(super) fn expression(&mut self, field: &Field<'_>, name: &str) -> Option<Expression> {
        let text = self.string(field, name)?;
        self.expression_text(text, field.spot, || field.pointer.clone(), name)
    }

    pub(super) fn expression_text(
        &mut self,
        text: &str,
        spot: &Spot,
        pointer: impl FnOnce() -> String,
        name: &str,
    ) -> Option<Expression> {
        match Expression::parse(text) {
            Ok(expression) => {
                expression.paths(&mut |path| self.reads(path));
                Some(expression)
            }
            Err(why) => {
                let message = format!("`{name}` is neither a path nor a call: {why}");
                self.error(spot.start, &pointer(), message);
                None
            }
        }
    }

    /// A field whose text is a path.
    pub(super) fn path(&mut self, field: &Field<'_>, name: &str) -> Option<Path> {
        let text = self.string(field, name)?;
        match Path::parse(text) {
            Ok(path) => {
                path.each(&mut |path| self.reads(path));
                Some(path)
            }
            Err(why) => {
                self.wrong(field, format!("`{name}` is not a path: {why}"));
                None
            }
        }
    }

    /// `InputPath`, `OutputPath`.
    pub(super) fn select(&mut self, fields: Fields<'_>, name: &str) -> Select {
        let Some(field) = fields.get(name) else {
            return Select::Whole;
        };
        match &field.spot.kind {
            Kind::Null => Select::Nothing,
            Kind::String(_) => match self.expression(&field, name) {
                Some(Expression::Path(path)) if path.is_whole() => Select::Whole,
                Some(expression) => Select::At(expression),
                None => Select::Whole,
            },
            _ => {
                let kind = field.spot.kind_name();
                self.wrong(
                    &field,
                    format!("`{name}` must be a path or null, not {kind}"),
                );
                Select::Whole
            }
        }
    }

    /// `ResultPath`.
    pub(super) fn place(&mut self, fields: Fields<'_>) -> Option<ResultPlace> {
        let Some(field) = fields.get("ResultPath") else {
            return Reference::parse("$").ok().map(ResultPlace::At);
        };
        if matches!(field.spot.kind, Kind::Null) {
            return Some(ResultPlace::Nowhere);
        }
        let text = self.string(&field, "ResultPath")?;
        match Reference::parse(text) {
            Ok(reference) => Some(ResultPlace::At(reference)),
            Err(why) => {
                self.wrong(
                    &field,
                    format!("`ResultPath` is not a reference path: {why}"),
                );
                None
            }
        }
    }

    /// `Error` and `Cause` of a Fail state, and their Path forms.
    pub(super) fn words(&mut self, fields: Fields<'_>, names: [&'static str; 2]) -> Words {
        let Some((name, field)) = self.one_of(fields, &names) else {
            return Words::Absent;
        };
        if Some(&name) == names.first() {
            return self
                .string(&field, name)
                .map_or(Words::Absent, |s| Words::Fixed(s.to_owned()));
        }
        self.expression(&field, name)
            .map_or(Words::Absent, Words::At)
    }

    /// A field that is a template.
    pub(super) fn template(&mut self, fields: Fields<'_>, name: &str) -> Option<Template> {
        let field = fields.get(name)?;
        let trail = Trail {
            base: &field.pointer,
            up: None,
            key: "",
        };
        let template = self.template_at(field.spot, &trail)?;
        if let Template::Literal(node) = &template {
            // Written once here, copied ever after.
            node.text();
        }
        Some(template)
    }

    /// Recursion is bounded by the definition's depth.
    fn template_at(&mut self, spot: &Spot, trail: &Trail<'_>) -> Option<Template> {
        match &spot.kind {
            Kind::Array(elements) => {
                let elements: Option<Vec<Template>> = elements
                    .iter()
                    .enumerate()
                    .map(|(place, element)| {
                        let key = place.to_string();
                        self.template_at(element, &trail.down(&key))
                    })
                    .collect();
                Some(folded(Template::Array(elements?)))
            }
            Kind::Object(members) => {
                let mut out: Vec<(Arc<str>, Template)> = Vec::new();
                let mut names = BTreeSet::new();
                let mut valid = true;
                for member in members {
                    let trail = trail.down(&member.key);
                    let (name, template) = match member.key.strip_suffix(".$") {
                        Some(name) => {
                            let expression = self.dynamic(&member.value, &trail, &member.key);
                            (name, expression.map(Template::Expression))
                        }
                        None => (member.key.as_str(), self.template_at(&member.value, &trail)),
                    };
                    if !names.insert(name) {
                        let message = format!("`{name}` and `{name}.$` name the same member");
                        self.error(member.start, &trail.pointer(), message);
                    }
                    match template {
                        Some(template) => out.push((name.into(), template)),
                        None => valid = false,
                    }
                }
                valid.then(|| folded(Template::Object(out)))
            }
            _ => Some(Template::Literal(spot.node())),
        }
    }

    fn dynamic(&mut self, spot: &Spot, trail: &Trail<'_>, key: &str) -> Option<Expression> {
        let Some(text) = spot.as_str() else {
            let message =
                format!("`{key}` ends in `.$`, so it must be a path or a call as a string");
            self.error(spot.start, &trail.pointer(), message);
            return None;
        };
        self.expression_text(text, spot, || trail.pointer(), key)
    }
}

/// A template without expressions is a literal.
fn folded(template: Template) -> Template {
    let literal = |template: &Template| match template {
        Template::Literal(node) => Some(node.clone()),
        _ => None,
    };
    let node = match &template {
        Template::Array(elements) => elements
            .iter()
            .map(literal)
            .collect::<Option<_>>()
            .map(Node::array),
        Template::Object(members) => members
            .iter()
            .map(|(key, member)| Some((key.clone(), literal(member)?)))
            .collect::<Option<_>>()
            .map(Node::object),
        Template::Literal(_) | Template::Expression(_) => None,
    };
    node.map_or(template, Template::Literal)
}
