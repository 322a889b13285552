//! Text inside an SVG: nothing that a name holds can become markup.

use crate::render::escape;
use std::fmt::Write;

/// `text` as XML character data and attribute value. Control characters, which XML forbids, and
/// marks that change the reading direction appear as `\u{..}`.
pub(super) fn text(text: &str) -> String {
    let line = escape::line(text);
    let mut safe = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\t' => safe.push(' '),
            // No character of XML, though one of Unicode.
            '\u{fffe}' | '\u{ffff}' => {
                // Writing to a String cannot fail.
                let _ = write!(safe, "{}", c.escape_unicode());
            }
            c => safe.push(c),
        }
    }
    safe
}

/// The first `most` characters, marked where something is missing; then as [`text`].
pub(super) fn short(name: &str, most: usize) -> String {
    if name.chars().count() <= most {
        return text(name);
    }
    let head: String = name.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", text(&head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_become_markup() {
        let hostile =
            "</title><script>alert('x')</script>\" onload=\"y & \u{0}\u{1b}\u{202e}\u{ffff}";
        let safe = text(hostile);
        assert!(!safe.contains(['<', '>', '"', '\'', '\0', '\u{1b}', '\u{202e}', '\u{ffff}']));
        assert!(safe.contains("&lt;script&gt;") && safe.contains("&amp;"));
        assert!(safe.contains("\\u{0}") && safe.contains("\\u{ffff}"));
    }

    #[test]
    fn a_cut_never_halves_an_entity() {
        assert_eq!(short("<<<<", 4), "&lt;&lt;&lt;&lt;");
        assert_eq!(short("<<<<<", 4), "&lt;&lt;&lt;…");
    }
}
