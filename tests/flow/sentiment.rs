//! The sentiment example: its numbers against VADER called directly, its routes when scoring fails, and
//! its page when the texts are hostile.
//!
//! Attacker: whoever writes a review, and the function that draws the chart; they want a script to run
//! where the page is read.
//!
//! What passing does not show: that a browser keeps to the page's policy.

use keylane_tests::example::{changed, folder, packages, run_example, script};
use keylane_tests::{Said, run};
use serde_json::{Value, json};

/// A function that takes the place of `score`, and needs no packages.
const STEADY: &str =
    "def handler(event, context):\n    return {item['id']: 0.5 for item in event}\n";

fn agrees_with_vader_called_directly(reviews: usize) -> Value {
    let input = json!({"reviews": reviews, "chunk": 50}).to_string();
    let said = run_example("sentiment", &input, &["-q"]);
    said.expect_code(0);
    let packages = packages("sentiment", "score");
    let apart = script(
        "tests/sentiment/oracle.py",
        &[&packages, &reviews.to_string()],
        "",
    );
    apart.expect_code(0);
    let output = said.json();
    assert_eq!(output["agreement"], apart.json());
    output
}

#[test]
fn some_reviews_give_what_vader_gives_when_it_is_called_directly() {
    agrees_with_vader_called_directly(9);
}

#[test]
fn all_reviews_give_what_vader_gives_when_it_is_called_directly() {
    let output = agrees_with_vader_called_directly(300);
    let shares = &output["agreement"]["by sentence"];
    assert_eq!(output["agreement"]["sentences"], 3708);
    // What the README says.
    assert_eq!(shares["agree"], 0.5653);
    assert_eq!(shares["agree, where both are clear"], 0.7828);
}

/// The example without packages: `score` and these other files are replaced.
fn without_packages(score: &str, files: &[(&str, &str)], input: &str) -> Said {
    let own = [
        ("functions/score/score.py", score),
        ("functions/score/requirements.txt", ""),
    ];
    let project = changed("sentiment", &[&own[..], files].concat());
    run(["run", project.arg(), "-q", "--input", input])
}

/// Fails for chunks that hold a sentence of these reviews.
fn failing_for(reviews: &str) -> String {
    format!(
        "def handler(event, context):\n    \
         if {reviews} & {{item['id'].split('.')[0] for item in event}}:\n        \
         raise RuntimeError('no')\n    return {{item['id']: 0.5 for item in event}}\n"
    )
}

#[test]
fn a_chunk_that_cannot_be_scored_is_left_out_and_counted() {
    let said = without_packages(&failing_for("{'17'}"), &[], r#"{"chunk": 20}"#);
    said.expect_code(0);
    let agreement = &said.json()["agreement"];
    let sentences = agreement["sentences"].as_u64().unwrap();
    assert!((3300..3708).contains(&sentences), "{agreement}");
    assert_eq!((3708 - sentences) % 20, 0, "{agreement}");
    assert!(agreement["covered"].as_f64().unwrap() < 1.0, "{agreement}");
}

#[test]
fn a_report_of_too_few_sentences_is_not_published() {
    let all = "def handler(event, context):\n    raise RuntimeError('no')\n";
    for score in [&failing_for("{'1', '2', '3', '4'}"), all] {
        let said = without_packages(score, &[], r#"{"reviews": 5, "chunk": 10}"#);
        said.expect_code(1);
        assert!(said.err.contains("TooFewScored"), "{said:#?}");
    }
}

/// Texts as `reviews` gives them out, each of which would run or fetch something in a careless page.
const HOSTILE: &str = r#"
TEXTS = {
    "1.1": "<script>alert(1)</script>",
    "1.2": "<img src=x onerror=alert(1)>",
    "2.1": "\"><svg onload=alert(1)>",
    "2.2": "' onmouseover='alert(1)",
    "2.3": "</blockquote></body><iframe src=//evil.example>",
}
def handler(event, context):
    if "quote" in event:
        return TEXTS
    return {"chunks": [[{"id": name, "text": text} for name, text in TEXTS.items()]],
            "ratings": {name: -3.0 for name in TEXTS}}
"#;

/// A chart that is no picture but a way out of an attribute.
const OUTBREAK: &str = r#"
def handler(event, context):
    return '"><script>alert(2)</script><svg onload="alert(3)">'
"#;

/// Marks that would end up in a page only if something was not escaped.
const MARKS: [&str; 6] = [
    "<script",
    "<img src=x",
    "<svg",
    "<iframe",
    "onload=\"",
    "' onmouse",
];

fn page(files: &[(&str, &str)]) -> String {
    let said = without_packages(STEADY, files, "{}");
    said.expect_code(0);
    let page = said.json()["files"]["reviews.html"].clone();
    page.as_str().unwrap().to_owned()
}

#[test]
fn hostile_texts_and_a_hostile_chart_are_escaped_in_the_page() {
    let page = page(&[
        ("functions/reviews/reviews.py", HOSTILE),
        ("functions/chart/chart.py", OUTBREAK),
    ]);
    for mark in MARKS {
        assert!(!page.contains(mark), "{mark} stands in the page:\n{page}");
    }
    assert!(
        page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"),
        "{page}"
    );
    assert!(page.contains("default-src &#x27;none&#x27;"), "{page}");
}

#[test]
fn a_page_that_does_not_escape_is_found_out() {
    let source = folder("sentiment").join("functions/page/page.py");
    let source = std::fs::read_to_string(source).unwrap();
    let careless = source
        .replace("from html import escape", "escape = str")
        .replace(
            "b64encode(event[\"chart\"].encode()).decode()",
            "event[\"chart\"]",
        );
    let page = page(&[
        ("functions/reviews/reviews.py", HOSTILE),
        ("functions/chart/chart.py", OUTBREAK),
        ("functions/page/page.py", &careless),
    ]);
    for mark in MARKS {
        assert!(page.contains(mark), "{mark} would not be noticed:\n{page}");
    }
}
