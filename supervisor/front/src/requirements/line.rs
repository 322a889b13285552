//! One requirement: `name[extra, ...] >=1.0, <2 --hash=sha256:...`.

/// Why a line is refused.
#[derive(Debug)]
pub(super) struct Bad {
    /// The character at which it goes wrong, from 1.
    pub(super) column: usize,
    /// What is wrong.
    pub(super) wrong: String,
    /// What to write instead.
    pub(super) advice: String,
}

/// The comparisons of PEP 440, longer ones first; `===` compares texts and is left out.
const OPERATORS: [&str; 7] = ["~=", "==", "!=", "<=", ">=", "<", ">"];

const FORM: &str = "write a name, extras in brackets, versions and hashes, such as \
                    `requests[socks] >=2.31, <3 --hash=sha256:...`";

/// The normalized name of the package that a line asks for, and the hashes of which its file must have
/// one.
pub(super) fn read(line: &str) -> Result<(String, Vec<String>), Bad> {
    refuse_known(line)?;
    let mut rest = Rest { line, at: 0 };
    rest.white();
    let start = rest.at;
    let name = rest.word(is_name);
    if !is_whole(name) {
        rest.at = start;
        return Err(rest.bad(format!("{name:?} is no package's name"), FORM));
    }
    rest.white();
    if rest.take("[") {
        rest.extras()?;
    }
    rest.specifiers()?;
    let hashes = rest.hashes()?;
    Ok((normalized(name), hashes))
}

/// What pip would take and this does not, told by its name and by what could be done with it.
fn refuse_known(line: &str) -> Result<(), Bad> {
    let start = line.chars().take_while(|c| c.is_whitespace()).count() + 1;
    let bad = |column, wrong: &str, advice: &str| {
        Err(Bad {
            column,
            wrong: wrong.to_owned(),
            advice: advice.to_owned(),
        })
    };
    let column = |text: &str| {
        line.split_once(text)
            .map(|(before, _)| before.chars().count() + 1)
    };
    if let Some(at) = line
        .chars()
        .position(|c| c != '\t' && (c.is_control() || !c.is_ascii()))
    {
        return bad(
            at + 1,
            "a control character, or one that is not ASCII",
            FORM,
        );
    }
    if let Some(at) = column("$") {
        return bad(
            at,
            "`$` would read the environment of whoever installs",
            "write it out",
        );
    }
    if line.trim_start().starts_with('-') {
        return bad(
            start,
            "an option: it would say where packages come from, or read another file",
            "name packages alone; the operator says where they come from",
        );
    }
    if let Some(at) = column("://").or(column("@")) {
        return bad(
            at,
            "a URL or a version control system",
            "name the package and its version instead",
        );
    }
    if let Some(at) = column("/").or(column("\\")) {
        return bad(at, "a path", "name the package and its version instead");
    }
    if let Some(at) = column(";") {
        return bad(
            at,
            "an environment marker",
            "remove it: functions have one environment, Linux on x86_64 with Python 3.11",
        );
    }
    Ok(())
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._-".contains(c)
}

/// PEP 508: letters and digits at both ends.
fn is_whole(name: &str) -> bool {
    let ends = [name.chars().next(), name.chars().next_back()];
    ends.iter()
        .all(|end| end.is_some_and(|c| c.is_ascii_alphanumeric()))
}

/// PEP 503: lower case, each run of `.`, `_` and `-` as one `-`.
pub(crate) fn normalized(name: &str) -> String {
    name.split(['.', '_', '-'])
        .filter(|part| !part.is_empty())
        .map(str::to_ascii_lowercase)
        .collect::<Vec<_>>()
        .join("-")
}

/// What of a line is still to be read. The line is ASCII: [`refuse_known`] has seen to it.
struct Rest<'l> {
    line: &'l str,
    at: usize,
}

impl<'l> Rest<'l> {
    fn left(&self) -> &'l str {
        self.line.get(self.at..).unwrap_or_default()
    }

    fn white(&mut self) {
        self.word(|c| c == ' ' || c == '\t');
    }

    fn take(&mut self, text: &str) -> bool {
        let there = self.left().starts_with(text);
        if there {
            self.at += text.len();
        }
        there
    }

    fn word(&mut self, belongs: impl Fn(char) -> bool) -> &'l str {
        let left = self.left();
        let end = left.find(|c| !belongs(c)).unwrap_or(left.len());
        self.at += end;
        left.get(..end).unwrap_or_default()
    }

    fn bad(&self, wrong: String, advice: &str) -> Bad {
        Bad {
            column: self.at + 1,
            wrong,
            advice: advice.to_owned(),
        }
    }

    fn unexpected(&self) -> Bad {
        let found = match self.left().chars().next() {
            Some(c) => format!("{c:?} does not belong here"),
            None => "the line ends too early".to_owned(),
        };
        self.bad(found, FORM)
    }

    /// `a, b]`
    fn extras(&mut self) -> Result<(), Bad> {
        loop {
            self.white();
            let extra = self.word(is_name);
            if !is_whole(extra) {
                return Err(self.unexpected());
            }
            self.white();
            if self.take("]") {
                return Ok(());
            }
            if !self.take(",") {
                return Err(self.unexpected());
            }
        }
    }

    /// `>=1.0, !=1.5.*`, or nothing.
    fn specifiers(&mut self) -> Result<(), Bad> {
        let mut again = false;
        loop {
            self.white();
            let operator = OPERATORS.into_iter().find(|operator| self.take(operator));
            let Some(operator) = operator else {
                // After a comma there must be one.
                return if again {
                    Err(self.unexpected())
                } else {
                    Ok(())
                };
            };
            self.white();
            let version = self.word(|c| c.is_ascii_alphanumeric() || ".!+_-".contains(c));
            let begins = version
                .chars()
                .next()
                .is_some_and(|c| c.is_ascii_alphanumeric());
            if !begins {
                return Err(self.unexpected());
            }
            // `==1.2.*` and `!=1.2.*` alone take a star (PEP 440).
            if version.ends_with('.') && !(matches!(operator, "==" | "!=") && self.take("*")) {
                return Err(self.unexpected());
            }
            self.white();
            if !self.take(",") {
                return Ok(());
            }
            again = true;
        }
    }

    /// `--hash=sha256:...`, as often as there is one, then the end.
    fn hashes(&mut self) -> Result<Vec<String>, Bad> {
        let mut hashes = Vec::new();
        loop {
            let read = self.line.get(..self.at).unwrap_or_default();
            let apart = read.ends_with([' ', '\t']) || self.left().starts_with([' ', '\t']);
            self.white();
            if self.left().is_empty() {
                return Ok(hashes);
            }
            if !apart {
                return Err(self.unexpected());
            }
            if !self.take("--hash=") {
                let advice = if self.left().starts_with('-') {
                    "remove it: --hash is the only option that a requirement may have"
                } else {
                    FORM
                };
                return Err(Bad {
                    advice: advice.to_owned(),
                    ..self.unexpected()
                });
            }
            if !self.take("sha256:") {
                let wrong = "a hash of another kind than sha256".to_owned();
                return Err(self.bad(wrong, "write `--hash=sha256:` and 64 digits"));
            }
            let digits = self.word(|c| c.is_ascii_digit() || ('a'..='f').contains(&c));
            if digits.len() != 64 {
                let wrong = format!("a sha256 of {} digits instead of 64", digits.len());
                return Err(self.bad(
                    wrong,
                    "write all of its 64 hexadecimal digits, in lower case",
                ));
            }
            hashes.push(digits.to_owned());
        }
    }
}
