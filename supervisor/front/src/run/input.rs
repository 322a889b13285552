//! The input of an execution: where it comes from, and whether it is JSON.

use crate::json;
use crate::project::Project;
use crate::source;
use keylane_policy::blame::{Blame, Failure};
use keylane_policy::limit;
use std::convert::Infallible;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Stdin};
use std::path::PathBuf;
use std::str::FromStr;

/// Where the input comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// From the project, else it is `{}`.
    #[default]
    Project,
    /// From the command line.
    Text(String),
    /// From a file that the operator named.
    File(PathBuf),
    /// From standard input.
    Standard,
}

impl FromStr for Source {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Source, Infallible> {
        Ok(match text.strip_prefix('@') {
            Some(path) => Source::File(path.into()),
            None if text == "-" => Source::Standard,
            None => Source::Text(text.to_owned()),
        })
    }
}

/// The input's bytes, one valid JSON value.
pub fn read(from: &Source, project: &Project) -> Result<Vec<u8>, Failure> {
    let (doing, bytes) = match from {
        Source::Project => {
            let input = project.default_input.as_ref().map(source::Source::text);
            (
                "reading the project's input".to_owned(),
                input.unwrap_or("{}").into(),
            )
        }
        Source::Text(text) => ("reading --input".to_owned(), text.clone().into_bytes()),
        Source::File(path) => {
            let doing = format!("reading the input file {}", path.display());
            let file = File::open(path).map_err(|error| {
                let advice = "name a file that you may read, after `@`";
                Failure::new(Blame::Operator, doing.as_str(), error.to_string()).advise(advice)
            })?;
            let bytes = all(file, &doing)?;
            (doing, bytes)
        }
        Source::Standard => {
            let doing = "reading the input from standard input".to_owned();
            let bytes = all(io::stdin(), &doing)?;
            (doing, bytes)
        }
    };
    checked(bytes, &doing)
}

fn all(from: impl Read, doing: &str) -> Result<Vec<u8>, Failure> {
    let limit = limit::PAYLOAD_BYTES_CEILING;
    let mut bytes = Vec::new();
    from.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::new(Blame::Operator, doing, error.to_string()))?;
    if bytes.len() as u64 > limit {
        return Err(too_long(doing));
    }
    Ok(bytes)
}

fn too_long(doing: &str) -> Failure {
    let limit = limit::PAYLOAD_BYTES_CEILING;
    Failure::new(
        Blame::Operator,
        doing,
        format!("it is longer than {limit} bytes"),
    )
    .advise("pass less; large data belongs into a function's files (`include`)")
}

fn checked(bytes: Vec<u8>, doing: &str) -> Result<Vec<u8>, Failure> {
    let Err(fault) = json::check(&bytes) else {
        return Ok(bytes);
    };
    let advice = if bytes.is_empty() {
        "it is empty; the smallest input is {}"
    } else {
        "give one JSON value; on a command line in single quotes: --input '{\"n\": 5}'"
    };
    let text = String::from_utf8_lossy(&bytes);
    let place = source::Source::new("input", text).position(fault.offset);
    let cause = format!(
        "not JSON at line {}, column {}: {}",
        place.line, place.column, fault.message
    );
    Err(Failure::new(Blame::Operator, doing, cause).advise(advice))
}

/// The inputs of `--stream`: each line of standard input is one. Empty lines are skipped.
#[derive(Debug)]
pub struct Lines<R> {
    from: R,
    number: u64,
}

impl Lines<BufReader<Stdin>> {
    /// Those of standard input.
    pub fn standard() -> Self {
        Lines::new(BufReader::new(io::stdin()))
    }

    /// Whether bytes have been read that no line has used: then waiting for more would be wrong.
    pub fn has_read_ahead(&self) -> bool {
        !self.from.buffer().is_empty()
    }
}

impl<R: BufRead> Lines<R> {
    /// Those of a reader.
    pub fn new(from: R) -> Self {
        Lines { from, number: 0 }
    }

    /// The number of the line that was read last, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    fn line(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let limit = limit::PAYLOAD_BYTES_CEILING;
        loop {
            self.number += 1;
            let doing = format!("reading line {} of standard input", self.number);
            let mut line = Vec::new();
            let read = (&mut self.from)
                .take(limit + 1)
                .read_until(b'\n', &mut line);
            let read = read.map_err(|error| {
                Failure::new(Blame::Operator, doing.as_str(), error.to_string())
            })?;
            if read == 0 {
                return Ok(None);
            }
            if line.len() as u64 > limit {
                return Err(too_long(&doing));
            }
            if !line.trim_ascii().is_empty() {
                return checked(line.trim_ascii().to_vec(), &doing).map(Some);
            }
        }
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Result<Vec<u8>, Failure>;

    /// A line that is no JSON is an error of that line; the next one may be good again.
    fn next(&mut self) -> Option<Self::Item> {
        self.line().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_text_a_file_or_standard_input() {
        let parse = |text: &str| Source::from_str(text).unwrap();
        assert_eq!(parse("{}"), Source::Text("{}".into()));
        assert_eq!(parse("@a b.json"), Source::File("a b.json".into()));
        assert_eq!(parse("-"), Source::Standard);
        assert_eq!(parse("-5"), Source::Text("-5".into()));
    }

    #[test]
    fn a_bad_input_is_told_with_its_place() {
        let failure = checked(b"{\n  \"a\": x}".to_vec(), "reading --input").unwrap_err();
        assert!(
            failure.cause.starts_with("not JSON at line 2, column 8"),
            "{failure}"
        );
        assert_eq!(failure.blame, Blame::Operator);
        for wrong in ["", "{}{}", "{\"a\":1,\"a\":2}", "NaN", "'{}'", "\u{feff}{}"] {
            assert!(checked(wrong.into(), "x").is_err(), "{wrong:?}");
        }
        assert!(
            checked(b"\xff".to_vec(), "x")
                .unwrap_err()
                .cause
                .contains("column 1")
        );
    }

    #[test]
    fn each_line_of_a_stream_is_an_input_and_a_bad_one_spoils_only_itself() {
        let mut lines = Lines::new(&b"{\"n\": 1}\n\n  \n{oops\n2"[..]);
        assert_eq!(lines.next().unwrap().unwrap(), b"{\"n\": 1}");
        let failure = lines.next().unwrap().unwrap_err();
        assert_eq!(failure.doing, "reading line 4 of standard input");
        assert_eq!(lines.next().unwrap().unwrap(), b"2");
        assert_eq!(lines.number(), 5);
        assert!(lines.next().is_none());
    }
}
