//! JSON: what is accepted is JSON to another reader as well, with the same value; what is refused is
//! refused there too, or for one of the reasons that Keylane has beyond JSON.

use crate::{Verdict, ensure};
use keylane_workflow::{Data, JsonFault};
use serde_json::Value;

/// What a refusal that the other reader does not share must say.
const STRICTER: [&str; 3] = ["twice", "nested deeper", "half of a surrogate pair"];

/// Checks Keylane's reader.
pub fn check(data: &[u8]) -> Verdict {
    judge(data, |bytes| {
        let data = Data::from_untrusted(bytes)?;
        Ok((data.value().clone(), data.text().as_str().to_owned()))
    })
}

/// Judges a reader that gives a value and its text.
pub fn judge(
    data: &[u8],
    reader: impl Fn(Vec<u8>) -> Result<(Value, String), JsonFault>,
) -> Verdict {
    let other: Result<Value, _> = serde_json::from_slice(data);
    match (reader(data.to_vec()), other) {
        (Ok((value, text)), Ok(other)) => {
            ensure(close(&value, &other), || {
                format!("{value} is read, {other} meant")
            })?;
            ensure(text.as_bytes() == data, || {
                format!("the text became {text}")
            })
        }
        (Err(fault), Ok(_)) => {
            let known = STRICTER.iter().any(|words| fault.message.contains(words));
            ensure(known, || format!("refused: {fault}"))?;
            ensure(fault.offset <= data.len(), || {
                format!("no such place: {fault}")
            })
        }
        (Ok((value, _)), Err(error)) => Err(format!("{value} is read, but {error}")),
        (Err(fault), Err(_)) => ensure(fault.offset <= data.len(), || {
            format!("no such place: {fault}")
        }),
    }
}

/// Whether two values are the same but for the last bit of a double: serde_json reads a number of
/// many digits to the nearest double or the one beside it.
fn close(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) if x.is_f64() && y.is_f64() => {
            let bits = |number: &serde_json::Number| number.as_f64().map(f64::to_bits);
            match (bits(x), bits(y)) {
                (Some(x), Some(y)) => x.abs_diff(y) <= 1,
                _ => false,
            }
        }
        (Value::Array(x), Value::Array(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(x, y)| close(x, y))
        }
        (Value::Object(x), Value::Object(y)) => {
            let same = |(key, x): (&String, &Value)| y.get(key).is_some_and(|y| close(x, y));
            x.len() == y.len() && x.iter().all(same)
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_close_but_for_the_last_bit_only() {
        let near = |a: f64, bits: u64| f64::from_bits(a.to_bits() + bits);
        let value = |x: f64| serde_json::json!({"a": [x]});
        assert!(close(&value(0.1), &value(near(0.1, 1))));
        assert!(!close(&value(0.1), &value(near(0.1, 2))));
        assert!(!close(&value(0.5), &value(-0.5)));
        assert!(!close(&serde_json::json!(1), &serde_json::json!(1.0)));
        assert!(!close(&serde_json::json!([1]), &serde_json::json!([1, 2])));
    }

    #[test]
    fn a_reader_that_takes_too_much_or_too_little_or_changes_something_is_found() {
        let fault = |message: &str| JsonFault {
            offset: 0,
            message: message.to_owned(),
        };
        let same = |bytes: Vec<u8>| {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
            Ok((value, text))
        };
        assert_eq!(judge(b"[1]", same), Ok(()));
        assert!(judge(b"[1", same).is_err());
        assert!(judge(b"[1]", |_| Ok((Value::Null, "[1]".to_owned()))).is_err());
        assert!(judge(b"[1 ]", |_| Ok((serde_json::json!([1]), "[1]".to_owned()))).is_err());
        assert!(judge(b"[1]", |_| Err(fault("no"))).is_err());
        assert_eq!(judge(b"[1]", |_| Err(fault("nested deeper"))), Ok(()));
        let far = JsonFault {
            offset: 9,
            message: String::new(),
        };
        assert!(judge(b"[", |_| Err(far.clone())).is_err());
    }
}
