//! From an event to what a function takes, and from what it returns to a result.

use crate::Error;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The name of an error of a function whose event is not what it takes; as Python functions have it.
const UNMARSHAL: &str = "Runtime.UnmarshalError";
/// The name of an error of a function whose result cannot be sent.
const MARSHAL: &str = "Runtime.MarshalError";

/// JSON as it is, neither read nor written by the SDK: for functions with a parser of their own.
///
/// An event is one JSON value in UTF-8. A result must be one too: the workflow checks it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawJson(pub Vec<u8>);

/// What a function can take: everything that `serde` can read, and [`RawJson`].
pub trait FromEvent: Sized {
    /// Reads an event.
    fn from_event(event: &[u8]) -> Result<Self, Error>;
}

impl<T: DeserializeOwned> FromEvent for T {
    fn from_event(event: &[u8]) -> Result<T, Error> {
        serde_json::from_slice(event).map_err(|fault| {
            let message = format!("the event is not what the function takes: {fault}");
            Error::new(UNMARSHAL, message)
        })
    }
}

impl FromEvent for RawJson {
    fn from_event(event: &[u8]) -> Result<RawJson, Error> {
        Ok(RawJson(event.to_vec()))
    }
}

/// What a function can return: everything that `serde` can write, and [`RawJson`].
pub trait IntoResult {
    /// Writes a result.
    fn into_result(self) -> Result<Vec<u8>, Error>;
}

impl<T: Serialize> IntoResult for T {
    fn into_result(self) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(&self).map_err(|fault| {
            let message = format!("the function's result cannot be sent: {fault}");
            Error::new(MARSHAL, message)
        })
    }
}

impl IntoResult for RawJson {
    fn into_result(self) -> Result<Vec<u8>, Error> {
        Ok(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_json_is_left_alone() {
        let raw = RawJson::from_event(b" [1, 2.50] ").unwrap();
        assert_eq!(raw.into_result().unwrap(), b" [1, 2.50] ");
    }

    #[test]
    fn an_event_of_another_shape_is_told_with_its_place() {
        let error = <Vec<u8>>::from_event(b"[1,\"x\"]").unwrap_err();
        assert_eq!(error.name(), "Runtime.UnmarshalError");
        assert!(error.message().contains("column 7"), "{error}");
    }
}
