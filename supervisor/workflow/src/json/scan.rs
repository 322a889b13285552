//! Reading JSON without building anything: the tokens, and the one validation of foreign bytes.

use super::text::SPAN_BYTES;
use std::borrow::Cow;
use std::fmt;

/// Why some bytes are not JSON that Keylane accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonFault {
    /// The byte at which it shows.
    pub offset: usize,
    /// What is wrong, a sentence without a full stop.
    pub message: String,
}

impl JsonFault {
    pub(super) fn new(offset: usize, message: impl Into<String>) -> Self {
        JsonFault {
            offset,
            message: message.into(),
        }
    }
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.message, self.offset)
    }
}

impl std::error::Error for JsonFault {}

/// A string token: the bytes between its quotes.
#[derive(Clone, Copy)]
pub(super) struct Quoted {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) escaped: bool,
}

/// A position in JSON text.
pub(super) struct Cursor<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

/// How many bytes a string goes on before something in it must be looked at; none if that never comes.
fn plain(bytes: &[u8]) -> Option<usize> {
    let special = |byte: &u8| *byte == b'"' || *byte == b'\\' || *byte < 0x20;
    // Most strings are short.
    let (head, long) = bytes.split_at(bytes.len().min(32));
    if let Some(at) = head.iter().position(special) {
        return Some(at);
    }
    // Of a long one whole chunks are asked without a branch for each byte, in vector registers.
    let (chunks, _) = long.as_chunks::<64>();
    let clean = |chunk: &&[u8; 64]| {
        let marks = |any: u8, byte: &u8| any | u8::from(special(byte));
        chunk.iter().fold(0, marks) == 0
    };
    let whole = head.len() + chunks.iter().take_while(clean).count() * 64;
    let rest = bytes.get(whole..)?;
    rest.iter().position(special).map(|at| whole + at)
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str, at: usize) -> Self {
        Cursor { text, at }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is not white space.
    pub(super) fn next_token(&mut self) -> Option<u8> {
        while let Some(byte) = self.peek() {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    pub(super) fn fault<T>(&self, message: impl Into<String>) -> Result<T, JsonFault> {
        Err(JsonFault::new(self.at, message))
    }

    /// What was found instead of what was expected.
    pub(super) fn expected<T>(&self, what: &str) -> Result<T, JsonFault> {
        let rest = self.text.get(self.at..).unwrap_or("");
        match rest.chars().next() {
            None => self.fault(format!("expected {what} but the text ends")),
            Some(found) if found.is_control() => {
                self.fault(format!("expected {what}, found {found:?}"))
            }
            Some(found) => self.fault(format!("expected {what}, found `{found}`")),
        }
    }

    /// Steps over `wanted` after white space, if it is there.
    pub(super) fn take(&mut self, wanted: u8) -> bool {
        let there = self.next_token() == Some(wanted);
        if there {
            self.at += 1;
        }
        there
    }

    /// A string whose opening quote is the next byte.
    pub(super) fn string(&mut self) -> Result<Quoted, JsonFault> {
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        let mut at = start;
        let mut escaped = false;
        loop {
            let Some(skip) = plain(bytes.get(at..).unwrap_or(&[])) else {
                return self.fault("this string has no closing quote");
            };
            at += skip;
            match bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    at = self.escape(at)?;
                }
                _ => {
                    return Err(JsonFault::new(
                        at,
                        "a control character inside a string must be written as an escape",
                    ));
                }
            }
        }
        self.at = at + 1;
        Ok(Quoted {
            start,
            end: at,
            escaped,
        })
    }

    /// The byte after the escape sequence that begins at `at`.
    fn escape(&self, at: usize) -> Result<usize, JsonFault> {
        match self.text.as_bytes().get(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
            Some(b'u') => {
                let lone = "this \\u escape is half of a surrogate pair, so not a character";
                match self.hex(at + 2)? {
                    0xD800..=0xDBFF => {
                        let pair = self.text.get(at + 6..at + 8) == Some("\\u");
                        match pair.then(|| self.hex(at + 8)).transpose()? {
                            Some(0xDC00..=0xDFFF) => Ok(at + 12),
                            _ => Err(JsonFault::new(at, lone)),
                        }
                    }
                    0xDC00..=0xDFFF => Err(JsonFault::new(at, lone)),
                    _ => Ok(at + 6),
                }
            }
            _ => Err(JsonFault::new(
                at,
                "a backslash begins no escape that JSON knows",
            )),
        }
    }

    fn hex(&self, at: usize) -> Result<u32, JsonFault> {
        let digits = self
            .text
            .get(at..at + 4)
            .filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        digits
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .ok_or_else(|| JsonFault::new(at, "a \\u escape needs four hexadecimal digits"))
    }

    fn digits(&mut self) -> usize {
        let from = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - from
    }

    /// A number that begins at the next byte; it must fit a double.
    pub(super) fn number(&mut self) -> Result<&'a str, JsonFault> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let leading_zero = self.peek() == Some(b'0');
        let whole = self.digits();
        if whole == 0 {
            return self.expected("a digit");
        }
        if leading_zero && whole > 1 {
            return Err(JsonFault::new(start, "a number must not begin with a zero"));
        }
        let mut plain = true;
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return self.expected("a digit after the decimal point");
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            plain = false;
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return self.expected("a digit in the exponent");
            }
        }
        let text = self.text.get(start..self.at).unwrap_or("");
        let fits = (plain && whole < 300) || text.parse().is_ok_and(f64::is_finite);
        if !fits {
            return Err(JsonFault::new(
                start,
                "this number is too large for a double",
            ));
        }
        Ok(text)
    }

    /// `true`, `false` or `null`.
    pub(super) fn word(&mut self) -> Result<&'static str, JsonFault> {
        let rest = self.text.get(self.at..).unwrap_or("");
        for word in ["true", "false", "null"] {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(word);
            }
        }
        if rest.starts_with("NaN") || rest.starts_with("Infinity") || rest.starts_with("-I") {
            return self.fault("NaN and Infinity are not JSON");
        }
        self.expected("a JSON value")
    }
}

/// The characters that a string token stands for.
pub(super) fn unescape(raw: &str) -> Cow<'_, str> {
    if !raw.contains('\\') {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    let mut high = None;
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('u') => {
                let unit = (0..4).fold(0_u32, |unit, _| {
                    unit * 16 + chars.next().and_then(|c| c.to_digit(16)).unwrap_or(0)
                });
                match (high.take(), unit) {
                    (None, 0xD800..=0xDBFF) => high = Some(unit),
                    (Some(high), 0xDC00..=0xDFFF) => {
                        let joined = 0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00);
                        out.push(char::from_u32(joined).unwrap_or('\u{FFFD}'));
                    }
                    (_, unit) => out.push(char::from_u32(unit).unwrap_or('\u{FFFD}')),
                }
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    Cow::Owned(out)
}

/// What the validation learned besides validity.
pub(super) struct Learned {
    /// See [`super::text::Source::spans`].
    pub(super) spans: Vec<(u32, u32)>,
    /// Levels of nesting.
    pub(super) depth: u16,
}

/// Checks that `text` is exactly one acceptable JSON value of at most that many levels.
pub(super) fn validate(text: &str, levels: usize) -> Result<Learned, JsonFault> {
    if u32::try_from(text.len()).is_err() {
        return Err(JsonFault::new(0, "more than 4 GiB of JSON"));
    }
    let mut scan = Validation {
        cursor: Cursor::new(text, 0),
        levels,
        depth: 0,
        deepest: 0,
        spans: Vec::new(),
        keys: Vec::new(),
    };
    scan.value()?;
    if scan.cursor.next_token().is_some() {
        return scan.cursor.fault("something follows the JSON value");
    }
    Ok(Learned {
        spans: scan.spans,
        depth: scan.deepest,
    })
}

struct Validation<'a> {
    cursor: Cursor<'a>,
    levels: usize,
    depth: u16,
    deepest: u16,
    spans: Vec<(u32, u32)>,
    /// Keys of the objects that are open, the innermost last.
    keys: Vec<Quoted>,
}

impl Validation<'_> {
    /// Recursion is bounded by `levels`.
    fn value(&mut self) -> Result<(), JsonFault> {
        match self.cursor.next_token() {
            Some(b'"') => self.cursor.string().map(|_| ()),
            Some(b'-' | b'0'..=b'9') if !self.minus_infinity() => self.cursor.number().map(|_| ()),
            Some(open @ (b'{' | b'[')) => self.container(open),
            _ => self.cursor.word().map(|_| ()),
        }
    }

    fn minus_infinity(&self) -> bool {
        self.cursor
            .text
            .get(self.cursor.at..)
            .is_some_and(|rest| rest.starts_with("-I"))
    }

    fn container(&mut self, open: u8) -> Result<(), JsonFault> {
        if usize::from(self.depth) >= self.levels {
            return self
                .cursor
                .fault(format!("nested deeper than {} levels", self.levels));
        }
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        let start = self.cursor.at;
        let span = self.spans.len();
        // The length of the text was checked to fit.
        self.spans
            .push((u32::try_from(start).unwrap_or(u32::MAX), 0));
        self.cursor.at += 1;
        if open == b'{' {
            self.members()?
        } else {
            self.elements()?
        }
        self.depth -= 1;
        let end = self.cursor.at;
        if end - start < SPAN_BYTES {
            self.spans.truncate(span);
        } else if let Some(entry) = self.spans.get_mut(span) {
            entry.1 = u32::try_from(end).unwrap_or(u32::MAX);
        }
        Ok(())
    }

    fn elements(&mut self) -> Result<(), JsonFault> {
        if self.cursor.take(b']') {
            return Ok(());
        }
        loop {
            self.value()?;
            if self.cursor.take(b']') {
                return Ok(());
            }
            if !self.cursor.take(b',') {
                return self.cursor.expected("`,` or `]`");
            }
        }
    }

    fn members(&mut self) -> Result<(), JsonFault> {
        if self.cursor.take(b'}') {
            return Ok(());
        }
        let first = self.keys.len();
        loop {
            if self.cursor.next_token() != Some(b'"') {
                return self.cursor.expected("a member's name in double quotes");
            }
            let key = self.cursor.string()?;
            self.keys.push(key);
            if !self.cursor.take(b':') {
                return self.cursor.expected("`:`");
            }
            self.value()?;
            if self.cursor.take(b'}') {
                break;
            }
            if !self.cursor.take(b',') {
                return self.cursor.expected("`,` or `}`");
            }
        }
        self.distinct(first)?;
        self.keys.truncate(first);
        Ok(())
    }

    /// Checks the keys of the innermost object, those from `first` on.
    fn distinct(&mut self, first: usize) -> Result<(), JsonFault> {
        let text = self.cursor.text;
        let name = |key: &Quoted| {
            let raw = text.get(key.start..key.end).unwrap_or("");
            if key.escaped {
                unescape(raw)
            } else {
                Cow::Borrowed(raw)
            }
        };
        let keys = self.keys.get_mut(first..).unwrap_or(&mut []);
        // Most pairs differ in length, which needs no look at the text.
        let same = |a: &Quoted, b: &Quoted| {
            (a.escaped || b.escaped || a.end - a.start == b.end - b.start) && name(a) == name(b)
        };
        let twice = if keys.len() <= 12 {
            // Few keys: comparing all pairs is cheaper than sorting them.
            keys.iter().enumerate().find_map(|(place, key)| {
                let before = keys.get(..place).unwrap_or(&[]);
                before.iter().any(|other| same(other, key)).then_some(*key)
            })
        } else {
            keys.sort_by(|a, b| name(a).cmp(&name(b)).then(a.start.cmp(&b.start)));
            keys.windows(2).find_map(|pair| match pair {
                [a, b] if name(a) == name(b) => Some(*b),
                _ => None,
            })
        };
        match twice {
            None => Ok(()),
            Some(key) => Err(JsonFault::new(
                key.start.saturating_sub(1),
                format!("an object names its member {:?} twice", name(&key)),
            )),
        }
    }
}
