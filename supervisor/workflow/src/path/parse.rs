//! Reading paths.

use super::filter::{Comparison, Operand, Predicate};
use super::{FILTER_DEPTH, Path, Root, Step};
use crate::json::{Node, Number};
use keylane_policy::limit::JSON_DEPTH;
use std::sync::Arc;

impl Path {
    /// The path that `text` is, or what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Path, String> {
        let mut reader = Reader {
            text,
            at: 0,
            depth: 0,
        };
        let path = reader.path()?;
        match reader.rest().chars().next() {
            None => Ok(path),
            Some(found) if found.is_alphanumeric() || found == '-' || found == ' ' => Err(format!(
                "a name with {found:?} in it, as at character {}, is written `['...']`",
                reader.column()
            )),
            Some(_) => reader.fail("the path is over, but something follows"),
        }
    }

    /// The path at the beginning of `text`, and how many bytes it takes.
    pub(crate) fn parse_prefix(text: &str) -> Result<(Path, usize), String> {
        let mut reader = Reader {
            text,
            at: 0,
            depth: 0,
        };
        Ok((reader.path()?, reader.at))
    }
}

/// Whether `c` may stand in a variable's name.
pub(crate) fn in_variable_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
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

    fn take(&mut self, token: &str) -> bool {
        let there = self.rest().starts_with(token);
        if there {
            self.at += token.len();
        }
        there
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or("")
    }

    fn space(&mut self) {
        self.take_while(char::is_whitespace);
    }

    /// Steps over `token` with white space around it.
    fn expect(&mut self, token: &str) -> Result<(), String> {
        self.space();
        if !self.take(token) {
            return self.fail(format_args!("expected `{token}`"));
        }
        self.space();
        Ok(())
    }

    fn path(&mut self) -> Result<Path, String> {
        let from = self.at;
        if !self.take("$") {
            return Err("it must begin with `$`".to_owned());
        }
        let root = if self.take("$") {
            Root::Context
        } else {
            match self.take_while(in_variable_name) {
                "" => Root::Data,
                name => Root::Variable(name.into()),
            }
        };
        let steps = self.steps()?;
        let text = self.text.get(from..self.at).unwrap_or("");
        let definite = steps.iter().all(Step::is_definite);
        Ok(Path {
            root,
            steps,
            definite,
            text: text.into(),
        })
    }

    fn steps(&mut self) -> Result<Vec<Step>, String> {
        let mut steps = Vec::new();
        loop {
            if self.take("..") {
                steps.push(Step::Descend);
                if !self.rest().starts_with('[') {
                    let step = self.dotted()?;
                    steps.push(step);
                }
            } else if self.take(".") {
                let step = self.dotted()?;
                steps.push(step);
            } else if self.take("[") {
                let step = self.bracketed()?;
                steps.push(step);
            } else {
                break;
            }
        }
        if steps.len() > JSON_DEPTH {
            return self.fail(format_args!("a path of more than {JSON_DEPTH} steps ends"));
        }
        let length = steps.iter().position(|step| matches!(step, Step::Length));
        if length.is_some_and(|place| place + 1 < steps.len()) {
            return self.fail("nothing can follow `length()`");
        }
        if length.is_some() && !steps.iter().all(Step::is_definite) {
            return self.fail("`length()` cannot follow a step that selects several values");
        }
        Ok(steps)
    }

    fn dotted(&mut self) -> Result<Step, String> {
        if self.take("*") {
            return Ok(Step::Wildcard);
        }
        let name = self.take_while(|c| !c.is_whitespace() && !".[](),'\"*?@:=<>!&|".contains(c));
        if name.is_empty() {
            return self.fail("expected a field's name");
        }
        if self.take("()") {
            return match name {
                "length" => Ok(Step::Length),
                _ => self.fail(format_args!("the function `{name}()` is not supported")),
            };
        }
        Ok(Step::Name(name.into()))
    }

    fn bracketed(&mut self) -> Result<Step, String> {
        self.space();
        let step = match self.rest().chars().next() {
            Some('*') => {
                self.at += 1;
                Step::Wildcard
            }
            Some('\'' | '"') => self.names()?,
            Some('?') => {
                self.at += 1;
                self.expect("(")?;
                let predicate = self.or()?;
                self.expect(")")?;
                Step::Filter(predicate)
            }
            Some('-' | ':' | '0'..='9') => self.indices()?,
            None => return Err("it ends within brackets".to_owned()),
            _ => return self.fail("expected an index, a quoted name, `*` or a filter"),
        };
        self.space();
        if !self.take("]") {
            return self.fail("expected `]`");
        }
        Ok(step)
    }

    fn names(&mut self) -> Result<Step, String> {
        let first = self.quoted()?;
        let mut names: Vec<Arc<str>> = vec![first.as_str().into()];
        loop {
            self.space();
            if !self.take(",") {
                break;
            }
            self.space();
            let name = self.quoted()?;
            // Twice the same name would make an object that has a member twice.
            if !names.iter().any(|known| **known == *name) {
                names.push(name.into());
            }
        }
        Ok(if names.len() == 1 {
            Step::Name(first.into())
        } else {
            Step::Names(names)
        })
    }

    /// A string in single or double quotes with backslash escapes.
    fn quoted(&mut self) -> Result<String, String> {
        let mut chars = self.rest().char_indices();
        let Some((_, quote @ ('\'' | '"'))) = chars.next() else {
            return self.fail("expected a quoted string");
        };
        let mut out = String::new();
        while let Some((place, c)) = chars.next() {
            if c == quote {
                self.at += place + 1;
                return Ok(out);
            }
            match c {
                '\\' => match chars.next() {
                    Some((_, 'n')) => out.push('\n'),
                    Some((_, 't')) => out.push('\t'),
                    Some((_, 'r')) => out.push('\r'),
                    Some((_, other)) => out.push(other),
                    None => break,
                },
                other => out.push(other),
            }
        }
        self.fail("this quote is never closed")
    }

    fn integer(&mut self) -> Result<Option<i64>, String> {
        let text = self.take_while(|c| c == '-' || c.is_ascii_digit());
        if text.is_empty() {
            return Ok(None);
        }
        match text.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => self.fail(format_args!("`{text}` is not an index")),
        }
    }

    fn indices(&mut self) -> Result<Step, String> {
        let first = self.integer()?;
        self.space();
        if self.take(":") {
            self.space();
            let end = self.integer()?;
            self.space();
            if self.take(":") {
                return self.fail("a slice with a step is not supported");
            }
            return Ok(Step::Slice(first, end));
        }
        let Some(first) = first else {
            return self.fail("expected an index");
        };
        let mut indices = vec![first];
        while self.take(",") {
            self.space();
            match self.integer()? {
                Some(index) => indices.push(index),
                None => return self.fail("expected an index"),
            }
            self.space();
        }
        Ok(if indices.len() == 1 {
            Step::Index(first)
        } else {
            Step::Indices(indices)
        })
    }

    fn or(&mut self) -> Result<Predicate, String> {
        let mut any = vec![self.and()?];
        self.space();
        while self.take("||") {
            any.push(self.and()?);
            self.space();
        }
        Ok(if any.len() == 1 {
            any.remove(0)
        } else {
            Predicate::Any(any)
        })
    }

    fn and(&mut self) -> Result<Predicate, String> {
        let mut all = vec![self.term()?];
        self.space();
        while self.take("&&") {
            all.push(self.term()?);
            self.space();
        }
        Ok(if all.len() == 1 {
            all.remove(0)
        } else {
            Predicate::All(all)
        })
    }

    /// Recursion is bounded by `FILTER_DEPTH`.
    fn term(&mut self) -> Result<Predicate, String> {
        self.depth += 1;
        if self.depth > FILTER_DEPTH {
            return self.fail("this filter is nested too deep");
        }
        self.space();
        let term = if self.rest().starts_with('!') && !self.rest().starts_with("!=") {
            self.at += 1;
            Predicate::Not(Box::new(self.term()?))
        } else if self.take("(") {
            let inner = self.or()?;
            self.expect(")")?;
            inner
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(term)
    }

    fn comparison(&mut self) -> Result<Predicate, String> {
        let left = self.operand()?;
        self.space();
        let operators = [
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::AtMost),
            (">=", Comparison::AtLeast),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
            ("in ", Comparison::In),
            ("nin ", Comparison::NotIn),
        ];
        for (token, comparison) in operators {
            if self.take(token) {
                self.space();
                return Ok(Predicate::Compare(left, comparison, self.operand()?));
            }
        }
        let word = self.take_while(|c| c.is_ascii_lowercase() || c == '=' || c == '~');
        if !word.is_empty() {
            return self.fail(format_args!(
                "the filter operator `{word}` is not supported"
            ));
        }
        match left {
            Operand::Literal(_) => self.fail("expected a comparison"),
            Operand::Here(steps) => Ok(Predicate::Exists(steps)),
            Operand::Path(_) => self.fail("expected a comparison"),
        }
    }

    fn operand(&mut self) -> Result<Operand, String> {
        match self.rest().chars().next() {
            Some('@') => {
                self.at += 1;
                Ok(Operand::Here(self.steps()?))
            }
            Some('$') => Ok(Operand::Path(Box::new(self.path()?))),
            _ => Ok(Operand::Literal(self.literal()?)),
        }
    }

    fn literal(&mut self) -> Result<Node, String> {
        if matches!(self.rest().chars().next(), Some('\'' | '"')) {
            return Ok(Node::string(self.quoted()?));
        }
        if self.take("[") {
            self.space();
            let mut elements = Vec::new();
            while !self.take("]") {
                elements.push(self.scalar()?);
                self.space();
                if !self.take(",") && !self.rest().starts_with(']') {
                    return self.fail("expected `,` or `]`");
                }
                self.space();
            }
            return Ok(Node::array(elements));
        }
        self.scalar()
    }

    fn scalar(&mut self) -> Result<Node, String> {
        if matches!(self.rest().chars().next(), Some('\'' | '"')) {
            return Ok(Node::string(self.quoted()?));
        }
        let word = self.take_while(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        match word {
            "true" => Ok(Node::Bool(true)),
            "false" => Ok(Node::Bool(false)),
            "null" => Ok(Node::Null),
            _ => match Number::parse(word) {
                Some(number) => Ok(Node::Number(number)),
                None => self.fail("expected a value to compare with"),
            },
        }
    }
}
