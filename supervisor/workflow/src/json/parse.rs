//! From validated text to one level of members. The grandchildren stay text.

use super::node::{Node, Object, Shape, Tree};
use super::number::Number;
use super::scan::{Cursor, JsonFault, unescape};
use super::text::Text;
use std::sync::Arc;

/// Strings longer than this stay text until someone looks at them.
const LONG_STRING: usize = 1024;

/// The members of the value in `text`, whose nesting is at most `depth`. The text was validated;
/// if it were not JSON after all, the value would read as null.
pub(super) fn one_level(text: &Text, depth: u16) -> Shape {
    let mut level = Level {
        text,
        cursor: Cursor::new(&text.source.text, text.start),
        depth,
    };
    level.shape().unwrap_or(Shape::Scalar(Node::Null))
}

struct Level<'a> {
    text: &'a Text,
    cursor: Cursor<'a>,
    depth: u16,
}

impl Level<'_> {
    fn shape(&mut self) -> Result<Shape, JsonFault> {
        match self.cursor.next_token() {
            Some(b'[') => self.array(),
            Some(b'{') => self.object(),
            Some(b'"') => Ok(Shape::Scalar(Node::String(self.string()?))),
            _ => Ok(Shape::Scalar(self.child()?)),
        }
    }

    fn array(&mut self) -> Result<Shape, JsonFault> {
        self.cursor.at += 1;
        let mut elements = Vec::new();
        if self.cursor.take(b']') {
            return Ok(Shape::Array(elements));
        }
        loop {
            elements.push(self.child()?);
            if !self.cursor.take(b',') {
                elements.shrink_to_fit();
                return Ok(Shape::Array(elements));
            }
        }
    }

    fn object(&mut self) -> Result<Shape, JsonFault> {
        self.cursor.at += 1;
        let mut members = Vec::new();
        if self.cursor.take(b'}') {
            return Ok(Shape::Object(Object::new(members)));
        }
        loop {
            self.cursor.next_token();
            let key = self.string()?;
            self.cursor.take(b':');
            members.push((key, self.child()?));
            if !self.cursor.take(b',') {
                return Ok(Shape::Object(Object::new(members)));
            }
        }
    }

    fn string(&mut self) -> Result<Arc<str>, JsonFault> {
        let quoted = self.cursor.string()?;
        let raw = self.cursor.text.get(quoted.start..quoted.end).unwrap_or("");
        Ok(if quoted.escaped {
            unescape(raw).into()
        } else {
            raw.into()
        })
    }

    fn cut(&self, start: usize, end: usize, depth: u16) -> Node {
        let text = Text {
            source: self.text.source.clone(),
            start,
            end,
        };
        Tree::from_text(text, depth)
    }

    fn child(&mut self) -> Result<Node, JsonFault> {
        let token = self.cursor.next_token();
        let start = self.cursor.at;
        match token {
            Some(b'[' | b'{') => {
                let end = match self.text.source.end_of(start) {
                    Some(end) => end,
                    None => skip_container(self.cursor.text, start),
                };
                self.cursor.at = end;
                Ok(self.cut(start, end, self.depth.saturating_sub(1)))
            }
            Some(b'"') => {
                let quoted = self.cursor.string()?;
                let raw = self.cursor.text.get(quoted.start..quoted.end).unwrap_or("");
                if raw.len() > LONG_STRING {
                    return Ok(self.cut(start, self.cursor.at, 0));
                }
                Ok(Node::String(if quoted.escaped {
                    unescape(raw).into()
                } else {
                    raw.into()
                }))
            }
            Some(b'-' | b'0'..=b'9') => Ok(Node::Number(Number::read(self.cursor.number()?))),
            _ => Ok(match self.cursor.word()? {
                "true" => Node::Bool(true),
                "false" => Node::Bool(false),
                _ => Node::Null,
            }),
        }
    }
}

/// Calls `seen` with each bracket of valid JSON from `start` on, until it answers `false`; the
/// place after the bracket where it stopped.
fn brackets(text: &str, start: usize, mut seen: impl FnMut(u8) -> bool) -> usize {
    let bytes = text.as_bytes();
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => loop {
                match bytes.get(at) {
                    Some(b'\\') => at += 2,
                    Some(b'"') | None => {
                        at += 1;
                        break;
                    }
                    Some(_) => at += 1,
                }
            },
            b'[' | b'{' | b']' | b'}' if !seen(*byte) => {
                return at;
            }
            _ => {}
        }
    }
    bytes.len()
}

/// The place after the container that begins at `start`.
fn skip_container(text: &str, start: usize) -> usize {
    let mut open = 0_usize;
    brackets(text, start, |byte| {
        if matches!(byte, b'[' | b'{') {
            open += 1
        } else {
            open = open.saturating_sub(1)
        }
        open > 0
    })
}

/// Levels of nesting of valid JSON.
pub(super) fn levels(text: &str) -> usize {
    let (mut open, mut deepest) = (0_usize, 0);
    brackets(text, 0, |byte| {
        if matches!(byte, b'[' | b'{') {
            open += 1
        } else {
            open = open.saturating_sub(1)
        }
        deepest = deepest.max(open);
        true
    });
    deepest
}
