//! Paths in the service's flavour, and the eighteen intrinsic functions.

#![cfg(test)]

mod support;

use serde_json::{Value, json};
use support::{problems, pure, single};

fn eval(expression: &str, input: &Value) -> Result<Value, String> {
    let state = json!({"Type": "Pass", "Parameters": {"r.$": expression}, "OutputPath": "$.r"});
    pure(single(state), input.clone()).map_err(|failed| failed.error)
}

fn store() -> Value {
    json!({
        "store": {
            "book": [
                {"title": "A", "price": 8.95, "tags": ["x", "y"]},
                {"title": "B", "price": 12, "isbn": "1"},
                {"title": "C", "price": 8.99, "isbn": "2", "tags": []},
            ],
            "bicycle": {"price": 19.95},
            "odd name": {"it's": 1},
        },
        "max": 10, "n": null,
    })
}

#[test]
fn definite_paths_yield_the_value_and_others_a_list() {
    for (path, expected) in [
        ("$.max", json!(10)),
        ("$['max']", json!(10)),
        ("$[\"max\"]", json!(10)),
        ("$.n", json!(null)),
        ("$.store.book[1].title", json!("B")),
        ("$.store.book[-1].title", json!("C")),
        ("$.store['odd name']['it\\'s']", json!(1)),
        ("$.store.book.length()", json!(3)),
        ("$.store.book[0].tags", json!(["x", "y"])),
        ("$.store.book[*].title", json!(["A", "B", "C"])),
        ("$.store.book[0,2].title", json!(["A", "C"])),
        ("$.store.book[1:].title", json!(["B", "C"])),
        ("$.store.book[:1].title", json!(["A"])),
        ("$.store.book[-2:].title", json!(["B", "C"])),
        ("$.store.book[5:].title", json!([])),
        ("$.store.book[9]['a','b']", json!([])),
        ("$.store.bicycle['price','none']", json!([{"price": 19.95}])),
        (
            "$.store.bicycle['price','none','price']",
            json!([{"price": 19.95}]),
        ),
        ("$..isbn", json!(["1", "2"])),
        ("$.store..price", json!([8.95, 12, 8.99, 19.95])),
        ("$..book[0].title", json!(["A"])),
        ("$.store.bicycle.*", json!([19.95])),
        ("$.store.book[?(@.price < 10)].title", json!(["A", "C"])),
        ("$.store.book[?(@.price < $.max)].title", json!(["A", "C"])),
        ("$.store.book[?(@.isbn)].title", json!(["B", "C"])),
        ("$.store.book[?(!@.isbn)].title", json!(["A"])),
        (
            "$.store.book[?(@.title == 'A' || @.isbn == '2')].title",
            json!(["A", "C"]),
        ),
        (
            "$.store.book[?(@.price > 8 && (@.price < 9 && @.isbn))].title",
            json!(["C"]),
        ),
        (
            "$.store.book[?(@.title in ['B', 'C'])].price",
            json!([12, 8.99]),
        ),
        (
            "$.store.book[?(@.title nin ['B'])].title",
            json!(["A", "C"]),
        ),
        ("$.store.book[?(@.price == 12.0)].title", json!(["B"])),
        ("$.store.book[?(@.title != \"A\")].title", json!(["B", "C"])),
    ] {
        assert_eq!(eval(path, &store()), Ok(expected), "{path}");
    }
}

#[test]
fn a_definite_path_to_nothing_ends_the_execution() {
    for path in [
        "$.none",
        "$.max.deeper",
        "$.store.book[3]",
        "$.store.book['title']",
        "$.store[0]",
        "$.none[*]",
        "$.none[?(@.a)]",
        "$.n.x",
        "$$.Map.Item.Value",
        "$unset",
    ] {
        assert_eq!(
            eval(path, &store()),
            Err("States.Runtime".to_owned()),
            "{path}"
        );
    }
}

#[test]
fn what_is_no_path_is_found_by_the_check() {
    for path in [
        "$.",
        "$..",
        "$[",
        "$[]",
        "$['a",
        "$.a[1",
        "$.a b",
        "$.a[?(@.x)",
        "$.a[?(@.x ~ 1)]",
        "$.a[?(1)]",
        "$[99999999999999999999]",
        "$.a[::2]",
        "$.f()",
        "$.a[*].length()",
        "max",
        "$.a[?(@.x =~ /b/)]",
        "$.a.length().b",
    ] {
        let state = json!({"Type": "Pass", "Parameters": {"r.$": path}});
        let found = problems(&single(state).to_string(), &[]);
        assert_eq!(found.len(), 1, "{path}: {found:?}");
        assert_eq!(found[0].pointer, "/States/S/Parameters/r.$");
    }
}

#[test]
fn all_eighteen_intrinsic_functions_answer() {
    let input = json!({
        "a": [1, 2, 3, 4, 5], "s": "hi", "n": 7, "o": {"x": 1, "y": {"z": 1}}, "p": {"y": 2, "w": 3},
        "t": "{}-{}", "dup": [1, 1.0, "1", [1], [1], {"a": 1, "b": 2}, {"b": 2, "a": 1}, null],
        "json": "{\"k\":[1,2]}",
    });
    for (call, expected) in [
        ("States.Format('{} is {}', $.s, $.n)", json!("hi is 7")),
        ("States.Format('no braces')", json!("no braces")),
        (
            "States.Format('\\{\\} \\'{}\\' \\\\', true)",
            json!("{} 'true' \\"),
        ),
        ("States.Format($.t, null, 1.50)", json!("null-1.50")),
        ("States.Format('{}', $.o)", json!("{x=1, y={z=1}}")),
        ("States.StringToJson($.json)", json!({"k": [1, 2]})),
        ("States.JsonToString($.p)", json!("{\"y\":2,\"w\":3}")),
        ("States.Array()", json!([])),
        (
            "States.Array(1, 'a', $.s, null, States.Array($.n))",
            json!([1, "a", "hi", null, [7]]),
        ),
        (
            "States.ArrayPartition($.a, 2)",
            json!([[1, 2], [3, 4], [5]]),
        ),
        ("States.ArrayContains($.a, 3)", json!(true)),
        ("States.ArrayContains($.a, '3')", json!(false)),
        ("States.ArrayRange(1, 9, 2)", json!([1, 3, 5, 7, 9])),
        ("States.ArrayRange(3, 1, -1)", json!([3, 2, 1])),
        ("States.ArrayRange(3, 1, 1)", json!([])),
        ("States.ArrayGetItem($.a, 4)", json!(5)),
        ("States.ArrayLength($.a)", json!(5)),
        (
            "States.ArrayUnique($.dup)",
            json!([1, "1", [1], {"a": 1, "b": 2}, null]),
        ),
        (
            "States.Base64Encode('Data to encode')",
            json!("RGF0YSB0byBlbmNvZGU="),
        ),
        (
            "States.Base64Decode('RGVjb2RlZCBkYXRh')",
            json!("Decoded data"),
        ),
        (
            "States.Hash('abc', 'MD5')",
            json!("900150983cd24fb0d6963f7d28e17f72"),
        ),
        (
            "States.Hash('abc', 'SHA-1')",
            json!("a9993e364706816aba3e25717850c26c9cd0d89d"),
        ),
        (
            "States.Hash('abc', 'SHA-256')",
            json!("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ),
        (
            "States.JsonMerge($.o, $.p, false)",
            json!({"x": 1, "y": 2, "w": 3}),
        ),
        ("States.MathAdd($.n, -10)", json!(-3)),
        ("States.MathAdd(1.4, 1.6)", json!(3)),
        (
            "States.StringSplit('1,2;3,,4', ',;')",
            json!(["1", "2", "3", "4"]),
        ),
        ("States.MathRandom(5, 6)", json!(5)),
    ] {
        assert_eq!(eval(call, &input), Ok(expected), "{call}");
    }
    let long = eval("States.Hash('abc', 'SHA-512')", &input).expect("answers");
    assert_eq!(long.as_str().map(str::len), Some(128));
    let long = eval("States.Hash('abc', 'SHA-384')", &input).expect("answers");
    assert_eq!(long.as_str().map(str::len), Some(96));
    let uuid = eval("States.UUID()", &input).expect("answers");
    assert_eq!(uuid.as_str().map(str::len), Some(36));
    let seeded = |seed: u32| eval(&format!("States.MathRandom(0, 1000000, {seed})"), &input);
    assert_eq!(seeded(1), seeded(1));
    assert_ne!(seeded(1), seeded(2));
}

#[test]
fn an_intrinsic_function_that_cannot_work_with_its_arguments_fails_the_state() {
    let input = json!({"a": [1], "s": "hi", "o": {}, "long": "x".repeat(10_001)});
    for call in [
        "States.Format('{} {}', 1)",
        "States.Format('{}', 1, 2)",
        "States.Format($.a)",
        "States.StringToJson($.s)",
        "States.StringToJson('{\"a\":1,\"a\":2}')",
        "States.ArrayPartition($.a, 0)",
        "States.ArrayPartition($.s, 1)",
        "States.ArrayRange(1, 2, 0)",
        "States.ArrayRange(0, 1000, 1)",
        "States.ArrayRange(-9000000000000000, 9000000000000000, 1)",
        "States.ArrayGetItem($.a, 1)",
        "States.ArrayGetItem($.a, -1)",
        "States.ArrayLength($.o)",
        "States.Base64Encode($.long)",
        "States.Base64Decode('%')",
        "States.Base64Decode('/w==')",
        "States.Hash('a', 'CRC')",
        "States.JsonMerge($.o, $.o, true)",
        "States.JsonMerge($.o, $.a, false)",
        "States.MathAdd($.s, 1)",
        "States.MathAdd(9223372036854775807, 1)",
        "States.MathRandom(3, 3)",
        "States.MathRandom(-9000000000000000000, 9000000000000000000)",
    ] {
        assert_eq!(
            eval(call, &input),
            Err("States.IntrinsicFailure".to_owned()),
            "{call}"
        );
    }
}

#[test]
fn a_call_that_is_written_wrongly_is_found_by_the_check() {
    let nested = format!("{}1{}", "States.Array(".repeat(11), ")".repeat(11));
    for (call, word) in [
        ("States.Fromat('a')", "did you mean `States.Format`"),
        ("States.Nothing(1)", "intrinsic function"),
        ("States.UUID(1)", "takes 0 arguments"),
        ("States.ArrayRange(1)", "takes 3 arguments"),
        ("States.MathRandom(1)", "takes 2 to 3"),
        ("States.Format()", "at least 1"),
        ("States.Array(1", "ends without a `)`"),
        ("States.Array(1 2)", "expected `,` or `)`"),
        ("States.Array(1) x", "something follows"),
        ("States.Array('a)", "never closed"),
        ("States.Array(\"a\")", "single quotes"),
        ("States.Array(,)", "expected an argument"),
        ("States.Array($.)", "field's name"),
        (nested.as_str(), "nested deeper"),
    ] {
        let state = json!({"Type": "Pass", "Parameters": {"r.$": call}});
        let found = problems(&single(state).to_string(), &[]);
        assert!(
            found.len() == 1 && found[0].message.contains(word),
            "{call}: {found:?}"
        );
    }
}
