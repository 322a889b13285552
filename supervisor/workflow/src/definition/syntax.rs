//! What someone may have meant whose definition is not even JSON.

/// What to do about the mistake at `offset`, if it is one that people often make.
pub(super) fn advice(text: &str, offset: usize) -> Option<String> {
    let before = text.get(..offset)?;
    let rest = text.get(offset..)?;
    let after_comma = before.trim_end().ends_with(',');
    let word = rest.split(|c: char| !c.is_alphanumeric()).next();
    let advice = match (rest.chars().next(), word) {
        (None, _) => return unclosed(text),
        (Some('}' | ']'), _) if after_comma => {
            "remove the comma before it: none may stand after the last one"
        }
        (Some('/' | '#'), _) => "JSON has no comments: say it in a `Comment` field",
        (Some('\'' | '\u{2018}'..='\u{201f}'), _) => "texts stand in straight double quotes",
        (_, Some("True" | "False" | "None" | "TRUE" | "FALSE" | "Null" | "NULL")) => {
            "write true, false or null"
        }
        (Some('='), _) => "write `:` between a name and its value",
        (Some('"' | '{' | '['), _) if before.trim_end().ends_with(['"', '}', ']']) => {
            "is a comma missing before it?"
        }
        (Some(c), _) if c.is_alphabetic() => "names and texts stand in double quotes",
        _ => return None,
    };
    Some(advice.to_owned())
}

/// Which bracket is still open at the end.
fn unclosed(text: &str) -> Option<String> {
    let mut open: Vec<(char, usize)> = Vec::new();
    let mut line = 1;
    let mut quoted = false;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\n' => line += 1,
            '\\' if quoted => {
                chars.next();
            }
            '"' => quoted = !quoted,
            '{' | '[' if !quoted => open.push((c, line)),
            '}' | ']' if !quoted => {
                open.pop();
            }
            _ => {}
        }
    }
    let (bracket, line) = open.pop()?;
    Some(format!("close the `{bracket}` of line {line}"))
}

#[cfg(test)]
mod tests {
    use super::advice;

    #[test]
    fn mistakes_that_people_make_in_json_have_advice_of_their_own() {
        for (text, wanted) in [
            ("{\"a\": 1, >}", "remove the comma"),
            ("{> // hello", "comments"),
            ("{> 'a': 1}", "double quotes"),
            ("{\"a\": > True}", "true, false or null"),
            ("{\"a\" > = 1}", "`:`"),
            ("{\"a\": 1\n > \"b\": 2}", ""),
            ("{\"a\": \"x\"\n > \"b\": 2}", "comma missing"),
            ("{> a: 1}", "double quotes"),
            ("{\n[\"}\", {}>", "close the `[` of line 2"),
        ] {
            let offset = text.find('>').unwrap();
            let text = text.replace("> ", "").replace('>', "");
            let advice = advice(&text, offset).unwrap_or_default();
            let fits = advice.contains(wanted) && advice.is_empty() == wanted.is_empty();
            assert!(fits, "{text}: {advice}");
        }
    }
}
