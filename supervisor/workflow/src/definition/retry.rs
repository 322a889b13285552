//! `Retry` and `Catch`.

use super::checker::{Checker, Fields};
use super::machine::Names;
use super::model::{Catcher, Retrier};
use super::values::SECONDS;
use crate::fault;
use crate::json::spot::Kind;

/// The error names that the language reserves.
const RESERVED: [&str; 17] = [
    fault::ALL,
    fault::TASK_FAILED,
    fault::TIMEOUT,
    fault::HEARTBEAT_TIMEOUT,
    fault::RUNTIME,
    fault::DATA_LIMIT,
    fault::INTRINSIC,
    fault::RESULT_PATH,
    fault::NO_CHOICE,
    fault::THRESHOLD,
    "States.Permissions",
    "States.ParameterPathFailure",
    "States.BranchFailed",
    "States.ItemReaderFailed",
    "States.ResultWriterFailed",
    "States.QueryEvaluationError",
    "States.Http.Socket",
];

const RETRIER: &[&str] = &[
    "ErrorEquals",
    "IntervalSeconds",
    "MaxAttempts",
    "BackoffRate",
    "MaxDelaySeconds",
    "JitterStrategy",
    "Comment",
];
const CATCHER: &[&str] = &["ErrorEquals", "Next", "ResultPath", "Assign", "Comment"];

impl Checker<'_> {
    pub(super) fn retry(&mut self, state: Fields<'_>) -> Option<Vec<Retrier>> {
        self.handlers(state, "Retry", |checker, fields, last| {
            checker.retrier(fields, last)
        })
    }

    pub(super) fn catch(&mut self, state: Fields<'_>, names: &Names<'_>) -> Option<Vec<Catcher>> {
        self.handlers(state, "Catch", |checker, fields, last| {
            checker.only(fields, CATCHER, "a catcher");
            let errors = checker.error_equals(fields, last);
            let next = match fields.get("Next") {
                Some(next) => checker.target(&next, "Next", names),
                None => {
                    let message = "a catcher needs `Next`".to_owned();
                    let advice = "name the state that goes on after the error".to_owned();
                    checker.error_advised(fields.spot.start, fields.pointer, message, advice);
                    None
                }
            };
            let place = checker.place(fields);
            let assign = checker.assign(fields);
            Some(Catcher {
                errors: errors?,
                next: next?,
                place: place?,
                assign: assign?,
            })
        })
    }

    fn handlers<T>(
        &mut self,
        state: Fields<'_>,
        name: &str,
        mut one: impl FnMut(&mut Self, Fields<'_>, bool) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Some(field) = state.get(name) else {
            return Some(Vec::new());
        };
        let Kind::Array(elements) = &field.spot.kind else {
            let kind = field.spot.kind_name();
            self.wrong(&field, format!("`{name}` must be an array, not {kind}"));
            return None;
        };
        let mut handlers = Vec::new();
        for (place, element) in elements.iter().enumerate() {
            let pointer = format!("{}/{place}", field.pointer);
            let what = format!("an element of `{name}`");
            let handler = match self.object(element, &pointer, &what) {
                Some(fields) => one(self, fields, place + 1 == elements.len()),
                None => None,
            };
            handlers.push(handler);
        }
        handlers.into_iter().collect()
    }

    fn retrier(&mut self, fields: Fields<'_>, last: bool) -> Option<Retrier> {
        self.only(fields, RETRIER, "a retrier");
        let errors = self.error_equals(fields, last);
        let mut number = |name: &str, default: f64, least: f64, whole: bool| match fields.get(name)
        {
            Some(field) => self.number(&field, name, least..=SECONDS, whole),
            None => Some(default),
        };
        let interval = number("IntervalSeconds", 1.0, 1.0, true);
        let attempts = number("MaxAttempts", 3.0, 0.0, true);
        let rate = number("BackoffRate", 2.0, 1.0, false);
        let most = number("MaxDelaySeconds", 0.0, 1.0, true);
        if let (Some(field), Some(most), Some(interval)) =
            (fields.get("MaxDelaySeconds"), most, interval)
            && most <= interval
        {
            let message = "`MaxDelaySeconds` must be more than `IntervalSeconds`".to_owned();
            self.wrong(&field, message);
        }
        let jitter = match fields.get("JitterStrategy") {
            None => Some(false),
            Some(field) => match self.string(&field, "JitterStrategy") {
                Some("FULL") => Some(true),
                Some("NONE") => Some(false),
                Some(_) => {
                    self.wrong(&field, "`JitterStrategy` must be FULL or NONE".to_owned());
                    None
                }
                None => None,
            },
        };
        Some(Retrier {
            errors: errors?,
            interval: interval?,
            attempts: format!("{:.0}", attempts?).parse().ok()?,
            rate: rate?,
            most: most.filter(|most| *most > 0.0),
            jitter: jitter?,
        })
    }

    fn error_equals(&mut self, fields: Fields<'_>, last: bool) -> Option<Vec<String>> {
        let Some(field) = fields.get("ErrorEquals") else {
            let message = "`ErrorEquals` is missing".to_owned();
            let advice = "list the errors that this is for, or [\"States.ALL\"] for any".to_owned();
            self.error_advised(fields.spot.start, fields.pointer, message, advice);
            return None;
        };
        let names = match &field.spot.kind {
            Kind::Array(elements) if !elements.is_empty() => elements
                .iter()
                .map(|e| e.as_str().map(str::to_owned))
                .collect::<Option<Vec<_>>>(),
            _ => None,
        };
        let Some(names) = names else {
            let message = "`ErrorEquals` must be an array of at least one error name".to_owned();
            let name = field.spot.as_str().filter(|name| name.len() <= 80);
            let advice = name.map(|name| format!("write [{name:?}]"));
            self.wrong_advised(&field, message, advice);
            return None;
        };
        if names.iter().any(|name| name == fault::ALL) {
            if names.len() > 1 {
                let message = "`States.ALL` must be alone in its `ErrorEquals`".to_owned();
                let advice = "remove the other names, which it includes".to_owned();
                self.wrong_advised(&field, message, Some(advice));
            }
            if !last {
                let message = "`States.ALL` must be in the last element, as nothing after it \
                               could match"
                    .to_owned();
                let advice = "move this element to the end".to_owned();
                self.wrong_advised(&field, message, Some(advice));
            }
        }
        for name in &names {
            if !name.starts_with("States.") || RESERVED.contains(&name.as_str()) {
                continue;
            }
            let message = format!(
                "the language has no error `{name}`, and only its own begin with `States.`"
            );
            match self.near(name, RESERVED) {
                Some(near) => {
                    let advice = format!("did you mean `{near}`?");
                    self.error_advised(field.spot.start, &field.pointer, message, advice);
                }
                None => self.wrong(&field, message),
            }
        }
        Some(names)
    }
}
