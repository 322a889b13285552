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
            ensure(value == other, || format!("{value} is read, {other} meant"))?;
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

#[cfg(test)]
mod tests {
    use super::*;

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
