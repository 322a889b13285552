//! One state: its type, the fields that most types share, and the simple types.

use super::checker::{Checker, Field, Fields};
use super::fields;
use super::machine::Names;
use super::model::{Amount, Kind, Select, State, Wait, Work};
use super::values::SECONDS;
use crate::time;

impl Checker<'_> {
    pub(super) fn state(
        &mut self,
        name: &str,
        field: &Field<'_>,
        names: &Names<'_>,
    ) -> Option<State> {
        let state = self.object(field.spot, &field.pointer, "a state")?;
        let Some(kind) = state.get("Type") else {
            let advice = format!("it is one of {}", fields::TYPES.join(", "));
            let message = format!("the state {name:?} has no `Type`");
            self.error_advised(field.spot.start, &field.pointer, message, advice);
            return None;
        };
        let kind_name = self.string(&kind, "Type")?;
        let Some(kind_name) = fields::TYPES.iter().find(|known| **known == kind_name) else {
            let message = format!("there is no state type {kind_name:?}");
            let advice = match self.near(kind_name, fields::TYPES) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the types are {}", fields::TYPES.join(", ")),
            };
            self.error_advised(kind.spot.start, &kind.pointer, message, advice);
            return None;
        };
        let article = if kind_name.starts_with(['A', 'E', 'I', 'O']) {
            "an"
        } else {
            "a"
        };
        let allowed = fields::of_type(kind_name);
        self.only(state, &allowed, &format!("{article} {kind_name} state"));
        self.comment(state);
        self.language(state);
        let mut input = Select::Whole;
        let mut output = Select::Whole;
        let mut next = Some(None);
        if allowed.contains(&"InputPath") {
            input = self.select(state, "InputPath");
            output = self.select(state, "OutputPath");
        }
        if allowed.contains(&"Next") {
            next = self.next(state, names);
        }
        let assign = match allowed.contains(&"Assign") {
            true => self.assign(state),
            false => Some(None),
        };
        let kind = match *kind_name {
            "Task" => self
                .task(state, names)
                .map(|task| Kind::Task(Box::new(task))),
            "Parallel" => self.parallel(state, names),
            "Map" => self.map(state, names),
            "Pass" => self.pass(state),
            "Choice" => self.choice(state, names),
            "Wait" => self.wait(state).map(Kind::Wait),
            "Succeed" => Some(Kind::Succeed),
            _ => {
                let error = self.words(state, ["Error", "ErrorPath"]);
                let cause = self.words(state, ["Cause", "CausePath"]);
                Some(Kind::Fail { error, cause })
            }
        };
        Some(State {
            name: name.into(),
            pointer: field.pointer.as_str().into(),
            input,
            output,
            assign: assign?,
            next: next?,
            kind: kind?,
        })
    }

    /// The fields that Task, Parallel and Map share. A Map's `Parameters` are its `ItemSelector`.
    pub(super) fn work(&mut self, state: Fields<'_>, names: &Names<'_>) -> Option<Work> {
        let parameters = self.template(state, "Parameters");
        let selector = self.template(state, "ResultSelector");
        let place = self.place(state);
        let retry = self.retry(state);
        let catch = self.catch(state, names);
        Some(Work {
            parameters,
            selector,
            place: place?,
            retry: retry?,
            catch: catch?,
        })
    }

    fn pass(&mut self, state: Fields<'_>) -> Option<Kind> {
        if let Some(field) = state.get("Result") {
            self.taken_as_it_is(field.spot, &field.pointer);
        }
        let result = state
            .get("Result")
            .map(|field| crate::expression::Template::Literal(field.spot.node()));
        let parameters = self.template(state, "Parameters");
        let place = self.place(state)?;
        Some(Kind::Pass {
            parameters,
            result,
            place,
        })
    }

    fn wait(&mut self, state: Fields<'_>) -> Option<Wait> {
        let names = ["Seconds", "SecondsPath", "Timestamp", "TimestampPath"];
        let Some((name, field)) = self.one_of(state, &names) else {
            let message = "this Wait state does not say how long".to_owned();
            let advice = format!("it needs one of {}", names.join(", "));
            self.error_advised(state.spot.start, state.pointer, message, advice);
            return None;
        };
        match name {
            "Seconds" => {
                let seconds = self.number(&field, name, 0.0..=SECONDS, true)?;
                Some(Wait::Seconds(Amount::Fixed(seconds)))
            }
            "SecondsPath" => self
                .expression(&field, name)
                .map(|e| Wait::Seconds(Amount::At(e))),
            "TimestampPath" => self.expression(&field, name).map(Wait::UntilPath),
            _ => {
                let text = self.string(&field, name)?;
                let instant = time::parse(text);
                if instant.is_none() {
                    self.timestamp_wanted(&field, name);
                }
                instant.map(Wait::Until)
            }
        }
    }

    pub(super) fn timestamp_wanted(&mut self, field: &Field<'_>, name: &str) {
        let message = format!("`{name}` must be a timestamp such as 2016-08-18T17:33:00Z");
        self.wrong(field, message);
    }
}
