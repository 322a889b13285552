//! Indents JSON text, or puts it on one line, without reading its values: a number of thirty digits stays as it is, which
//! no parser into machine numbers would keep.

/// `json`, which must be valid, with one member or element per line.
pub fn pretty(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0usize;
    let mut chars = json.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                out.push(c);
                copy_string(&mut chars, &mut out);
            }
            '{' | '[' => {
                out.push(c);
                skip_white(&mut chars);
                if let Some(close) = chars.next_if(|c| matches!(c, '}' | ']')) {
                    out.push(close);
                } else {
                    depth += 1;
                    new_line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            ' ' | '\t' | '\n' | '\r' => {}
            c => out.push(c),
        }
    }
    out
}

/// `json`, which must be valid, on one line.
pub fn compact(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut chars = json.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\n' | '\r' => {}
            '"' => {
                out.push(c);
                copy_string(&mut chars, &mut out);
            }
            c => out.push(c),
        }
    }
    out
}

type Chars<'j> = std::iter::Peekable<std::str::Chars<'j>>;

/// Copies the rest of a string and its closing quote.
fn copy_string(chars: &mut Chars<'_>, out: &mut String) {
    while let Some(c) = chars.next() {
        out.push(c);
        match c {
            '"' => return,
            '\\' => out.extend(chars.next()),
            _ => {}
        }
    }
}

fn skip_white(chars: &mut Chars<'_>) {
    while chars.next_if(|c| c.is_ascii_whitespace()).is_some() {}
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_writes_what_serde_json_writes() {
        for text in [
            "1",
            "\"a,b:{\\\"\\\\\"",
            "[]",
            "{ }",
            "[1,[ ],{}, {\"a\" :[true,null]}]",
            "{\"a\":{\"b\":[1,2]},\"c\":\"d\"}",
        ] {
            let value: serde_json::Value = serde_json::from_str(text).unwrap();
            assert_eq!(
                pretty(text),
                serde_json::to_string_pretty(&value).unwrap(),
                "{text}"
            );
            assert_eq!(compact(&pretty(text)), value.to_string(), "{text}");
        }
    }

    #[test]
    fn a_number_of_any_length_stays_as_it_is() {
        assert_eq!(
            pretty("[123456789012345678901234567890.10]").lines().nth(1),
            Some("  123456789012345678901234567890.10")
        );
    }
}
