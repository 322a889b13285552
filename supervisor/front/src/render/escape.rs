//! Makes text that others wrote harmless on a terminal and in a line of a log.
//!
//! What a function prints, raises or returns, and what a project's files say, may hold escape
//! sequences that repaint the screen and marks that reverse the reading direction. Each sink of
//! the command line passes such text through here (docs/THREATS.md, rule D3).

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a character may not reach a terminal: control characters, marks that change the
/// reading direction, separators that some viewers take for a line's end, and invisible tags.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{061c}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// One line of text for a person: hostile characters appear as `\u{..}`, a tab stays.
pub fn line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| c != '\t' && is_hostile(c)) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\t' => safe.push(c),
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            c if is_hostile(c) => safe.extend(c.escape_unicode()),
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// JSON text for a terminal. Outside of strings JSON holds no hostile character but white space,
/// and inside of them `\uXXXX` means the same, so that the value stays what it was.
pub fn json(text: &str) -> Cow<'_, str> {
    let white = |c: char| matches!(c, '\t' | '\n' | '\r');
    if !text.chars().any(|c| !white(c) && is_hostile(c)) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if white(c) || !is_hostile(c) {
            safe.push(c);
            continue;
        }
        let mut units = [0u16; 2];
        for unit in c.encode_utf16(&mut units) {
            // Writing to a String cannot fail.
            let _ = write!(safe, "\\u{unit:04x}");
        }
    }
    Cow::Owned(safe)
}

/// `text`, or as much of it as fits `limit` bytes, with a note of what was cut.
pub fn cut(text: &str, limit: usize) -> Cow<'_, str> {
    if text.len() <= limit {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(limit);
    let (head, tail) = text.split_at(end);
    Cow::Owned(format!("{head} [{} bytes more]", tail.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_of_any_script_passes_unchanged() {
        for text in ["", "a\tb", "prix: 12 €", "日本語", "مرحبا", "👩\u{200d}🔬"] {
            assert!(matches!(line(text), Cow::Borrowed(_)), "{text}");
        }
    }

    #[test]
    fn a_terminal_never_sees_an_escape_a_c1_control_or_a_bidi_mark() {
        let hostile = "a\x1b[2Jb\u{9b}c\u{202e}d\u{2066}e\r\nf\u{7f}\u{e0041}";
        let safe = line(hostile);
        assert!(!safe.chars().any(is_hostile), "{safe:?}");
        assert!(safe.contains("\\u{1b}[2J"), "{safe}");
        assert!(safe.contains("\\u{202e}"), "{safe}");
        assert!(safe.contains("\\r\\nf"), "{safe}");
    }

    #[test]
    fn escaped_json_is_the_same_value() {
        let value = serde_json::json!({"a\u{202e}": ["\u{9b}31m", "\u{e0041}", "\u{7f}", "ok"]});
        let text = serde_json::to_string_pretty(&value).unwrap();
        let safe = json(&text);
        assert!(
            !safe.chars().any(|c| c != '\n' && is_hostile(c)),
            "{safe:?}"
        );
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&safe).unwrap(),
            value
        );
    }

    #[test]
    fn a_cut_never_splits_a_character_and_says_how_much_is_missing() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("aäb", 2), "a [3 bytes more]");
    }
}
