//! The state of a check, and what every part of it uses: problems, objects and their fields.

use super::fields;
use super::model::{Definition, Machine, Uses};
use super::problem::{Lines, Problem, Severity};
use super::suggest::nearest;
use super::variables::Assigned;
use crate::json::spot::{self, Member, Spot, child_pointer};
use keylane_policy::limit::DEFINITION_BYTES;
use std::collections::{BTreeMap, BTreeSet};

/// Problems that are told; a definition with more has been told enough.
const PROBLEMS: usize = 200;

pub(super) fn check(
    text: &[u8],
    functions: &[String],
) -> Result<(Definition, Vec<Problem>), Vec<Problem>> {
    let lossy;
    let (text, invalid) = match std::str::from_utf8(text) {
        Ok(text) => (text, None),
        Err(error) => {
            lossy = String::from_utf8_lossy(text);
            (&*lossy, Some(error.valid_up_to()))
        }
    };
    let mut checker = Checker::new(text, functions);
    if let Some(offset) = invalid {
        checker.error(offset, "", "the definition is not UTF-8".to_owned());
        return Err(checker.told());
    }
    if u64::try_from(text.len()).is_ok_and(|len| len > DEFINITION_BYTES) {
        checker.error(
            0,
            "",
            format!("a definition has at most {DEFINITION_BYTES} bytes"),
        );
        return Err(checker.told());
    }
    let (root, twice) = match spot::read(text) {
        Ok(read) => read,
        Err(fault) => {
            let message = format!("this is not JSON: {}", fault.message);
            let advice = super::syntax::advice(text, fault.offset);
            checker.report(Severity::Error, fault.offset, "", message, advice);
            return Err(checker.told());
        }
    };
    for again in twice {
        let message = format!("the member {:?} is there twice", again.key);
        let pointer = child_pointer(&again.pointer, &again.key);
        checker.error_advised(
            again.start,
            &pointer,
            message,
            "remove one of the two".to_owned(),
        );
    }
    let timeout_seconds = checker.whole(&root);
    let failed = checker
        .problems
        .iter()
        .any(|(_, p)| p.severity == Severity::Error);
    let machines = std::mem::take(&mut checker.machines)
        .into_iter()
        .collect::<Option<Vec<_>>>();
    let used = std::mem::take(&mut checker.used);
    match (failed, machines) {
        (false, Some(machines)) => {
            let functions = functions.to_vec();
            Ok((
                Definition {
                    machines,
                    functions,
                    used,
                    timeout_seconds,
                },
                checker.told(),
            ))
        }
        _ => Err(checker.told()),
    }
}

/// A check that is going on.
pub(super) struct Checker<'a> {
    lines: Lines<'a>,
    pub(super) functions: &'a [String],
    problems: Vec<(usize, Problem)>,
    /// Machines by number; one that is being checked has no entry yet.
    pub(super) machines: Vec<Option<Machine>>,
    /// The functions that may be called.
    pub(super) used: BTreeSet<u16>,
    /// What the machines that are being checked read from outside, the innermost last.
    pub(super) uses: Vec<Uses>,
    /// Where each state's name was seen first.
    pub(super) names: BTreeMap<String, String>,
    /// Where variables are assigned.
    pub(super) assigned: Vec<Assigned>,
    /// The machines that are being checked by number, the innermost last.
    pub(super) inside: Vec<usize>,
    /// The states of the machines that are being checked, the innermost last.
    pub(super) around: Vec<BTreeSet<String>>,
}

/// An object of the definition.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    pub(super) spot: &'a Spot,
    pub(super) pointer: &'a str,
}

/// A field of an object, with its pointer.
pub(super) struct Field<'a> {
    pub(super) key_start: usize,
    pub(super) spot: &'a Spot,
    pub(super) pointer: String,
}

impl<'a> Fields<'a> {
    pub(super) fn get(&self, name: &str) -> Option<Field<'a>> {
        self.spot.member(name).map(|member| self.field(member))
    }

    fn field(&self, member: &'a Member) -> Field<'a> {
        Field {
            key_start: member.start,
            spot: &member.value,
            pointer: child_pointer(self.pointer, &member.key),
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.spot.member(name).is_some()
    }
}

impl<'a> Checker<'a> {
    fn new(text: &'a str, functions: &'a [String]) -> Checker<'a> {
        Checker {
            lines: Lines::new(text),
            functions,
            problems: Vec::new(),
            machines: Vec::new(),
            used: BTreeSet::new(),
            assigned: Vec::new(),
            inside: Vec::new(),
            uses: Vec::new(),
            names: BTreeMap::new(),
            around: Vec::new(),
        }
    }

    /// The problems by position.
    fn told(&mut self) -> Vec<Problem> {
        self.problems.sort_by_key(|(offset, _)| *offset);
        self.problems
            .drain(..)
            .map(|(_, problem)| problem)
            .collect()
    }

    pub(super) fn report(
        &mut self,
        severity: Severity,
        offset: usize,
        pointer: &str,
        message: String,
        suggestion: Option<String>,
    ) {
        // An error is always told, or a definition with many warnings would be accepted.
        let full = self.problems.len() >= PROBLEMS;
        let told = self
            .problems
            .iter()
            .any(|(_, p)| p.severity == Severity::Error);
        if full && (severity == Severity::Warning || told) {
            return;
        }
        let place = self.lines.locate(offset);
        let problem = Problem {
            severity,
            pointer: pointer.to_owned(),
            line: place.line,
            column: place.column,
            message,
            suggestion,
            excerpt: place.excerpt,
        };
        self.problems.push((offset, problem));
    }

    pub(super) fn error(&mut self, offset: usize, pointer: &str, message: String) {
        self.report(Severity::Error, offset, pointer, message, None);
    }

    pub(super) fn error_advised(
        &mut self,
        offset: usize,
        pointer: &str,
        message: String,
        advice: String,
    ) {
        self.report(Severity::Error, offset, pointer, message, Some(advice));
    }

    pub(super) fn warn(&mut self, offset: usize, pointer: &str, message: String, advice: String) {
        self.report(Severity::Warning, offset, pointer, message, Some(advice));
    }

    /// What someone who wrote `name` may have meant; not asked for problems that are not told.
    pub(super) fn near<'c>(
        &self,
        name: &str,
        candidates: impl IntoIterator<Item = &'c str>,
    ) -> Option<&'c str> {
        if self.problems.len() >= PROBLEMS {
            return None;
        }
        nearest(name, candidates)
    }

    /// An error at a field's value.
    pub(super) fn wrong(&mut self, field: &Field<'_>, message: String) {
        self.error(field.spot.start, &field.pointer, message);
    }

    /// The same with what to do.
    pub(super) fn wrong_advised(
        &mut self,
        field: &Field<'_>,
        message: String,
        advice: Option<String>,
    ) {
        let start = field.spot.start;
        self.report(Severity::Error, start, &field.pointer, message, advice);
    }

    /// The value as an object.
    pub(super) fn object<'s>(
        &mut self,
        spot: &'s Spot,
        pointer: &'s str,
        what: &str,
    ) -> Option<Fields<'s>> {
        if spot.members().is_none() {
            let message = format!("{what} must be an object, not {}", spot.kind_name());
            self.error(spot.start, pointer, message);
            return None;
        }
        Some(Fields { spot, pointer })
    }

    /// Refuses fields that are not among `allowed`.
    pub(super) fn only(&mut self, fields: Fields<'_>, allowed: &[&str], what: &str) {
        for member in fields.spot.members().unwrap_or(&[]) {
            let key = member.key.as_str();
            if allowed.contains(&key) {
                continue;
            }
            let pointer = child_pointer(fields.pointer, key);
            let unsupported = fields::UNSUPPORTED.iter().find(|(field, ..)| *field == key);
            let (message, advice) = if let Some((_, needs, instead)) = unsupported {
                (
                    format!("`{key}` belongs to {needs}, which Keylane does not support"),
                    Some((*instead).to_owned()),
                )
            } else if let Some(near) = self.near(key, allowed.iter().copied()) {
                (
                    format!("{what} has no field `{key}`"),
                    Some(format!("did you mean `{near}`?")),
                )
            } else if let Some(instead) = fields::transition_instead(what, key) {
                (
                    format!("{what} has no field `{key}`"),
                    Some(instead.to_owned()),
                )
            } else if let Some(owners) = fields::owners(key) {
                (
                    format!("{what} has no field `{key}`"),
                    Some(format!("remove it, or move it: {owners}")),
                )
            } else {
                let known = allowed.join(", ");
                (
                    format!("{what} has no field `{key}`"),
                    Some(format!("its fields are {known}")),
                )
            };
            self.report(Severity::Error, member.start, &pointer, message, advice);
        }
    }

    /// The first that is there of fields which exclude each other.
    pub(super) fn one_of<'s>(
        &mut self,
        fields: Fields<'s>,
        names: &[&'static str],
    ) -> Option<(&'static str, Field<'s>)> {
        let mut found: Option<(&'static str, Field<'s>)> = None;
        for name in names {
            let Some(field) = fields.get(name) else {
                continue;
            };
            match &found {
                None => found = Some((name, field)),
                Some((first, _)) => self.error_advised(
                    field.key_start,
                    &field.pointer,
                    format!("`{name}` cannot stand beside `{first}`"),
                    "keep one of the two".to_owned(),
                ),
            }
        }
        found
    }
}
