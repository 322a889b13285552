//! What foreign bytes must be to become data, and that they stay what they are.

#![cfg(test)]

use keylane_workflow::Data;
use serde_json::{Value, json};

fn fault(text: &[u8]) -> (usize, String) {
    let fault = Data::from_untrusted(text.to_vec()).expect_err("refused");
    (fault.offset, fault.message)
}

#[test]
fn what_is_not_exactly_one_json_value_is_refused_at_its_place() {
    for (text, offset, word) in [
        ("", 0, "ends"),
        ("  ", 2, "ends"),
        ("{} {}", 3, "follows"),
        ("[1,]", 3, "JSON value"),
        ("[1 2]", 3, "`,` or `]`"),
        ("{\"a\" 1}", 5, "`:`"),
        ("{a:1}", 1, "member's name"),
        ("{\"a\":1,}", 7, "member's name"),
        ("\"abc", 0, "closing quote"),
        ("\"a\nb\"", 2, "control character"),
        ("\"\\x\"", 1, "escape"),
        ("\"\\u12\"", 3, "hexadecimal"),
        ("\"\\ud800\"", 1, "surrogate"),
        ("\"\\ud800\\u0041\"", 1, "surrogate"),
        ("\"\\udc00\"", 1, "surrogate"),
        ("01", 0, "zero"),
        ("-", 1, "digit"),
        ("1.", 2, "digit"),
        ("1e", 2, "digit"),
        ("+1", 0, "JSON value"),
        ("1e999", 0, "too large"),
        ("NaN", 0, "NaN"),
        ("Infinity", 0, "NaN"),
        ("[-Infinity]", 1, "NaN"),
        ("nul", 0, "JSON value"),
        ("'a'", 0, "JSON value"),
        ("\u{feff}1", 0, "JSON value"),
    ] {
        let (at, message) = fault(text.as_bytes());
        assert_eq!(at, offset, "{text}: {message}");
        assert!(message.contains(word), "{text}: {message}");
    }
    assert_eq!(fault(b"\"\xff\"").0, 1);
}

#[test]
fn a_member_named_twice_is_refused_however_its_name_is_written() {
    for text in [
        r#"{"a":1,"a":2}"#,
        r#"{"a":1,"b":{},"\u0061":2}"#,
        r#"[{"x":{"y":1,"y":1}}]"#,
        r#"{"/":1,"\/":2}"#,
    ] {
        assert!(fault(text.as_bytes()).1.contains("twice"), "{text}");
    }
    let many = (0..2000)
        .map(|n| format!("\"k{n}\":0,"))
        .collect::<String>();
    let (at, message) = fault(format!("{{{many}\"k7\":1}}").as_bytes());
    assert_eq!((at, message.contains("k7")), (many.len() + 1, true));
    let fine = format!("{{{many}\"k\":{{{many}\"k\":1}}}}");
    assert!(Data::from_untrusted(fine.into_bytes()).is_ok());
}

#[test]
fn nesting_is_accepted_up_to_the_limit_and_no_further() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(Data::from_untrusted(nested(128).into_bytes()).is_ok());
    assert_eq!(fault(nested(129).as_bytes()).0, 128);
    assert_eq!(fault("[".repeat(10_000_000).as_bytes()).0, 128);
}

#[test]
fn bytes_that_only_pass_through_stay_as_they_were() {
    let text = " {\"b\" : [1.50, 1E2, -0, 12345678901234567890123], \"a\":\"\\u00e9\\/\" }\n";
    let data = Data::from_untrusted(text.as_bytes().to_vec()).expect("valid");
    assert_eq!(&*data.text(), text.as_bytes());
    assert_eq!(data.value()["a"], json!("é/"));
    assert_eq!(&*data.text(), text.as_bytes());
}

#[test]
fn values_and_text_are_made_from_each_other() {
    let values = [
        json!(null),
        json!([
            true,
            false,
            null,
            0,
            -1,
            1.5,
            u64::MAX,
            "a\"\\\n\u{1}\u{1F600}é"
        ]),
        json!({"z": {}, "a": [], "": [[{"b": 1}]], "long": "x".repeat(5000)}),
        json!("x".repeat(5000)),
        json!(
            (0..500)
                .map(|n| json!({"n": n, "s": "y".repeat(n)}))
                .collect::<Vec<_>>()
        ),
    ];
    for value in values {
        let text = Data::from_value(value.clone()).text();
        let read: Value = serde_json::from_slice(&text).expect("JSON");
        assert_eq!(read, value);
        let data = Data::from_untrusted(text.to_vec()).expect("valid");
        assert_eq!(data.value(), &value);
        assert_eq!(data, Data::from_value(value));
    }
}

/// serde_json reads some decimals to a neighbour of the nearest double.
fn rounded(value: &Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => {
            json!(format!("{:.12e}", number.as_f64().expect("a double")))
        }
        Value::Array(elements) => elements.iter().map(rounded).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| (key.clone(), rounded(value)))
            .collect(),
        other => other.clone(),
    }
}

/// Two validations that agree: ours accepts nothing that serde_json refuses.
#[test]
fn what_is_accepted_is_read_the_same_by_another_parser() {
    let seed = br#"{"a":[1,-2.5e3,"\u00e9\n",true,null],"b":{"c":[[]],"d":{}}, "e" : 0 }"#;
    let mut state = 1_u64;
    let mut draw = |bound: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("fits") % bound
    };
    let bytes = b"{}[]\",:0123456789.-+eE\\/ubfnrt \n\x00\xc3\xa9truefalsn";
    let mut accepted = 0;
    for _ in 0..40_000 {
        let mut text = seed.to_vec();
        for _ in 0..=draw(3) {
            let at = draw(text.len());
            match draw(3) {
                0 => text[at] = bytes[draw(bytes.len())],
                1 => text.insert(at, bytes[draw(bytes.len())]),
                _ => {
                    text.remove(at);
                }
            }
        }
        if let Ok(data) = Data::from_untrusted(text.clone()) {
            accepted += 1;
            let read: Value = serde_json::from_slice(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", String::from_utf8_lossy(&text)));
            let (ours, theirs) = (rounded(data.value()), rounded(&read));
            assert_eq!(ours, theirs, "{}", String::from_utf8_lossy(&text));
        }
    }
    assert!(accepted > 1000, "{accepted}");
}
