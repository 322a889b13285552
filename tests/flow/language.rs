//! The States Language through the real thing: data goes through processes, lanes and channels.
//! The interpreter's own tests cover every field; here each kind of state works once, end to end.

use keylane_tests::project::Project;
use keylane_tests::{Said, run};
use serde_json::{Value, json};

/// Functions that the workflows below call.
const ADD: &str = "def handler(event, context):\n    return event['a'] + event['b']\n";
const DOUBLE: &str = "def handler(event, context):\n    return event * 2\n";
const FAIL: &str = "\
class OutOfStock(Exception): pass
def handler(event, context):
    raise OutOfStock('none of ' + str(event) + ' is left')
";
/// Fails twice, then succeeds: the worker stays the same, as an exception costs none.
const THIRD: &str = "\
class Busy(Exception): pass
calls = 0
def handler(event, context):
    global calls
    calls += 1
    if calls < 3: raise Busy(str(calls))
    return calls
";

fn execute(definition: &Value, input: &Value) -> Said {
    let functions = [
        ("add", ADD),
        ("double", DOUBLE),
        ("fail", FAIL),
        ("third", THIRD),
    ];
    let project = Project::with(&definition.to_string(), &functions);
    let input = input.to_string();
    run([
        "run",
        project.arg(),
        "--json",
        "-q",
        "--lanes",
        "2",
        "--input",
        &input,
    ])
}

/// Runs a workflow of these states, which starts at "Start", and gives its output.
#[track_caller]
fn output(states: Value, input: Value) -> Value {
    let said = execute(&json!({"StartAt": "Start", "States": states}), &input);
    said.expect_code(0);
    said.json()["output"].clone()
}

/// Runs a workflow that must fail, and gives its report's error.
#[track_caller]
fn error(states: Value, input: Value) -> Value {
    let said = execute(&json!({"StartAt": "Start", "States": states}), &input);
    said.expect_code(1);
    assert_eq!(said.failures().len(), 1, "{}", said.err);
    said.json()["error"].clone()
}

/// A branch of one Task; names of states are unique in a definition.
fn branch(name: &str, resource: &str) -> Value {
    let task = json!({"Type": "Task", "Resource": resource, "End": true});
    json!({"StartAt": name, "States": {name: task}})
}

#[test]
fn tasks_are_called_one_after_the_other_with_what_paths_pick() {
    let states = json!({
        "Start": {"Type": "Task", "Resource": "add", "InputPath": "$.pair",
                  "ResultPath": "$.sum", "Next": "Then"},
        "Then": {"Type": "Task", "Resource": "function:double", "InputPath": "$.sum",
                 "ResultPath": "$.twice", "End": true}
    });
    let input = json!({"pair": {"a": 2, "b": 3}, "kept": "as it was"});
    assert_eq!(
        output(states, input),
        json!({"pair": {"a": 2, "b": 3}, "kept": "as it was", "sum": 5, "twice": 10})
    );
}

#[test]
fn pass_makes_a_result_and_succeed_ends() {
    let states = json!({
        "Start": {"Type": "Pass", "Result": {"made": true}, "ResultPath": "$.here", "Next": "Done"},
        "Done": {"Type": "Succeed", "OutputPath": "$.here"}
    });
    assert_eq!(output(states, json!({})), json!({"made": true}));
}

#[test]
fn choice_follows_what_a_function_answered() {
    let states = json!({
        "Start": {"Type": "Task", "Resource": "double", "Next": "Which"},
        "Which": {"Type": "Choice", "Default": "Small",
                  "Choices": [{"Variable": "$", "NumericGreaterThan": 10, "Next": "Large"}]},
        "Small": {"Type": "Pass", "Result": "small", "End": true},
        "Large": {"Type": "Pass", "Result": "large", "End": true}
    });
    assert_eq!(output(states.clone(), json!(5)), "small");
    assert_eq!(output(states, json!(6)), "large");
}

#[test]
fn parallel_gives_each_branch_the_input_and_keeps_their_order() {
    let pass = json!({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}});
    let states = json!({
        "Start": {"Type": "Parallel", "Branches": [branch("One", "double"), pass, branch("Three", "double")],
                  "End": true}
    });
    assert_eq!(output(states, json!(21)), json!([42, 21, 42]));
}

#[test]
fn a_map_in_a_map_calls_a_function_for_each_item_of_each() {
    let inner = json!({"Type": "Map", "End": true, "ItemProcessor": {"StartAt": "D",
        "States": {"D": {"Type": "Task", "Resource": "double", "End": true}}}});
    let states = json!({
        "Start": {"Type": "Map", "End": true,
                  "ItemProcessor": {"StartAt": "Inner", "States": {"Inner": inner}}}
    });
    let rows: Vec<Vec<u64>> = (0..12).map(|row| (row..row + 9).collect()).collect();
    let doubled: Vec<Vec<u64>> = rows
        .iter()
        .map(|row| row.iter().map(|n| n * 2).collect())
        .collect();
    assert_eq!(output(states, json!(rows)), json!(doubled));
}

#[test]
fn a_map_of_nothing_is_an_empty_list() {
    let states = json!({
        "Start": {"Type": "Map", "End": true, "ItemProcessor": {"StartAt": "D",
                  "States": {"D": {"Type": "Task", "Resource": "double", "End": true}}}}
    });
    assert_eq!(output(states, json!([])), json!([]));
}

#[test]
fn catch_takes_a_python_exception_by_its_class_name() {
    let states = json!({
        "Start": {"Type": "Task", "Resource": "fail", "End": true, "Catch": [
            {"ErrorEquals": ["KeyError"], "Next": "Wrong"},
            {"ErrorEquals": ["OutOfStock"], "ResultPath": "$.error", "Next": "Caught"}]},
        "Wrong": {"Type": "Fail", "Error": "Wrong", "Cause": "another error was caught"},
        "Caught": {"Type": "Pass", "End": true}
    });
    let output = output(states, json!({"want": 5}));
    assert_eq!(output["error"]["Error"], "OutOfStock");
    let cause: Value = serde_json::from_str(output["error"]["Cause"].as_str().unwrap()).unwrap();
    assert_eq!(cause["errorMessage"], "none of {'want': 5} is left");
    assert_eq!(output["want"], 5);
}

#[test]
fn an_exception_that_nothing_catches_ends_the_workflow_by_its_name() {
    let states = json!({
        "Start": {"Type": "Task", "Resource": "fail", "End": true,
                  "Catch": [{"ErrorEquals": ["KeyError"], "Next": "Never"}]},
        "Never": {"Type": "Succeed"}
    });
    let error = error(states, json!({}));
    assert_eq!(error["error"], "OutOfStock");
    assert_eq!(error["state"], "Start");
    assert_eq!(error["pointer"], "/States/Start");
    assert_eq!(error["function"], "fail");
}

#[test]
fn retry_calls_again_until_it_succeeds() {
    let retry = json!([{"ErrorEquals": ["Busy"], "IntervalSeconds": 1, "MaxAttempts": 5,
                        "BackoffRate": 1.0}]);
    let states =
        json!({"Start": {"Type": "Task", "Resource": "third", "Retry": retry, "End": true}});
    assert_eq!(output(states, json!({})), 3);
}

#[test]
fn retry_gives_up_after_its_attempts() {
    let retry = json!([{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 1,
                        "BackoffRate": 1.0}]);
    let states =
        json!({"Start": {"Type": "Task", "Resource": "third", "Retry": retry, "End": true}});
    let error = error(states, json!({}));
    assert_eq!(error["error"], "Busy");
    assert!(
        error["cause"].as_str().unwrap().contains("\"2\""),
        "{error}"
    );
}

#[test]
fn fail_ends_with_its_own_words_and_blames_the_workflow() {
    let states = json!({"Start": {"Type": "Fail", "Error": "NoSuchCustomer", "Cause": "who?"}});
    let error = error(states, json!({}));
    assert_eq!(
        (&error["error"], &error["cause"]),
        (&"NoSuchCustomer".into(), &"who?".into())
    );
    assert_eq!(error["blame"], "workflow");
}

#[test]
fn wait_waits() {
    let states = json!({
        "Start": {"Type": "Wait", "Seconds": 1, "Next": "After"},
        "After": {"Type": "Task", "Resource": "double", "End": true}
    });
    let before = std::time::Instant::now();
    assert_eq!(output(states, json!(1)), 2);
    assert!(before.elapsed().as_secs() >= 1, "it did not wait");
}

#[test]
fn a_branch_that_fails_fails_its_parallel_and_can_be_caught_there() {
    let states = json!({
        "Start": {"Type": "Parallel", "Branches": [branch("Good", "double"), branch("Bad", "fail")],
                  "Catch": [{"ErrorEquals": ["OutOfStock"], "Next": "Caught"}], "End": true},
        "Caught": {"Type": "Pass", "Result": "caught", "End": true}
    });
    assert_eq!(output(states, json!(1)), "caught");
}

#[test]
fn a_state_that_times_out_can_be_caught_and_the_workflow_goes_on() {
    let definition = json!({"StartAt": "Start", "States": {
        "Start": {"Type": "Task", "Resource": "slow", "TimeoutSeconds": 1, "End": true,
                  "Catch": [{"ErrorEquals": ["States.Timeout"], "Next": "Again"}]},
        "Again": {"Type": "Task", "Resource": "slow", "Parameters": {"fast": true}, "End": true}
    }});
    let source = "\
import time
def handler(event, context):
    if not event.get('fast'): time.sleep(10000)
    return 'fast'
";
    let project = Project::with(&definition.to_string(), &[("slow", source)]);
    let said = run(["run", project.arg(), "--json", "-q"]);
    said.expect_code(0);
    let report = said.json();
    assert_eq!(report["output"], "fast");
    // The one that slept was ended, and a new worker took its place.
    assert_eq!(report["functions"][0]["forks"], 2);
}

#[test]
fn a_heartbeat_keeps_a_slow_function_and_silence_ends_it_as_a_timeout() {
    let source = "\
import time
def handler(event, context):
    for _ in range(8):
        time.sleep(0.25)
        if event['beats']: context.heartbeat()
    return 'done'
";
    let definition = json!({"StartAt": "Slow", "States": {
        "Slow": {"Type": "Task", "Resource": "slow", "HeartbeatSeconds": 1, "ResultPath": "$.is",
                 "Catch": [{"ErrorEquals": ["States.TaskFailed"], "Next": "Wrong"},
                           {"ErrorEquals": ["States.HeartbeatTimeout"], "Next": "Silent"}],
                 "End": true},
        "Silent": {"Type": "Pass", "Parameters": {"error.$": "$.Error", "cause.$": "$.Cause"},
                   "End": true},
        "Wrong": {"Type": "Fail"},
    }});
    let project = Project::with(&definition.to_string(), &[("slow", source)]);
    let answer = |beats: bool| {
        let input = json!({ "beats": beats }).to_string();
        let said = run(["run", project.arg(), "--json", "-q", "--input", &input]);
        said.expect_code(0);
        said.json()["output"].clone()
    };
    assert_eq!(answer(true)["is"], "done");
    let silent = answer(false);
    assert_eq!(silent["error"], "States.HeartbeatTimeout");
    let cause = silent["cause"].as_str().unwrap();
    assert!(cause.contains("sent no heartbeat for 1 s"), "{cause}");
}
