//! A definition's JSON with the place of every value and key.
//!
//! Definitions are small and their mistakes are explained, so they get a tree with byte offsets;
//! a member that is named twice is reported and the first one kept.

use super::node::Node;
use super::number::Number;
use super::scan::{Cursor, JsonFault, unescape};
use keylane_policy::limit::JSON_DEPTH;

/// A value of a definition.
pub(crate) struct Spot {
    /// Offset of its first byte.
    pub(crate) start: usize,
    pub(crate) kind: Kind,
}

pub(crate) enum Kind {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    Array(Vec<Spot>),
    Object(Vec<Member>),
}

pub(crate) struct Member {
    pub(crate) key: String,
    /// Offset of the key's opening quote.
    pub(crate) start: usize,
    pub(crate) value: Spot,
}

/// A member's name that its object already has.
pub(crate) struct Twice {
    pub(crate) key: String,
    pub(crate) start: usize,
    /// RFC 6901 pointer of the object.
    pub(crate) pointer: String,
}

impl Spot {
    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn members(&self) -> Option<&[Member]> {
        match &self.kind {
            Kind::Object(members) => Some(members),
            _ => None,
        }
    }

    pub(crate) fn member(&self, key: &str) -> Option<&Member> {
        self.members()?.iter().find(|member| member.key == key)
    }

    /// What kind of value it is, with its article.
    pub(crate) fn kind_name(&self) -> &'static str {
        match &self.kind {
            Kind::Null => "null",
            Kind::Bool(_) => "a boolean",
            Kind::Number(_) => "a number",
            Kind::String(_) => "a string",
            Kind::Array(_) => "an array",
            Kind::Object(_) => "an object",
        }
    }

    /// The value without its places. Recursion is bounded by `JSON_DEPTH`.
    pub(crate) fn node(&self) -> Node {
        match &self.kind {
            Kind::Null => Node::Null,
            Kind::Bool(value) => Node::Bool(*value),
            Kind::Number(number) => Node::Number(number.clone()),
            Kind::String(text) => Node::string(text.as_str()),
            Kind::Array(elements) => Node::array(elements.iter().map(Spot::node).collect()),
            Kind::Object(members) => Node::object(
                members
                    .iter()
                    .map(|m| (m.key.as_str().into(), m.value.node()))
                    .collect(),
            ),
        }
    }
}

/// `pointer` with one more step.
pub(crate) fn child_pointer(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// The tree of a definition, and the members that were named twice.
pub(crate) fn read(text: &str) -> Result<(Spot, Vec<Twice>), JsonFault> {
    let cursor = Cursor::new(text, 0);
    let mut reader = Reader {
        cursor,
        steps: Vec::new(),
        twice: Vec::new(),
    };
    let spot = reader.value()?;
    if reader.cursor.next_token().is_some() {
        return reader.cursor.fault("something follows the JSON value");
    }
    Ok((spot, reader.twice))
}

struct Reader<'a> {
    cursor: Cursor<'a>,
    /// The way to the container that is being read: pointers are spelt out only for mistakes.
    steps: Vec<Step>,
    twice: Vec<Twice>,
}

enum Step {
    Key(String),
    Index(usize),
}

/// Members named twice that are listed; a definition with more has been told enough.
const TWICE_LISTED: usize = 20;

impl Reader<'_> {
    fn pointer(&self) -> String {
        self.steps
            .iter()
            .fold(String::new(), |pointer, step| match step {
                Step::Key(key) => child_pointer(&pointer, key),
                Step::Index(index) => format!("{pointer}/{index}"),
            })
    }

    /// Recursion is bounded by `JSON_DEPTH`.
    fn value(&mut self) -> Result<Spot, JsonFault> {
        let token = self.cursor.next_token();
        let start = self.cursor.at;
        let kind = match token {
            Some(b'"') => Kind::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => Kind::Number(Number::read(self.cursor.number()?)),
            Some(open @ (b'[' | b'{')) => {
                if self.steps.len() >= JSON_DEPTH {
                    return self
                        .cursor
                        .fault(format!("nested deeper than {JSON_DEPTH} levels"));
                }
                self.cursor.at += 1;
                if open == b'[' {
                    self.array()?
                } else {
                    self.object()?
                }
            }
            _ => match self.cursor.word()? {
                "true" => Kind::Bool(true),
                "false" => Kind::Bool(false),
                _ => Kind::Null,
            },
        };
        Ok(Spot { start, kind })
    }

    fn string(&mut self) -> Result<String, JsonFault> {
        let quoted = self.cursor.string()?;
        Ok(unescape(self.cursor.text.get(quoted.start..quoted.end).unwrap_or("")).into_owned())
    }

    fn array(&mut self) -> Result<Kind, JsonFault> {
        let mut elements = Vec::new();
        if self.cursor.take(b']') {
            return Ok(Kind::Array(elements));
        }
        loop {
            self.steps.push(Step::Index(elements.len()));
            elements.push(self.value()?);
            self.steps.pop();
            if self.cursor.take(b']') {
                return Ok(Kind::Array(elements));
            }
            if !self.cursor.take(b',') {
                return self.cursor.expected("`,` or `]`");
            }
        }
    }

    fn object(&mut self) -> Result<Kind, JsonFault> {
        let mut members: Vec<Member> = Vec::new();
        let mut names = std::collections::BTreeSet::new();
        if self.cursor.take(b'}') {
            return Ok(Kind::Object(members));
        }
        loop {
            if self.cursor.next_token() != Some(b'"') {
                return self.cursor.expected("a member's name in double quotes");
            }
            let start = self.cursor.at;
            let key = self.string()?;
            if !self.cursor.take(b':') {
                return self.cursor.expected("`:`");
            }
            self.steps.push(Step::Key(key.clone()));
            let value = self.value()?;
            self.steps.pop();
            if names.insert(key.clone()) {
                members.push(Member { key, start, value });
            } else if self.twice.len() < TWICE_LISTED {
                self.twice.push(Twice {
                    key,
                    start,
                    pointer: self.pointer(),
                });
            }
            if self.cursor.take(b'}') {
                return Ok(Kind::Object(members));
            }
            if !self.cursor.take(b',') {
                return self.cursor.expected("`,` or `}`");
            }
        }
    }
}
