//! The prediction example: its answers against a computation in whole numbers, its model against the
//! script that trains it, and sheets that are none.

use keylane_tests::example::{self, folder, packages, run_example};
use keylane_tests::{finish_with, keylane};
use serde_json::{Value, json};

fn answer(digits: usize) -> Value {
    let input = json!({"digits": digits}).to_string();
    let said = run_example("prediction", &input, &["-q"]);
    said.expect_code(0);
    said.json()
}

fn objections(output: &Value, digits: usize) -> String {
    let count = digits.to_string();
    example::objections("tests/prediction/oracle.py", &[&count], &output.to_string())
}

#[test]
fn some_digits_are_read_as_a_separate_computation_reads_them() {
    let example = folder("prediction");
    let arguments = ["run", example.to_str().unwrap(), "--stream", "-q"];
    let lines = b"{\"digits\": 1}\n{\"digits\": 13}\n{\"digits\": 101}\n";
    let said = finish_with(&mut keylane(arguments), lines);
    said.expect_code(0);
    let reports = said.reports();
    assert_eq!(reports.len(), 3);
    for (report, digits) in reports.iter().zip([1, 13, 101]) {
        assert_eq!(objections(&report["output"], digits), "");
    }
}

#[test]
fn all_held_out_digits_are_read_as_a_separate_computation_reads_them() {
    let output = answer(450);
    assert_eq!(objections(&output, 450), "");
    // What the README says.
    assert_eq!(output["assessment"]["accuracy"], 0.9222);
    assert_eq!(output["doubtful"], 43);
}

#[test]
fn the_oracle_notices_an_answer_that_is_wrong() {
    let mut output = answer(13);
    let read = output["read"].as_str().unwrap().replace('3', "8");
    output["read"] = Value::from(read);
    assert!(objections(&output, 13).contains("read"));
}

#[test]
fn the_model_is_what_its_script_trains() {
    let data = folder("prediction").join("data");
    let numpy = packages("prediction", "predict");
    let train = "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); script = sys.argv.pop(1); \
                 sys.argv[0] = script; runpy.run_path(script, run_name='__main__')";
    let mut command = std::process::Command::new(keylane_tests::PYTHON);
    command
        .args(["-B", "-I", "-c", train])
        .arg(numpy)
        .args([data.join("train.py"), data.join("digits.csv.gz")])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let said = keylane_tests::finish(&mut command);
    said.expect_code(0);
    let kept = std::fs::read_to_string(data.join("model.json")).unwrap();
    let (made, kept): (Value, Value) = (said.json(), serde_json::from_str(&kept).unwrap());
    assert_eq!(made["shift"], kept["shift"]);
    for name in ["hidden", "hidden bias", "out", "out bias"] {
        let (made, kept) = (numbers(&made[name]), numbers(&kept[name]));
        assert_eq!(made.len(), kept.len());
        // A processor that adds in another order may round a few of them to the neighbour.
        let apart = made.iter().zip(&kept).map(|(a, b)| a.abs_diff(*b));
        assert!(apart.clone().all(|steps| steps <= 1), "{name}");
        assert!(apart.filter(|steps| *steps > 0).count() <= 2, "{name}");
    }
}

/// All numbers in a list, or in a list of lists.
fn numbers(value: &Value) -> Vec<i64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        number => vec![number.as_i64().expect("a whole number")],
    }
}

#[test]
fn a_callers_own_sheet_is_read_and_what_is_no_sheet_is_refused() {
    let output = answer(20);
    let svg = output["files"]["digits.svg"].as_str().unwrap();
    let (_, rest) = svg.split_once("data:image/png;base64,").unwrap();
    let (png, _) = rest.split_once('"').unwrap();
    let cells = json!({"side": 32, "columns": 10, "count": 20});
    let input = json!({"png": png, "cells": cells}).to_string();
    let said = run_example("prediction", &input, &["-q"]);
    said.expect_code(0);
    let own = said.json();
    assert_eq!(own["read"], output["read"]);
    assert_eq!(own["assessment"]["accuracy"], Value::Null);

    let none = [
        json!({"png": "", "cells": cells}),
        json!({"png": "no base64!", "cells": cells}),
        json!({"png": png, "cells": {"side": 32, "columns": 10, "count": 1000}}),
        json!({"png": png, "cells": {"side": 1_u64 << 40, "columns": 1, "count": 1}}),
    ];
    let lines: String = none.iter().map(|input| format!("{input}\n")).collect();
    let example = folder("prediction");
    let arguments = ["run", example.to_str().unwrap(), "--stream", "-q"];
    let said = finish_with(&mut keylane(arguments), lines.as_bytes());
    said.expect_code(1);
    let reports = said.reports();
    assert_eq!(reports.len(), none.len());
    for report in reports {
        assert_eq!(report["error"]["error"], "NoSheet", "{report}");
    }
}
