//! One event of a history, shaped as the Step Functions API shapes it (GetExecutionHistory), with
//! what Keylane knows beyond it: `at_ns`, `lane`, `branch`, `pointer`, `attempt`, `retry`, `caught`.

use keylane_policy::abi::message::LaneId;
use serde::de::Error as _;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// The types of events that Keylane tells, named as the API's `HistoryEventType` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the API documents them")]
pub enum EventType {
    ChoiceStateEntered,
    ChoiceStateExited,
    ExecutionAborted,
    ExecutionFailed,
    ExecutionStarted,
    ExecutionSucceeded,
    ExecutionTimedOut,
    FailStateEntered,
    LambdaFunctionFailed,
    LambdaFunctionScheduled,
    LambdaFunctionStarted,
    LambdaFunctionSucceeded,
    LambdaFunctionTimedOut,
    MapIterationAborted,
    MapIterationFailed,
    MapIterationStarted,
    MapIterationSucceeded,
    MapStateAborted,
    MapStateEntered,
    MapStateExited,
    MapStateFailed,
    MapStateStarted,
    MapStateSucceeded,
    ParallelStateAborted,
    ParallelStateEntered,
    ParallelStateExited,
    ParallelStateFailed,
    ParallelStateStarted,
    ParallelStateSucceeded,
    PassStateEntered,
    PassStateExited,
    SucceedStateEntered,
    SucceedStateExited,
    TaskFailed,
    TaskScheduled,
    TaskStarted,
    TaskStateAborted,
    TaskStateEntered,
    TaskStateExited,
    TaskSucceeded,
    TaskTimedOut,
    WaitStateAborted,
    WaitStateEntered,
    WaitStateExited,
}

use EventType as T;

impl EventType {
    /// The event of entering a state of this `Type`.
    pub fn entered(kind: &str) -> Option<EventType> {
        Some(match kind {
            "Choice" => T::ChoiceStateEntered,
            "Fail" => T::FailStateEntered,
            "Map" => T::MapStateEntered,
            "Parallel" => T::ParallelStateEntered,
            "Pass" => T::PassStateEntered,
            "Succeed" => T::SucceedStateEntered,
            "Task" => T::TaskStateEntered,
            "Wait" => T::WaitStateEntered,
            _ => return None,
        })
    }

    /// The event of leaving a state of this `Type`.
    pub fn exited(kind: &str) -> Option<EventType> {
        Some(match kind {
            "Choice" => T::ChoiceStateExited,
            "Map" => T::MapStateExited,
            "Parallel" => T::ParallelStateExited,
            "Pass" => T::PassStateExited,
            "Succeed" => T::SucceedStateExited,
            "Task" => T::TaskStateExited,
            "Wait" => T::WaitStateExited,
            _ => return None,
        })
    }

    /// The event of a state of this `Type` that something outside of it stopped.
    pub fn aborted(kind: &str) -> Option<EventType> {
        Some(match kind {
            "Map" => T::MapStateAborted,
            "Parallel" => T::ParallelStateAborted,
            "Task" => T::TaskStateAborted,
            "Wait" => T::WaitStateAborted,
            _ => return None,
        })
    }

    /// The `Type` of the state that an event of entering enters.
    pub fn enters(self) -> Option<&'static str> {
        let kinds = [
            "Choice", "Fail", "Map", "Parallel", "Pass", "Succeed", "Task", "Wait",
        ];
        kinds
            .into_iter()
            .find(|kind| EventType::entered(kind) == Some(self))
    }

    /// Whether it is the event of leaving a state.
    pub fn exits(self) -> bool {
        matches!(
            self,
            T::ChoiceStateExited
                | T::MapStateExited
                | T::ParallelStateExited
                | T::PassStateExited
                | T::SucceedStateExited
                | T::TaskStateExited
                | T::WaitStateExited
        )
    }

    /// The member that holds an event's details. Where the API has none for a type, it is
    /// `details`.
    fn details(self) -> &'static str {
        match self {
            T::ExecutionAborted => "executionAbortedEventDetails",
            T::ExecutionFailed => "executionFailedEventDetails",
            T::ExecutionStarted => "executionStartedEventDetails",
            T::ExecutionSucceeded => "executionSucceededEventDetails",
            T::ExecutionTimedOut => "executionTimedOutEventDetails",
            T::LambdaFunctionFailed => "lambdaFunctionFailedEventDetails",
            T::LambdaFunctionScheduled => "lambdaFunctionScheduledEventDetails",
            T::LambdaFunctionSucceeded => "lambdaFunctionSucceededEventDetails",
            T::LambdaFunctionTimedOut => "lambdaFunctionTimedOutEventDetails",
            T::MapIterationAborted => "mapIterationAbortedEventDetails",
            T::MapIterationFailed => "mapIterationFailedEventDetails",
            T::MapIterationStarted => "mapIterationStartedEventDetails",
            T::MapIterationSucceeded => "mapIterationSucceededEventDetails",
            T::MapStateStarted => "mapStateStartedEventDetails",
            T::TaskFailed => "taskFailedEventDetails",
            T::TaskScheduled => "taskScheduledEventDetails",
            T::TaskStarted => "taskStartedEventDetails",
            T::TaskSucceeded => "taskSucceededEventDetails",
            T::TaskTimedOut => "taskTimedOutEventDetails",
            other if other.enters().is_some() => "stateEnteredEventDetails",
            other if other.exits() => "stateExitedEventDetails",
            _ => "details",
        }
    }
}

/// How much of a text is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Extent {
    /// Whether anything is missing.
    pub truncated: bool,
    /// Bytes of the whole; an estimate from below where nobody wrote the whole.
    pub bytes: u64,
}

/// The details of an event, under the API's names; each type uses a few of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[expect(missing_docs, reason = "the API documents them")]
pub struct Details {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_details: Option<Extent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_details: Option<Extent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

/// Another attempt that follows a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// Which retry it will be, from 1.
    pub attempt: u64,
    /// When it is due, in nanoseconds since the execution's start.
    pub at_ns: u64,
}

/// What an event has beside its type and its details.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Head {
    /// Its number, from 1, in order of time.
    pub id: u64,
    /// The event that led to it; 0 for the first.
    #[serde(rename = "previousEventId")]
    pub previous: u64,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// When: RFC 3339 with milliseconds.
    pub timestamp: String,
    /// When: nanoseconds since the execution's start.
    pub at_ns: u64,
    /// The lane that did it; none for the execution's own beginning and end.
    #[serde(default)]
    pub lane: Option<LaneId>,
    /// Which walk through the definition: 0 is the execution's own, each branch has another.
    #[serde(default)]
    pub branch: u64,
    /// JSON pointer to the state that is entered.
    #[serde(default)]
    pub pointer: Option<String>,
    /// Which attempt a call is, from 1.
    #[serde(default)]
    pub attempt: Option<u64>,
    /// The attempt that follows this failure.
    #[serde(default)]
    pub retry: Option<Retry>,
    /// Whether a catcher led on from the state that is left.
    #[serde(default)]
    pub caught: bool,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When, where, which.
    pub head: Head,
    /// What.
    pub details: Details,
}

/// The head beside details under a name that depends on the type.
#[derive(Deserialize)]
struct Flat {
    #[serde(flatten)]
    head: Head,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let head = &self.head;
        map.serialize_entry("id", &head.id)?;
        map.serialize_entry("previousEventId", &head.previous)?;
        map.serialize_entry("type", &head.kind)?;
        map.serialize_entry("timestamp", &head.timestamp)?;
        map.serialize_entry("at_ns", &head.at_ns)?;
        if let Some(lane) = &head.lane {
            map.serialize_entry("lane", lane)?;
        }
        map.serialize_entry("branch", &head.branch)?;
        if let Some(pointer) = &head.pointer {
            map.serialize_entry("pointer", pointer)?;
        }
        if let Some(attempt) = &head.attempt {
            map.serialize_entry("attempt", attempt)?;
        }
        if let Some(retry) = &head.retry {
            map.serialize_entry("retry", retry)?;
        }
        if head.caught {
            map.serialize_entry("caught", &true)?;
        }
        if self.details != Details::default() {
            map.serialize_entry(head.kind.details(), &self.details)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Event, D::Error> {
        let Flat { head, mut rest } = Flat::deserialize(deserializer)?;
        let details = match rest.remove(head.kind.details()) {
            Some(details) => serde_json::from_value(details).map_err(D::Error::custom)?,
            None => Details::default(),
        };
        Ok(Event { head, details })
    }
}
