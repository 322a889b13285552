//! Errors that a workflow can catch by their names.

use std::any::type_name;
use std::fmt::{self, Display};

/// Why a call failed. Its name is what the workflow's `Retry` and `Catch` compare.
///
/// Every [`std::error::Error`] becomes one by `?`, under the name of its type without the path:
/// `ParseIntError`. A type that is just called `Error` brings its crate along: `serde_json.Error`.
/// The compiler promises no spelling of such names; give those that a workflow catches by
/// [`Error::new`]. Names that begin with `States.`, `Lambda.` or `Keylane.` are the platform's: an
/// error that claims one reaches the workflow as `Keylane.ReservedErrorName`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    name: String,
    message: String,
    trace: String,
}

impl Error {
    /// An error with this name and message.
    pub fn new(name: impl Into<String>, message: impl Display) -> Error {
        Error::traced(name.into(), message.to_string(), String::new())
    }

    pub(crate) fn traced(name: String, message: String, trace: String) -> Error {
        Error {
            name,
            message,
            trace,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What happened.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Name, message and trace.
    pub(crate) fn into_texts(self) -> [String; 3] {
        [self.name, self.message, self.trace]
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.message)
    }
}

/// Not itself a [`std::error::Error`], or this would say how an error becomes itself.
impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Error {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            message.push_str(": ");
            message.push_str(&cause.to_string());
            source = cause.source();
        }
        Error::traced(short(type_name::<E>()), message, String::new())
    }
}

/// A type's name without its path and its parameters.
fn short(path: &str) -> String {
    let plain = path.trim_start_matches(['&', '*']);
    let plain = plain.split('<').next().unwrap_or(plain);
    let mut parts = plain.split("::");
    let first = parts.next().unwrap_or(plain);
    match parts.last() {
        Some("Error") => format!("{first}.Error"),
        Some(last) => last.to_owned(),
        None => first.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_a_library_keeps_its_types_name_and_its_sources() {
        let error = Error::from("x".parse::<i32>().unwrap_err());
        assert_eq!(error.name(), "ParseIntError");
        assert_eq!(error.message(), "invalid digit found in string");
        let error = Error::from(serde_json::from_str::<u8>("[").unwrap_err());
        assert_eq!(error.name(), "serde_json.Error");
        assert_eq!(short("a::b::Bad<c::D>"), "Bad");
        assert_eq!(short("Bad"), "Bad");
    }
}
