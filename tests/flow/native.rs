//! Native functions from end to end: what they answer, how they fail, what comes after.

use keylane_tests::native::{C, CXX, RUST};
use keylane_tests::project::Project;
use keylane_tests::{Said, deadline, finish_with, keylane};
use serde_json::{Value, json};

/// Runs inputs through one deployment of one native function on one lane.
fn stream(object: &[u8], symbol: &str, settings: &str, inputs: &[Value]) -> (Said, Vec<Value>) {
    let project = Project::native(object, symbol);
    project.append(settings);
    let mut command = keylane([
        "run",
        project.arg(),
        "--stream",
        "--json",
        "-q",
        "--lanes",
        "1",
    ]);
    let lines: String = inputs.iter().map(|input| format!("{input}\n")).collect();
    let said = finish_with(&mut command, lines.as_bytes());
    let reports = said.reports();
    assert_eq!(reports.len(), inputs.len(), "{said:#?}");
    (said, reports)
}

/// What a function answers to each input.
#[track_caller]
fn answers(object: &[u8], symbol: &str, inputs: &[Value]) -> Vec<Value> {
    let (said, reports) = stream(object, symbol, "", inputs);
    said.expect_code(0);
    reports
        .iter()
        .map(|report| report["output"].clone())
        .collect()
}

/// That each event fails with its error and words of its cause, by the function's fault, and that
/// the events between and after them are answered.
#[track_caller]
fn fails(object: &[u8], symbol: &str, settings: &str, wanted: &[(&str, &str, &str)]) {
    let inputs: Vec<Value> = wanted
        .iter()
        .flat_map(|(event, ..)| [json!(event), json!("good")])
        .collect();
    let (said, reports) = stream(object, symbol, settings, &inputs);
    said.expect_code(1);
    for ((event, error, cause), pair) in wanted.iter().zip(reports.chunks(2)) {
        let told = &pair[0]["error"];
        assert_eq!(told["error"], *error, "{event}: {told}");
        assert_eq!(told["blame"], "function", "{event}: {told}");
        assert_eq!(told["function"], "f", "{event}: {told}");
        let why = told["cause"].as_str().unwrap();
        assert!(why.contains(cause), "{event}: {why}");
        assert_eq!(pair[1]["output"], "fine", "after {event}: {said:#?}");
    }
}

#[test]
fn a_workflow_of_python_rust_and_c_hands_values_on_also_through_a_map() {
    let task = |name: &str, onward: Value| {
        let mut state = json!({"Type": "Task", "Resource": name});
        let members = state.as_object_mut().unwrap();
        members.extend(onward.as_object().unwrap().clone());
        state
    };
    let definition = json!({
        "StartAt": "fetch",
        "States": {
            "fetch": task("fetch", json!({"Next": "each"})),
            "each": {
                "Type": "Map",
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "INLINE"},
                    "StartAt": "double",
                    "States": {
                        "double": task("double", json!({"Next": "increment"})),
                        "increment": task("increment", json!({"End": true})),
                    },
                },
                "Next": "add",
            },
            "add": task("add", json!({"End": true})),
        },
    });
    let fetch = "def handler(event, context):\n\
        \x20   return [{'value': n, 'by': ['python']} for n in range(event)]\n";
    let add = "def handler(event, context):\n\
        \x20   by = {tuple(step['by']) for step in event}\n\
        \x20   return {'sum': sum(step['value'] for step in event), 'by': sorted(by)}\n";
    let project = Project::with(&definition.to_string(), &[("fetch", fetch), ("add", add)]);
    project.add_native("double", RUST, "keylane_function");
    project.add_native("increment", C, "keylane_function");
    let count = 300;
    let mut command = keylane(["run", project.arg(), "--json", "-q", "--lanes", "2"]);
    let said = finish_with(command.args(["--input", &count.to_string()]), b"");
    said.expect_code(0);
    let report = said.json();
    let by = json!([["python", "rust double", "c increment"]]);
    let sum: u64 = (0..count).map(|n| 2 * n + 1).sum();
    assert_eq!(report["output"], json!({"sum": sum, "by": by}));
    for function in report["functions"].as_array().unwrap() {
        let forks = function["forks"].as_u64().unwrap();
        assert!((1..=2).contains(&forks), "{function}");
    }
}

#[test]
fn rust_functions_read_and_write_what_serde_can() {
    assert_eq!(
        answers(RUST, "sum", &[json!([1, 2, 3]), json!([])]),
        [json!(6), json!(0)]
    );
    let wrong = [(
        "text",
        "Runtime.UnmarshalError",
        "not what the function takes: invalid type: string",
    )];
    let (said, reports) = stream(RUST, "sum", "", &[json!("text"), json!([4])]);
    said.expect_code(1);
    assert_eq!(reports[0]["error"]["error"], wrong[0].1);
    assert!(
        reports[0]["error"]["cause"]
            .as_str()
            .unwrap()
            .contains(wrong[0].2),
        "{}",
        reports[0]
    );
    assert_eq!(reports[1]["output"], 4);
}

#[test]
fn raw_json_of_many_megabytes_passes_through_untouched() {
    let large = json!({"text": "grüße ".repeat(1_000_000)});
    let inputs = [
        json!([1.5e300, "\u{0}\u{1F980}"]),
        large.clone(),
        json!("not json"),
    ];
    let (_, reports) = stream(RUST, "raw", "", &inputs);
    assert_eq!(reports[0]["output"], inputs[0]);
    assert!(
        reports[1]["output"] == large,
        "seven megabytes came back changed"
    );
    assert_eq!(
        reports[2]["error"]["error"], "Keylane.InvalidResult",
        "{}",
        reports[2]
    );
}

#[test]
fn rust_functions_have_threads_storage_of_their_own_a_deadline_and_warm_state() {
    let inputs = [
        "count",
        "threads",
        "thread panic",
        "count",
        "remaining",
        "nan",
    ]
    .map(|text| json!(text));
    let answers = answers(RUST, "culprit", &inputs);
    assert_eq!(answers[0], 1);
    assert_eq!(
        answers[1],
        json!([28, 1]),
        "storage is shared between threads"
    );
    assert_eq!(answers[2], true);
    assert_eq!(answers[3], 2, "the worker did not stay");
    let remaining = answers[4].as_u64().unwrap();
    assert!(
        (30..=60).contains(&remaining),
        "{remaining} s of 60 are left"
    );
    assert_eq!(answers[5], Value::Null);
}

#[test]
fn errors_of_rust_functions_reach_the_workflow_under_their_names() {
    fails(
        RUST,
        "culprit",
        "",
        &[
            ("error", "NoSuchTrade", "trade 7 is not there"),
            ("parse", "ParseIntError", "invalid digit found in string"),
            ("reserved", "Keylane.ReservedErrorName", "States.Timeout"),
            ("panic", "Panic", "no trade 7"),
            ("panic", "Panic", "culprit.rs:"),
            ("index", "Panic", "index out of bounds"),
        ],
    );
}

#[test]
fn ends_of_rust_functions_are_told_and_the_next_call_gets_a_worker() {
    fails(
        RUST,
        "culprit",
        &format!("timeout = {}\n", deadline(2)),
        &[
            ("abort", "Lambda.Unknown", "SIGABRT"),
            ("exit", "Lambda.Unknown", "exited with status 3"),
            ("segfault", "Lambda.Unknown", "SIGSEGV"),
            ("overflow", "Lambda.Unknown", "ended without an answer"),
            (
                "spin",
                "States.Timeout",
                &format!("did not answer within {}.000 s", deadline(2)),
            ),
            (
                "sleep",
                "States.Timeout",
                &format!("did not answer within {}.000 s", deadline(2)),
            ),
        ],
    );
}

#[test]
fn errors_and_ends_of_c_functions_are_told_and_the_next_call_gets_a_worker() {
    fails(
        C,
        "culprit",
        &format!("timeout = {}\n", deadline(2)),
        &[
            ("error", "NoSuchTrade", "trade 7 is not there"),
            ("reserved", "Keylane.ReservedErrorName", "Lambda.Unknown"),
            ("no json", "Keylane.InvalidResult", "not JSON"),
            ("abort", "Lambda.Unknown", "SIGABRT"),
            ("exit", "Lambda.Unknown", "exited with status 3"),
            ("segfault", "Lambda.Unknown", "SIGSEGV"),
            ("divide", "Lambda.Unknown", "SIGFPE"),
            ("illegal", "Lambda.Unknown", "SIGILL"),
            ("double free", "Lambda.Unknown", "SIGABRT"),
            (
                "spin",
                "States.Timeout",
                &format!("did not answer within {}.000 s", deadline(2)),
            ),
            (
                "block",
                "States.Timeout",
                &format!("did not answer within {}.000 s", deadline(2)),
            ),
        ],
    );
}

#[test]
fn a_thread_that_a_c_function_leaves_behind_goes_with_its_worker() {
    let inputs = ["stray thread", "good", "good"].map(|text| json!(text));
    assert_eq!(
        answers(C, "culprit", &inputs),
        [json!("fine"), json!("fine"), json!("fine")]
    );
}

#[test]
fn exceptions_of_cxx_functions_become_errors_under_their_classes() {
    assert_eq!(
        answers(CXX, "keylane_function", &[json!("caught"), json!("good")]),
        [json!("caught: trade 7 is not there"), json!("fine")]
    );
    fails(
        CXX,
        "keylane_function",
        "",
        &[
            ("uncaught", "trades::NoSuchTrade", "trade 7 is not there"),
            ("standard", "std::out_of_range", "vector"),
            ("number", "int", "no std::exception"),
        ],
    );
}

#[test]
fn an_exception_that_escapes_from_a_function_ends_its_worker_and_no_other() {
    fails(
        CXX,
        "escaping",
        "",
        &[("throw", "Lambda.Unknown", "SIGABRT")],
    );
}

#[test]
fn output_of_native_functions_is_shown_with_their_names_also_of_one_that_crashes() {
    let project = Project::native(RUST, "culprit");
    let said = finish_with(
        &mut keylane(["run", project.arg(), "--input", "\"print\""]),
        b"",
    );
    said.expect_code(0);
    assert!(said.err.contains("printed by rust"), "{}", said.err);
    assert!(said.err.contains("warned by rust"), "{}", said.err);
    let said = finish_with(
        &mut keylane(["run", project.arg(), "--input", "\"segfault\""]),
        b"",
    );
    said.expect_code(1);
    assert!(
        said.err.contains("the function ends by SIGSEGV at 0x10"),
        "{}",
        said.err
    );
    assert!(said.err.contains("./lib.so("), "{}", said.err);
}
