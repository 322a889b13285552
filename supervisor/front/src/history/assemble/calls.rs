//! Events of calls.
//!
//! The service has two sets of words for them: `LambdaFunction...` where a Task's `Resource` is a
//! function, `Task...` where it is `arn:aws:states:::lambda:invoke`.

use super::super::event::{Details, EventType};
use super::{Assembly, TIMEOUTS, shown};
use keylane_policy::history::{Excerpt, Record};

/// Which words a state's calls are told in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Words {
    /// Those for a function as the resource.
    #[default]
    Function,
    /// Those for an integration as the resource.
    Task,
}

impl Words {
    pub(super) fn of(invoking: bool) -> Words {
        if invoking {
            Words::Task
        } else {
            Words::Function
        }
    }

    fn scheduled(self) -> EventType {
        match self {
            Words::Function => EventType::LambdaFunctionScheduled,
            Words::Task => EventType::TaskScheduled,
        }
    }

    fn started(self) -> EventType {
        match self {
            Words::Function => EventType::LambdaFunctionStarted,
            Words::Task => EventType::TaskStarted,
        }
    }

    fn succeeded(self) -> EventType {
        match self {
            Words::Function => EventType::LambdaFunctionSucceeded,
            Words::Task => EventType::TaskSucceeded,
        }
    }

    pub(super) fn failed(self) -> EventType {
        match self {
            Words::Function => EventType::LambdaFunctionFailed,
            Words::Task => EventType::TaskFailed,
        }
    }

    fn timed_out(self) -> EventType {
        match self {
            Words::Function => EventType::LambdaFunctionTimedOut,
            Words::Task => EventType::TaskTimedOut,
        }
    }
}

impl Assembly<'_> {
    /// What every event of an integration says of itself; one of a function says nothing.
    fn resource(&self, words: Words, function: u16) -> Details {
        if words == Words::Function {
            return Details::default();
        }
        Details {
            resource_type: Some("lambda".to_owned()),
            resource: self.known.functions.get(usize::from(function)).cloned(),
            ..Details::default()
        }
    }

    pub(super) fn scheduled(&mut self, record: &Record, function: u16, input: &Excerpt) {
        let words = self.walk(record.branch).words;
        let (text, input_details) = shown(input);
        let mut details = self.resource(words, function);
        details.input_details = input_details;
        match words {
            Words::Task => details.parameters = text,
            Words::Function => {
                details.resource = self.known.functions.get(usize::from(function)).cloned();
                details.input = text;
            }
        }
        self.push(record, words.scheduled(), details);
        let walk = self.walk(record.branch);
        walk.attempts = walk.attempts.saturating_add(1);
        walk.failure = None;
        let attempt = walk.attempts;
        if let Some(head) = self.last_head() {
            head.attempt = Some(attempt);
        }
        // A lane hands a call over as soon as it schedules it.
        let details = self.resource(words, function);
        self.push(record, words.started(), details);
    }

    pub(super) fn task_ended(
        &mut self,
        record: &Record,
        function: u16,
        error: Option<&(String, String)>,
    ) {
        let words = self.walk(record.branch).words;
        let mut details = self.resource(words, function);
        let Some((error, cause)) = error else {
            self.push(record, words.succeeded(), details);
            return;
        };
        let kind = if TIMEOUTS.contains(&error.as_str()) {
            words.timed_out()
        } else {
            words.failed()
        };
        details.error = Some(error.clone());
        details.cause = Some(cause.clone());
        self.push(record, kind, details);
        self.note_failure(record.branch);
    }
}
