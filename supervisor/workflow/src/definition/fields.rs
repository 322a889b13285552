//! Which fields each kind of state has.

/// Fields of every state.
const COMMON: &[&str] = &["Type", "Comment", "QueryLanguage"];
const FLOW: &[&str] = &["Next", "End"];
const PATHS: &[&str] = &["InputPath", "OutputPath"];
const RESULT: &[&str] = &["Parameters", "ResultPath"];
const WORK: &[&str] = &["ResultSelector", "Retry", "Catch"];
const ASSIGN: &[&str] = &["Assign"];
const TASK: &[&str] = &[
    "Resource",
    "TimeoutSeconds",
    "TimeoutSecondsPath",
    "HeartbeatSeconds",
    "HeartbeatSecondsPath",
    "Credentials",
];
const MAP: &[&str] = &[
    "ItemProcessor",
    "Iterator",
    "ItemsPath",
    "ItemSelector",
    "MaxConcurrency",
    "MaxConcurrencyPath",
    "ToleratedFailureCount",
    "ToleratedFailureCountPath",
    "ToleratedFailurePercentage",
    "ToleratedFailurePercentagePath",
];
const WAIT: &[&str] = &["Seconds", "SecondsPath", "Timestamp", "TimestampPath"];
const FAIL: &[&str] = &["Error", "ErrorPath", "Cause", "CausePath"];

/// Fields that the language has and Keylane does not support, with what they need.
pub(super) const UNSUPPORTED: &[(&str, &str)] = &[
    ("ItemReader", "distributed Map"),
    ("ItemBatcher", "distributed Map"),
    ("ResultWriter", "distributed Map"),
    ("Label", "distributed Map"),
    ("Arguments", "JSONata"),
    ("Output", "JSONata"),
    ("Items", "JSONata"),
    ("Condition", "JSONata"),
];

/// The kinds of states.
pub(super) const TYPES: [&str; 8] = [
    "Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map",
];

/// Fields of the whole definition.
pub(super) const TOP: &[&str] = &[
    "Comment",
    "StartAt",
    "States",
    "Version",
    "TimeoutSeconds",
    "QueryLanguage",
];

/// Fields of a branch.
pub(super) const BRANCH: &[&str] = &["Comment", "StartAt", "States"];

/// Fields of an item processor.
pub(super) const PROCESSOR: &[&str] = &["Comment", "StartAt", "States", "ProcessorConfig"];

/// The fields of a state of that type.
pub(super) fn of_type(kind: &str) -> Vec<&'static str> {
    let groups: &[&[&str]] = match kind {
        "Task" => &[FLOW, PATHS, RESULT, WORK, ASSIGN, TASK],
        "Parallel" => &[FLOW, PATHS, RESULT, WORK, ASSIGN, &["Branches"]],
        "Map" => &[FLOW, PATHS, RESULT, WORK, ASSIGN, MAP],
        "Pass" => &[FLOW, PATHS, RESULT, ASSIGN, &["Result"]],
        "Wait" => &[FLOW, PATHS, ASSIGN, WAIT],
        "Choice" => &[PATHS, ASSIGN, &["Choices", "Default"]],
        "Succeed" => &[PATHS],
        _ => &[FAIL],
    };
    std::iter::once(&COMMON)
        .chain(groups)
        .flat_map(|group| group.iter().copied())
        .collect()
}

/// Whether any kind of state has that field.
pub(super) fn known(field: &str) -> bool {
    TYPES.iter().any(|kind| of_type(kind).contains(&field))
}
