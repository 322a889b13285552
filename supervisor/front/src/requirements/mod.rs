//! `requirements.txt`, read strictly: names, extras, version specifiers, hashes. Pure.
//!
//! What pip accepts beyond that can read the operator's environment, name another server, run code of
//! the tenant's choice or reach files outside of the function's folder: options, URLs, paths, other
//! files, `${NAME}`. Each is refused where it stands. The forms are those of PEP 508 and of pip's
//! "Requirements File Format"; environment markers are left out, since there is one environment.
//!
//! What is read here is what pip is given: the lines that were checked, never the file.
//!
//! An attacker controls: every byte.

mod line;
#[cfg(test)]
mod tests;

use crate::problem::Problem;
use crate::source::{Position, Source};
use line::Bad;
pub(crate) use line::normalized;
use std::collections::BTreeMap;

/// Requirements of one function.
const MOST: usize = 1000;
/// Problems that are told of one file.
const TOLD: usize = 20;

/// One package that a file asks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Requirement {
    /// Its normalized name (PEP 503).
    pub name: String,
    /// The sha256 of which its wheel must have one, as 64 digits each; without any, whatever it has.
    pub hashes: Vec<String>,
    /// What the file says of it, in one line without a comment.
    pub line: String,
}

/// The packages that a file asks for in the alphabetical order of their names; or everything that is
/// wrong with it.
pub fn read(source: &Source) -> Result<Vec<Requirement>, Vec<Problem>> {
    let mut found: BTreeMap<String, (usize, String, Vec<String>)> = BTreeMap::new();
    let mut problems = Vec::new();
    let lines = logical(source.text());
    if lines.len() > MOST {
        let message = format!("there are {} requirements", lines.len());
        let place = Position { line: 1, column: 1 };
        let problem = Problem::at(source, place, message);
        return Err(vec![problem.suggest(format!("name at most {MOST}"))]);
    }
    for (number, text) in lines {
        let read = line::read(&text).and_then(|(name, hashes)| match found.get(&name) {
            Some((earlier, ..)) => Err(Bad {
                column: 1,
                wrong: format!("{name} stands in line {earlier} already"),
                advice: "write one line for each package".into(),
            }),
            None => Ok((name, hashes)),
        });
        match read {
            Ok((name, hashes)) => {
                found.insert(name, (number, text.trim().to_owned(), hashes));
            }
            Err(bad) => {
                let place = Position {
                    line: number,
                    column: bad.column,
                };
                problems.push(Problem::at(source, place, bad.wrong).suggest(bad.advice));
            }
        }
    }
    problems.truncate(TOLD);
    if problems.is_empty() {
        let requirement = |(name, (_, line, hashes))| Requirement { name, hashes, line };
        Ok(found.into_iter().map(requirement).collect())
    } else {
        Err(problems)
    }
}

/// The lines that say something, each with the number of the line where it begins: comments gone,
/// lines that end in a backslash joined with the next one, as pip does it and in pip's order (joined
/// first, so that a comment cannot hide the end of a line).
fn logical(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (index, line) in text.lines().enumerate() {
        let is_comment = line.trim_start().starts_with('#');
        let (start, mut joined) = open.take().unwrap_or((index + 1, String::new()));
        match line.strip_suffix('\\') {
            Some(head) if !is_comment => {
                joined.push_str(head);
                open = Some((start, joined));
            }
            _ => {
                joined.push_str(line);
                lines.push((start, joined));
            }
        }
    }
    lines.extend(open);
    lines
        .into_iter()
        .map(|(number, line)| (number, without_comment(&line).to_owned()))
        .filter(|(_, line)| !line.trim().is_empty())
        .collect()
}

/// A comment begins at a `#` that begins the line or stands after white space.
fn without_comment(line: &str) -> &str {
    let begins = line.char_indices().find(|(at, c)| {
        let before = line.get(..*at).and_then(|head| head.chars().next_back());
        *c == '#' && before.is_none_or(char::is_whitespace)
    });
    match begins {
        Some((at, _)) => line.get(..at).unwrap_or_default(),
        None => line,
    }
}
