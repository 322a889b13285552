//! A machine: `StartAt`, `States`, and the fields around them.

use super::checker::{Checker, Field, Fields};
use super::fields;
use super::model::{Kind, Machine, State, Uses};
use crate::json::spot::Spot;

/// Characters of a state's name; the service's limit.
const NAME: usize = 80;

/// States that are listed where one is not found.
const LISTED: usize = 8;

/// States that a suggestion is looked for among.
const CANDIDATES: usize = 1000;

/// The names of the states of one machine, in order.
pub(super) struct Names<'a> {
    names: Vec<&'a str>,
    places: std::collections::BTreeMap<&'a str, usize>,
}

impl<'a> Names<'a> {
    fn of(states: Fields<'a>) -> Names<'a> {
        let members = states.spot.members().unwrap_or(&[]);
        let names: Vec<&str> = members.iter().map(|member| member.key.as_str()).collect();
        let places = names
            .iter()
            .enumerate()
            .map(|(place, name)| (*name, place))
            .collect();
        Names { names, places }
    }
}

impl Checker<'_> {
    /// The whole definition; its `TimeoutSeconds`.
    pub(super) fn whole(&mut self, root: &Spot) -> Option<u64> {
        let whole = self.object(root, "", "a definition")?;
        self.only(whole, fields::TOP, "a definition");
        if let Some(version) = whole.get("Version")
            && self
                .string(&version, "Version")
                .is_some_and(|version| version != "1.0")
        {
            self.wrong(&version, "the only `Version` is \"1.0\"".to_owned());
        }
        self.language(whole);
        let timeout = whole.get("TimeoutSeconds").and_then(|field| {
            self.number(&field, "TimeoutSeconds", 1.0..=super::values::SECONDS, true)
        });
        self.machine(whole);
        self.shadows();
        // The number is an integer within bounds.
        timeout.and_then(|seconds| format!("{seconds:.0}").parse().ok())
    }

    /// Refuses any `QueryLanguage` but JSONPath.
    pub(super) fn language(&mut self, fields: Fields<'_>) {
        let Some(field) = fields.get("QueryLanguage") else {
            return;
        };
        match self.string(&field, "QueryLanguage") {
            None | Some("JSONPath") => {}
            Some("JSONata") => self.wrong(
                &field,
                "`QueryLanguage` JSONata is not supported by Keylane; use JSONPath".to_owned(),
            ),
            Some(_) => self.wrong(&field, "`QueryLanguage` must be JSONPath".to_owned()),
        }
    }

    /// The number of the machine that `fields` describe. Recursion (a state may hold machines) is
    /// bounded by the definition's depth.
    pub(super) fn machine(&mut self, fields: Fields<'_>) -> usize {
        let number = self.machines.len();
        self.machines.push(None);
        self.comment(fields);
        self.uses.push(Uses::default());
        self.inside.push(number);
        let checked = self.states(fields);
        self.inside.pop();
        let uses = self.uses.pop().unwrap_or_default();
        if let Some(outer) = self.uses.last_mut() {
            outer.execution_input |= uses.execution_input;
            outer.map_item |= uses.map_item;
            outer.variables.extend(uses.variables.iter().cloned());
        }
        if let Some((start, states)) = checked {
            let waits = self.waits(start, &states);
            let machine = Machine {
                waits,
                pointer: fields.pointer.into(),
                start,
                states,
                uses,
            };
            if let Some(entry) = self.machines.get_mut(number) {
                *entry = Some(machine);
            }
        }
        number
    }

    pub(super) fn comment(&mut self, fields: Fields<'_>) {
        if let Some(comment) = fields.get("Comment") {
            self.string(&comment, "Comment");
        }
    }

    fn states(&mut self, fields: Fields<'_>) -> Option<(usize, Vec<State>)> {
        let at = fields.spot.start;
        let Some(states) = fields.get("States") else {
            let advice = "`States` holds each state under its name".to_owned();
            let message = "`States` is missing".to_owned();
            self.error_advised(at, fields.pointer, message, advice);
            return None;
        };
        let states_pointer = states.pointer.clone();
        if matches!(states.spot.kind, crate::json::spot::Kind::Array(_)) {
            let message = "`States` must be an object, not an array".to_owned();
            let advice = "write each state under its name: `\"Name\": {...}`".to_owned();
            self.wrong_advised(&states, message, Some(advice));
            return None;
        }
        let members = self.object(states.spot, &states_pointer, "`States`")?;
        let names = Names::of(members);
        if names.names.is_empty() {
            self.wrong(&states, "`States` holds no state".to_owned());
        }
        let start = match fields.get("StartAt") {
            Some(field) => self.target(&field, "StartAt", &names),
            None => {
                let advice = match names.names.first() {
                    Some(first) if first.chars().count() <= NAME => {
                        format!("name the first state, as in `\"StartAt\": {first:?}`")
                    }
                    _ => "name the first state".to_owned(),
                };
                let message = "`StartAt` is missing".to_owned();
                self.error_advised(at, fields.pointer, message, advice);
                None
            }
        };
        let all = names.names.iter().map(|name| (*name).to_owned());
        self.around.push(all.collect());
        let mut checked = Vec::new();
        for name in &names.names {
            let Some(field) = members.get(name) else {
                continue;
            };
            self.name(name, &field);
            if name.chars().count() <= NAME {
                checked.push(self.state(name, &field, &names));
            }
        }
        self.around.pop();
        self.graph(&checked, start, members, &states);
        let checked = checked.into_iter().collect::<Option<Vec<_>>>()?;
        Some((start?, checked))
    }

    fn name(&mut self, name: &str, field: &Field<'_>) {
        let length = name.chars().count();
        if length == 0 || length > NAME {
            let message = format!("a state's name has 1 to {NAME} characters, this has {length}");
            self.error(field.key_start, &field.pointer, message);
            return;
        }
        if let Some(first) = self.names.get(name) {
            let message = format!("a second state is named {name:?}; the first is at {first}");
            let advice = "names are unique in the whole definition".to_owned();
            self.error_advised(field.key_start, &field.pointer, message, advice);
            return;
        }
        self.names.insert(name.to_owned(), field.pointer.clone());
    }

    /// The state that a field names.
    pub(super) fn target(
        &mut self,
        field: &Field<'_>,
        what: &str,
        names: &Names<'_>,
    ) -> Option<usize> {
        let name = self.string(field, what)?;
        if let Some(place) = names.places.get(name) {
            return Some(*place);
        }
        let message = format!("`{what}` names the state {name:?}, which is not there");
        match self.near(name, names.names.iter().take(CANDIDATES).copied()) {
            Some(near) => self.error_advised(
                field.spot.start,
                &field.pointer,
                message,
                format!("did you mean {near:?}?"),
            ),
            None if self.is_elsewhere(name) => self.error_advised(
                field.spot.start,
                &field.pointer,
                message,
                "a transition cannot leave or enter a branch or an item processor".to_owned(),
            ),
            None => {
                let few = names.names.len() <= LISTED;
                let advice = few.then(|| format!("its states are {}", names.names.join(", ")));
                self.wrong_advised(field, message, advice.filter(|a| a.len() <= 200));
            }
        }
        None
    }

    /// Whether a state of that name is in another machine.
    fn is_elsewhere(&self, name: &str) -> bool {
        self.names.contains_key(name) || self.around.iter().any(|names| names.contains(name))
    }

    /// `Next` or `End` of a state: `Ok(None)` where the machine ends.
    pub(super) fn next(&mut self, fields: Fields<'_>, names: &Names<'_>) -> Option<Option<usize>> {
        let end = fields.get("End").filter(|end| match end.spot.kind {
            crate::json::spot::Kind::Bool(value) => value,
            _ => {
                let kind = end.spot.kind_name();
                self.wrong(end, format!("`End` must be true or false, not {kind}"));
                true
            }
        });
        match (fields.get("Next"), end) {
            (Some(next), None) => self.target(&next, "Next", names).map(Some),
            (None, Some(_)) => Some(None),
            (Some(_), Some(end)) => {
                let message = "a state has `Next` or `\"End\": true`, not both".to_owned();
                let advice = "keep `Next` if another state follows, or `End` if none does";
                self.error_advised(end.key_start, &end.pointer, message, advice.to_owned());
                None
            }
            (None, None) => {
                let at = fields.spot.start;
                self.error_advised(
                    at,
                    fields.pointer,
                    "this state leads nowhere: it has neither `Next` nor `\"End\": true`"
                        .to_owned(),
                    "name the next state or end the machine here".to_owned(),
                );
                None
            }
        }
    }
}

/// Whether a machine can end in such a state.
pub(super) fn is_terminal(state: &State) -> bool {
    match state.kind {
        Kind::Succeed | Kind::Fail { .. } => true,
        Kind::Choice { .. } => false,
        _ => state.next.is_none(),
    }
}
