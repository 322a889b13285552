//! Rust source as far as these rules read it: without comments and literals, without tests.

use crate::files;

/// The source with every comment, string and character literal blanked; lines stay lines.
pub(crate) fn code(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut code = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let end = skip(&chars, at);
        for c in &chars[at..end.max(at + 1)] {
            code.push(if end > at && *c != '\n' { ' ' } else { *c });
        }
        at = end.max(at + 1);
    }
    code
}

/// Where the comment or literal that begins at `at` ends; `at` itself if none begins there.
fn skip(chars: &[char], at: usize) -> usize {
    let is = |offset: usize, c: char| chars.get(at + offset) == Some(&c);
    let after_word = at > 0 && is_word(chars[at - 1]);
    match chars[at] {
        '/' if is(1, '/') => position(chars, at, |i| chars[i] == '\n'),
        '/' if is(1, '*') => block_comment(chars, at),
        '"' => string(chars, at + 1),
        'r' if !after_word || chars[at - 1] == 'b' || chars[at - 1] == 'c' => raw_string(chars, at),
        '\'' if is(1, '\\') => position(chars, at + 3, |i| chars[i] == '\'') + 1,
        '\'' if is(2, '\'') => at + 3,
        _ => at,
    }
}

pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn position(chars: &[char], from: usize, found: impl Fn(usize) -> bool) -> usize {
    (from..chars.len())
        .find(|i| found(*i))
        .unwrap_or(chars.len())
}

fn block_comment(chars: &[char], at: usize) -> usize {
    let (mut depth, mut i) = (0, at);
    while i < chars.len() {
        match (chars[i], chars.get(i + 1)) {
            ('/', Some('*')) => (depth, i) = (depth + 1, i + 2),
            ('*', Some('/')) => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            return i;
        }
    }
    i
}

fn string(chars: &[char], from: usize) -> usize {
    let mut i = from;
    while i < chars.len() && chars[i] != '"' {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    (i + 1).min(chars.len())
}

fn raw_string(chars: &[char], at: usize) -> usize {
    let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
    if chars.get(at + 1 + hashes) != Some(&'"') {
        return at;
    }
    let closes = |i: usize| {
        chars[i] == '"' && chars[i + 1..].iter().take_while(|c| **c == '#').count() >= hashes
    };
    (position(chars, at + 2 + hashes, closes) + 1 + hashes).min(chars.len())
}

/// What ships: the source's code up to its module of unit tests.
pub(crate) fn shipped(source: &str) -> String {
    let code = code(source);
    let mut end = code.len();
    for (at, _) in code.match_indices("#[cfg(test)]") {
        let rest = code[at..].trim_start_matches("#[cfg(test)]").trim_start();
        let (brace, semicolon) = (rest.find('{'), rest.find(';'));
        if rest.starts_with("mod ") && semicolon.is_none_or(|s| brace.is_some_and(|b| b < s)) {
            end = end.min(at);
        }
    }
    code[..end].to_owned()
}

/// The words of a piece of code with the character that follows each, white space left out.
pub(crate) fn words(code: &str) -> impl Iterator<Item = (&str, Option<char>)> {
    code.split_inclusive(|c: char| !is_word(c))
        .map(|piece| piece.trim_end_matches(|c: char| !is_word(c)))
        .filter(|word| !word.is_empty())
        .map(|word| {
            let end = word.as_ptr().addr() - code.as_ptr().addr() + word.len();
            (word, code[end..].trim_start().chars().next())
        })
}

#[test]
fn comments_and_literals_are_blanked_and_code_is_not() {
    let source = "a(\"unsafe \\\" x\"); // unsafe\n/* unsafe /* */ unsafe */ b('\"', '\\'', r#\"unsafe\"#, b\"unsafe\"); fn c<'a>() { d }";
    let code = code(source);
    assert!(!code.contains("unsafe"), "{code}");
    for kept in ["a(", "b(", "fn c<'a>() { d }"] {
        assert!(code.contains(kept), "{kept} is gone from {code}");
    }
    assert_eq!(code.lines().count(), 2);
}

#[test]
fn unit_tests_do_not_ship_and_a_word_is_known_by_what_follows_it() {
    let source =
        "#[cfg(test)]\nmod testing;\nlet x = unsafe { y };\n#[cfg(test)]\nmod tests { unsafe {} }";
    let shipped = shipped(source);
    let found: Vec<_> = words(&shipped)
        .filter(|(word, _)| *word == "unsafe")
        .collect();
    assert_eq!(found, [("unsafe", Some('{'))]);
}

#[test]
fn every_module_begins_with_its_contract() {
    for (path, text) in files::ending(".rs") {
        let ours = ["policy/", "supervisor/", "shim/"]
            .iter()
            .any(|top| path.starts_with(top));
        assert!(
            !ours || text.starts_with("//!"),
            "{path} does not begin with `//!` and what it is for"
        );
    }
}
