//! Reading expressions.

use super::{Argument, Call, Expression, Intrinsic};
use crate::json::{Node, Number};
use crate::path::Path;

/// Calls within calls; the service accepts ten.
const NESTING: usize = 10;

impl Expression {
    /// The path or call that `text` is, or what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Expression, String> {
        if text.starts_with('$') {
            return Path::parse(text).map(Expression::Path);
        }
        let mut reader = Reader {
            text,
            at: 0,
            nesting: 0,
        };
        let call = reader.call()?;
        reader.space();
        match reader.rest().chars().next() {
            None => Ok(Expression::Call(call)),
            Some(_) => reader.fail("the call is over, but something follows"),
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    nesting: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn column(&self) -> usize {
        self.text.get(..self.at).unwrap_or("").chars().count() + 1
    }

    fn fail<T>(&self, what: impl std::fmt::Display) -> Result<T, String> {
        Err(format!("{what} at character {}", self.column()))
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn take(&mut self, token: char) -> bool {
        self.space();
        let there = self.rest().starts_with(token);
        if there {
            self.at += token.len_utf8();
        }
        there
    }

    fn word(&mut self, more: &str) -> &'a str {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && !more.contains(c))
            .unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or("")
    }

    /// Recursion is bounded by `NESTING`.
    fn call(&mut self) -> Result<Call, String> {
        self.nesting += 1;
        if self.nesting > NESTING {
            return self.fail(format_args!("calls are nested deeper than {NESTING}"));
        }
        let from = self.at;
        let name = self.word("._");
        let Some(intrinsic) = Intrinsic::named(name) else {
            self.at = from;
            return match Intrinsic::nearest(name) {
                Some(near) => Err(format!(
                    "there is no intrinsic function `{name}`, did you mean `{near}`?"
                )),
                None => self.fail("expected the name of an intrinsic function"),
            };
        };
        if !self.take('(') {
            return self.fail("expected `(`");
        }
        let mut arguments = Vec::new();
        if !self.take(')') {
            loop {
                arguments.push(self.argument()?);
                if self.take(')') {
                    break;
                }
                if !self.take(',') {
                    return self.fail(match self.rest() {
                        "" => "the call ends without a `)`",
                        _ => "expected `,` or `)`",
                    });
                }
            }
        }
        let wanted = intrinsic.arguments();
        if !wanted.contains(&arguments.len()) {
            let (least, most) = (wanted.start(), wanted.end());
            let many = match (least == most, *most == usize::MAX) {
                (true, _) => format!("{least}"),
                (false, true) => format!("at least {least}"),
                (false, false) => format!("{least} to {most}"),
            };
            let have = arguments.len();
            let plural = if many == "1" { "" } else { "s" };
            return Err(format!(
                "`{name}` takes {many} argument{plural}, not {have}"
            ));
        }
        self.nesting -= 1;
        Ok(Call {
            intrinsic,
            arguments,
        })
    }

    fn argument(&mut self) -> Result<Argument, String> {
        self.space();
        match self.rest().chars().next() {
            Some('\'') => self.quoted(),
            Some('$') => {
                let (path, length) = Path::parse_prefix(self.rest())
                    .map_err(|why| format!("{why} of the path at character {}", self.column()))?;
                self.at += length;
                Ok(Argument::Expression(Expression::Path(path)))
            }
            Some('"') => self.fail("strings in a call stand in single quotes, this one does not"),
            Some('S') => Ok(Argument::Expression(Expression::Call(self.call()?))),
            Some(_) => {
                let word = self.word("+-.");
                match (word, Number::parse(word)) {
                    ("true", _) => Ok(Argument::Literal(Node::Bool(true))),
                    ("false", _) => Ok(Argument::Literal(Node::Bool(false))),
                    ("null", _) => Ok(Argument::Literal(Node::Null)),
                    (_, Some(number)) => Ok(Argument::Literal(Node::Number(number))),
                    _ => self.fail(
                        "expected an argument: a path, a call, a string in single \
                                    quotes, a number, true, false or null",
                    ),
                }
            }
            None => self.fail("expected an argument"),
        }
    }

    fn quoted(&mut self) -> Result<Argument, String> {
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((place, c)) = chars.next() {
            match c {
                '\'' => {
                    let raw = self.rest().get(1..place).unwrap_or("");
                    self.at += place + 1;
                    return Ok(Argument::Quoted(raw.into()));
                }
                '\\' => {
                    chars.next();
                }
                _ => {}
            }
        }
        self.fail("this quote is never closed")
    }
}
