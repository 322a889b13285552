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

/// Fields that the language has and Keylane does not support, with what they need and what there
/// is instead.
pub(super) const UNSUPPORTED: &[(&str, &str, &str)] = &[
    (
        "ItemReader",
        "distributed Map",
        "let a function read the items, and name them in `ItemsPath`",
    ),
    (
        "ItemBatcher",
        "distributed Map",
        "`States.ArrayPartition` makes batches of an array",
    ),
    (
        "ResultWriter",
        "distributed Map",
        "let a function write the results, which this state's output holds",
    ),
    ("Label", "distributed Map", "remove it"),
    ("Arguments", "JSONata", "use `Parameters`"),
    (
        "Output",
        "JSONata",
        "use `ResultSelector`, `ResultPath` and `OutputPath`",
    ),
    ("Items", "JSONata", "use `ItemsPath`"),
    ("Condition", "JSONata", "use `Variable` and a comparator"),
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

/// What stands in the place of `Next` and `End` in states that have neither.
pub(super) fn transition_instead(what: &str, key: &str) -> Option<&'static str> {
    match (what, key) {
        ("a Choice state", "Next" | "End") => {
            Some("each rule has a `Next`, and `Default` is for all other cases")
        }
        ("a Succeed state" | "a Fail state", "Next" | "End") => {
            Some("remove it: such a state is always an end")
        }
        _ => None,
    }
}

/// Who has that field, if any part of a definition does.
pub(super) fn owners(field: &str) -> Option<String> {
    let mut owners: Vec<&str> = TYPES
        .iter()
        .filter(|kind| of_type(kind).contains(&field))
        .copied()
        .collect();
    let whole = TOP.contains(&field) && field != "Comment";
    let last = owners.pop();
    let states = match (owners.is_empty(), last) {
        (_, None) => None,
        (true, Some(only)) => Some(format!("{only} states have it")),
        (false, Some(last)) => Some(format!("{} and {last} states have it", owners.join(", "))),
    };
    match (states, whole) {
        (None, false) => None,
        (None, true) => Some("the whole definition has it".to_owned()),
        (Some(states), false) => Some(states),
        (Some(states), true) => Some(format!("the whole definition and {states}")),
    }
}
