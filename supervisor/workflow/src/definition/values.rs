//! Values of fields: strings, numbers, paths and templates.

use super::checker::{Checker, Field, Fields};
use super::fields;
use super::model::{Amount, ResultPlace, Select, Words};
use super::problem::Severity;
use crate::expression::{Expression, Template};
use crate::json::spot::{Kind, Spot, child_pointer};
use crate::json::{Node, Number};
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
            let message = format!("`{name}` must be a string, not {kind}");
            self.wrong_advised(field, message, meant(field.spot, "a string", None));
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
                let message = format!("`{name}` must be a number, not {kind}");
                let has_path = fields::owners(&format!("{name}Path")).is_some();
                let advice = meant(field.spot, "a number", has_path.then_some(name));
                self.wrong_advised(field, message, advice);
                return None;
            }
        };
        if !bounds.contains(&number) || (whole && number.fract() != 0.0) {
            let what = if whole { "a whole number" } else { "a number" };
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
                let (message, advice) = if text.starts_with('$') {
                    (format!("`{name}` is not a path: {why}"), None)
                } else if text.starts_with("States.") {
                    (format!("`{name}` is not a call: {why}"), None)
                } else {
                    let message = format!(
                        "`{name}` must be a path such as `$.order`, or a call such as \
                         `States.Format('{{}}', $.order)`"
                    );
                    let literal = name.strip_suffix(".$").map(|plain| {
                        format!("if {} itself is meant, name it `{plain}`", shown(text))
                    });
                    (message, with_states(text).or(with_dollar(text)).or(literal))
                };
                self.report(Severity::Error, spot.start, &pointer(), message, advice);
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
                let message = format!("`{name}` is not a path: {why}");
                self.wrong_advised(field, message, with_dollar(text));
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
                let message = format!("`ResultPath` cannot say where to put the result: {why}");
                self.wrong_advised(&field, message, with_dollar(text));
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
                        None => {
                            self.warn_of_a_path_as_text(&member.key, &member.value, &trail);
                            (member.key.as_str(), self.template_at(&member.value, &trail))
                        }
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

    /// A path as the value of a member whose name does not end in `.$` is hardly ever meant.
    fn warn_of_a_path_as_text(&mut self, key: &str, spot: &Spot, trail: &Trail<'_>) {
        let Some(text) = spot.as_str() else {
            return;
        };
        let starts = ["$.", "$$.", "$[", "States."];
        let looks = starts.iter().any(|start| text.starts_with(start));
        if looks && Expression::parse(text).is_ok() {
            let message = format!(
                "`{key}` will be the text {} itself, as its name does not end in `.$`",
                shown(text)
            );
            let advice = format!("write `{key}.$` if the value that it selects is meant");
            self.warn(spot.start, &trail.pointer(), message, advice);
        }
    }

    /// Warns of paths in a value where nothing looks for them. Recursion is bounded by the
    /// definition's depth.
    pub(super) fn taken_as_it_is(&mut self, spot: &Spot, pointer: &str) {
        match &spot.kind {
            Kind::Object(members) => {
                for member in members {
                    if member.key.ends_with(".$") {
                        let message = format!("`Result` is taken as it is: `{}` too", member.key);
                        let advice = "use `Parameters`, which looks paths up".to_owned();
                        let pointer = child_pointer(pointer, &member.key);
                        self.warn(member.start, &pointer, message, advice);
                        return;
                    }
                    self.taken_as_it_is(&member.value, pointer);
                }
            }
            Kind::Array(elements) => {
                for element in elements {
                    self.taken_as_it_is(element, pointer);
                }
            }
            _ => {}
        }
    }

    fn dynamic(&mut self, spot: &Spot, trail: &Trail<'_>, key: &str) -> Option<Expression> {
        let Some(text) = spot.as_str() else {
            let kind = spot.kind_name();
            let message = format!("`{key}` must be a path or a call as a string, not {kind}");
            let plain = key.strip_suffix(".$").unwrap_or(key);
            let advice = format!("if the value itself is meant, name it `{plain}`");
            self.error_advised(spot.start, &trail.pointer(), message, advice);
            return None;
        };
        self.expression_text(text, spot, || trail.pointer(), key)
    }
}

/// A text as a message shows it.
fn shown(text: &str) -> String {
    match text.char_indices().nth(60) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}...", text.get(..end).unwrap_or("")),
    }
}

/// What someone may have meant who wrote a value of another kind than the one that is `wanted`;
/// `name` is the field's, if it has a form that takes a path.
pub(super) fn meant(spot: &Spot, wanted: &str, name: Option<&str>) -> Option<String> {
    match (&spot.kind, wanted) {
        (Kind::String(text), _) if text.starts_with('$') => {
            name.map(|name| format!("`{name}Path` takes a path"))
        }
        (Kind::String(text), "a number") if Number::parse(text).is_some() => {
            Some(format!("write {text} without quotes"))
        }
        (Kind::String(text), "true or false") if text == "true" || text == "false" => {
            Some(format!("write {text} without quotes"))
        }
        (Kind::Number(_) | Kind::Bool(_), "a string") => {
            Some("write it in double quotes".to_owned())
        }
        _ => None,
    }
}

/// The path that someone may have meant who left out its `$.`.
fn with_dollar(text: &str) -> Option<String> {
    let name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '[' | ']');
    let begins = text.chars().next().is_some_and(char::is_lowercase);
    let path = format!("$.{text}");
    let plain = begins && text.len() <= 80 && text.chars().all(name);
    (plain && Path::parse(&path).is_ok()).then(|| format!("did you mean `{path}`?"))
}

/// The function that someone may have meant who left out its `States.`.
fn with_states(text: &str) -> Option<String> {
    let (name, _) = text.split_once('(')?;
    let known = crate::expression::Intrinsic::nearest(&format!("States.{name}"))?;
    Some(format!("did you mean `{known}(...)`?"))
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
