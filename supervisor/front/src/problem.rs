//! One thing that is wrong with a project, where it is, and what to do about it.

use crate::render::escape;
use crate::source::{Position, Source};
use serde::Serialize;

/// Whether a problem keeps the project from running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It does.
    Error,
    /// It does not, but somebody should look.
    Warning,
}

/// A problem, as `validate --json` prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// The file, as a path within the project.
    pub file: String,
    /// The line, from 1, where the problem has a place.
    pub line: Option<usize>,
    /// The character in that line, from 1.
    pub column: Option<usize>,
    /// JSON pointer into a definition.
    pub pointer: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub suggestion: Option<String>,
    /// The line itself.
    pub excerpt: Option<String>,
}

impl Problem {
    /// An error about a whole file.
    pub fn file(file: impl Into<String>, message: impl Into<String>) -> Problem {
        Problem {
            severity: Severity::Error,
            file: file.into(),
            line: None,
            column: None,
            pointer: None,
            message: message.into(),
            suggestion: None,
            excerpt: None,
        }
    }

    /// An error at a place in a text.
    pub fn at(source: &Source, place: Position, message: impl Into<String>) -> Problem {
        let excerpt = source.line(place.line);
        Problem {
            line: Some(place.line),
            column: Some(place.column),
            excerpt: (!excerpt.is_empty()).then(|| excerpt.to_owned()),
            ..Problem::file(source.name(), message)
        }
    }

    /// The same problem with a sentence that says what to do.
    #[must_use]
    pub fn suggest(mut self, suggestion: impl Into<String>) -> Problem {
        self.suggestion = Some(suggestion.into());
        self
    }

    /// The same problem as a warning.
    #[must_use]
    pub fn warning(mut self) -> Problem {
        self.severity = Severity::Warning;
        self
    }

    /// Whether it keeps the project from running.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The problem for a person: place and message, the line with a caret, what to do.
    pub fn human(&self) -> String {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let mut place = escape::line(&self.file).into_owned();
        if let (Some(line), Some(column)) = (self.line, self.column) {
            place.push_str(&format!(":{line}:{column}"));
        }
        let message = self.message.lines().map(escape::line);
        let message = message.collect::<Vec<_>>().join("\n  ");
        let mut text = format!("{severity}: {place}: {message}\n");
        if let (Some(line), Some(column), Some(excerpt)) = (self.line, self.column, &self.excerpt) {
            text.push_str(&with_caret(line, column, excerpt));
        }
        if let Some(pointer) = self
            .pointer
            .as_deref()
            .filter(|pointer| !pointer.is_empty())
        {
            text.push_str(&format!("  at: {}\n", escape::line(pointer)));
        }
        if let Some(suggestion) = &self.suggestion {
            text.push_str(&format!("  what to do: {}\n", escape::line(suggestion)));
        }
        text
    }
}

/// Characters of a long line that are shown on each side of the problem.
const SHOWN: usize = 60;

/// The line under its number, with a caret below the column. A long line is cut on both sides.
fn with_caret(line: usize, column: usize, excerpt: &str) -> String {
    let at = column.saturating_sub(1);
    let skip = at.saturating_sub(SHOWN);
    let (lead, more) = if skip > 0 { ("…", 1) } else { ("", 0) };
    let show = |text: String| escape::line(&text).replace('\t', " ");
    let before = show(excerpt.chars().skip(skip).take(at - skip).collect());
    let after = show(excerpt.chars().skip(at).take(SHOWN).collect());
    let tail = if excerpt.chars().count() > at + SHOWN {
        "…"
    } else {
        ""
    };
    let number = line.to_string();
    let margin = " ".repeat(number.len());
    let indent = " ".repeat(before.chars().count() + more);
    format!("  {number} | {lead}{before}{after}{tail}\n  {margin} | {indent}^\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_shows_its_line_and_points_at_the_column() {
        let source = Source::new("keylane.toml", "[workflow]\n\tnam = \"x\"\n");
        let place = Position { line: 2, column: 2 };
        let text = Problem::at(&source, place, "unknown key `nam`")
            .suggest("write `name`")
            .human();
        assert_eq!(
            text,
            "error: keylane.toml:2:2: unknown key `nam`\n  2 |  nam = \"x\"\n    |  ^\n  what to do: write `name`\n"
        );
    }

    #[test]
    fn a_line_of_a_megabyte_is_cut_around_the_column() {
        let source = Source::new("w.json", "x".repeat(1 << 20));
        let place = Position {
            line: 1,
            column: 500_000,
        };
        let text = Problem::at(&source, place, "here").human();
        assert!(text.len() < 600, "{} bytes", text.len());
        let lines: Vec<&str> = text.lines().collect();
        let caret = lines[2].chars().position(|c| c == '^').unwrap();
        assert_eq!(lines[1].chars().nth(caret), Some('x'));
        assert!(lines[1].contains('…'));
    }

    #[test]
    fn a_hostile_line_reaches_the_terminal_escaped() {
        let source = Source::new("w\x1b.json", "{\x1b]0;owned\x07}");
        let place = Position { line: 1, column: 2 };
        let text = Problem::at(&source, place, "a\u{202e}b").human();
        assert!(
            !text.contains('\x1b') && !text.contains('\u{202e}'),
            "{text:?}"
        );
    }
}
