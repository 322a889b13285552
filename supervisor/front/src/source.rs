//! The text of a project's file, in which a place can be named by line and column.

use std::ops::Range;

/// A place in a text, both numbers counted from 1; a column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character in that line.
    pub column: usize,
}

/// A text and the name by which messages call it.
#[derive(Clone, Debug)]
pub struct Source {
    name: String,
    text: String,
}

impl Source {
    /// `text`, which messages call `name`.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Source {
        Source {
            name: name.into(),
            text: text.into(),
        }
    }

    /// The bytes of a file as text, or what is wrong with them and where.
    pub fn from_bytes(
        name: impl Into<String>,
        bytes: Vec<u8>,
    ) -> Result<Source, (Position, &'static str)> {
        if bytes.starts_with(b"\xef\xbb\xbf") {
            let start = Position { line: 1, column: 1 };
            return Err((start, "it starts with a byte order mark"));
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Source::new(name, text)),
            Err(error) => {
                let good = error.utf8_error().valid_up_to();
                let before = error.as_bytes().get(..good).unwrap_or_default();
                Err((end_of(before), "it is not UTF-8 here"))
            }
        }
    }

    /// What messages call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The place of a byte of the text; the end if the text is shorter.
    pub fn position(&self, offset: usize) -> Position {
        let bytes = self.text.as_bytes();
        end_of(bytes.get(..offset).unwrap_or(bytes))
    }

    /// The place at which a span begins.
    pub fn start(&self, span: &Range<usize>) -> Position {
        self.position(span.start)
    }

    /// A line without its end, counted from 1; empty if there is no such line.
    pub fn line(&self, number: usize) -> &str {
        let index = number.saturating_sub(1);
        self.text.lines().nth(index).unwrap_or_default()
    }
}

/// The place right after `bytes`.
fn end_of(bytes: &[u8]) -> Position {
    let line = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
    let last = bytes.rsplit(|byte| *byte == b'\n').next().unwrap_or(bytes);
    // Continuation bytes begin with the bits 10; all others begin a character.
    let column = last.iter().filter(|byte| **byte & 0xc0 != 0x80).count() + 1;
    Position { line, column }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_lines_and_characters_from_one() {
        let source = Source::new("x", "a\nbäc\n");
        assert_eq!(source.position(0), Position { line: 1, column: 1 });
        assert_eq!(source.position(2), Position { line: 2, column: 1 });
        assert_eq!(source.position(5), Position { line: 2, column: 3 });
        assert_eq!(source.position(99), Position { line: 3, column: 1 });
        assert_eq!(source.line(2), "bäc");
        assert_eq!(source.line(9), "");
    }

    #[test]
    fn bytes_that_are_not_text_are_refused_with_their_place() {
        let (place, _) = Source::from_bytes("x", b"ok\nab\xff".to_vec()).unwrap_err();
        assert_eq!(place, Position { line: 2, column: 3 });
        let (place, why) = Source::from_bytes("x", b"\xef\xbb\xbf{}".to_vec()).unwrap_err();
        assert_eq!(place, Position { line: 1, column: 1 });
        assert!(why.contains("byte order mark"));
    }
}
