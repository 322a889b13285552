//! The image example: its pictures against Pillow called directly, and what is no photograph.

use keylane_tests::example::{self, changed, folder, packages, run_example};
use keylane_tests::{finish_with, keylane, run};
use serde_json::{Value, json};

fn answer(orientation: u8, sizes: &[u32]) -> Value {
    let input = json!({"request": {"turned": orientation}, "sizes": sizes}).to_string();
    let said = run_example("image", &input, &["-q"]);
    said.expect_code(0);
    said.json()
}

/// What the oracle has against an output: nothing, or lines.
fn objections(output: &Value, orientation: u8, sizes: &[u32]) -> String {
    let packages = packages("image", "transform");
    let numbers: Vec<String> = sizes.iter().map(u32::to_string).collect();
    let orientation = orientation.to_string();
    let mut arguments = vec![packages.as_str(), &orientation];
    arguments.extend(numbers.iter().map(String::as_str));
    example::objections("tests/image/oracle.py", &arguments, &output.to_string())
}

#[test]
fn the_photograph_gives_the_pixels_that_pillow_gives_when_it_is_called_directly() {
    let sizes = [64, 128, 256];
    let said = run_example(
        "image",
        r#"{"request": {}, "sizes": [64, 128, 256]}"#,
        &["-q"],
    );
    said.expect_code(0);
    assert_eq!(objections(&said.json(), 1, &sizes), "");
}

#[test]
fn each_orientation_is_turned_upright_as_the_standard_has_it() {
    let lines: String = (1..=8)
        .map(|turned| {
            format!(
                "{}\n",
                json!({"request": {"turned": turned}, "sizes": [50]})
            )
        })
        .collect();
    let example = folder("image");
    let arguments = ["run", example.to_str().unwrap(), "--stream", "-q"];
    let said = finish_with(&mut keylane(arguments), lines.as_bytes());
    said.expect_code(0);
    let reports = said.reports();
    assert_eq!(reports.len(), 8);
    for (report, orientation) in reports.iter().zip(1..) {
        assert_eq!(objections(&report["output"], orientation, &[50]), "");
    }
}

#[test]
fn the_oracle_notices_a_picture_that_is_wrong() {
    let mut output = answer(3, &[50, 60]);
    assert_eq!(objections(&output, 3, &[50, 60]), "");
    assert!(objections(&output, 1, &[50, 60]).contains("differs in"));
    let other = output["files"]["china.50.png"].clone();
    output["files"]["china.60.png"] = other;
    let said = objections(&output, 3, &[50, 60]);
    assert!(said.contains("china.60.png is L"), "{said}");
}

/// Hands out what is no photograph.
fn instead_of_the_photograph(bytes: &str) -> String {
    format!(
        "import base64\ndef handler(event, context):\n    \
         return {{'name': 'a.jpg', 'jpeg': base64.b64encode({bytes}).decode()}}\n"
    )
}

#[test]
fn what_is_no_photograph_is_refused_before_a_pixel_is_decoded() {
    // Nothing, text, and a picture of a form that is not expected.
    for bytes in ["b''", "b'<svg/>'", "b'GIF89a' + bytes(100)"] {
        let source = instead_of_the_photograph(bytes);
        let project = changed("image", &[("functions/photos/photos.py", &source)]);
        let said = run(["run", project.arg(), "--json", "-q"]);
        said.expect_code(1);
        let report = said.json();
        assert_eq!(report["error"]["error"], "NoPhotograph", "{report}");
        let called = |name: &str| {
            let functions = report["functions"].as_array().unwrap();
            let one = functions.iter().find(|one| one["function"] == name);
            one.and_then(|one| one["calls"].as_u64()).unwrap_or(0)
        };
        assert_eq!(called("metadata"), 1, "{report}");
        assert_eq!(called("transform") + called("upright"), 0, "{report}");
    }
}

#[test]
fn a_photograph_that_claims_to_be_huge_is_not_decoded() {
    for (side, wanted) in [("1388", "TooLarge"), ("fff0", "NoPhotograph")] {
        // Height and width stand in the header, three bytes behind the marker SOF0.
        let huge = format!(
            "(lambda j: j[:j.index(b'\\xff\\xc0') + 5] + bytes.fromhex('{side}') * 2 + \
             j[j.index(b'\\xff\\xc0') + 9:])(open('data/china.jpg', 'rb').read())"
        );
        let source = instead_of_the_photograph(&huge);
        let project = changed("image", &[("functions/photos/photos.py", &source)]);
        let said = run(["run", project.arg(), "--json", "-q"]);
        said.expect_code(1);
        assert_eq!(said.json()["error"]["error"], wanted, "{said:#?}");
    }
}
