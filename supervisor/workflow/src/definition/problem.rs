//! A mistake in a definition, as a person reads it.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Whether a problem forbids the definition to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It cannot run.
    Error,
    /// It can run, but hardly means what it says.
    Warning,
}

/// One problem of a definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// RFC 6901 pointer to the value that is wrong, or to the object that lacks something.
    pub pointer: String,
    /// Line in the text, from 1.
    pub line: u32,
    /// Character in the line, from 1.
    pub column: u32,
    /// What is wrong, a sentence without a full stop.
    pub message: String,
    /// What to do instead.
    pub suggestion: Option<String>,
    /// The line of the text, cut if it is long, and below it a `^` at the column.
    pub excerpt: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(
            f,
            "{}:{}: {severity}: {}",
            self.line, self.column, self.message
        )?;
        match &self.suggestion {
            Some(suggestion) => write!(f, "; {suggestion}"),
            None => Ok(()),
        }
    }
}

/// Characters of a line that an excerpt shows before and after the column.
const BEFORE: usize = 40;
const AFTER: usize = 40;

/// Where the lines of a text begin.
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

/// A place in a text.
pub(super) struct Position {
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) excerpt: String,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Lines<'a> {
        let ends = text
            .bytes()
            .enumerate()
            .filter(|(_, b)| *b == b'\n')
            .map(|(at, _)| at + 1);
        Lines {
            text,
            starts: std::iter::once(0).chain(ends).collect(),
        }
    }

    /// The place of a byte.
    pub(super) fn locate(&self, offset: usize) -> Position {
        let offset = offset.min(self.text.len());
        let line = self
            .starts
            .partition_point(|start| *start <= offset)
            .saturating_sub(1);
        let start = self.starts.get(line).copied().unwrap_or(0);
        let before = self.text.get(start..offset).unwrap_or("");
        let after = self.text.get(offset..).unwrap_or("");
        let after = after.lines().next().unwrap_or("");
        let column = before.chars().count();
        let cut = column.saturating_sub(BEFORE);
        // What a terminal could take for a command must not get there (threats.md D3).
        let shown = |c: char| if c.is_control() { ' ' } else { c };
        let mut excerpt = String::new();
        if cut > 0 {
            excerpt.push('…');
        }
        excerpt.extend(before.chars().skip(cut).map(shown));
        let caret = excerpt.chars().count();
        excerpt.extend(after.chars().take(AFTER).map(shown));
        if after.chars().nth(AFTER).is_some() {
            excerpt.push('…');
        }
        let indent = excerpt.chars().take_while(|c| *c == ' ').count().min(caret);
        let mut out: String = excerpt.chars().skip(indent).collect();
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', caret - indent));
        out.push('^');
        let number = |n: usize| u32::try_from(n + 1).unwrap_or(u32::MAX);
        Position {
            line: number(line),
            column: number(column),
            excerpt: out,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_told_by_line_and_character_with_a_caret_below() {
        let place = Lines::new("{\n  \"é\": 1,\n  \"x\": 2\n}").locate(10);
        assert_eq!((place.line, place.column), (2, 8));
        assert_eq!(place.excerpt, "\"é\": 1,\n     ^");
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let text = format!("{}!{}", "a".repeat(500), "b".repeat(500));
        let place = Lines::new(&text).locate(500);
        let (line, caret) = place.excerpt.split_once('\n').unwrap();
        assert_eq!(line.chars().nth(caret.len() - 1), Some('!'));
        assert!(line.chars().count() < 100);
    }
}
