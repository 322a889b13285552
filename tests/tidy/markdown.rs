//! Markdown as far as these rules read it: prose, links, code spans, tables, headings.

/// A document's lines outside of code blocks.
pub(crate) fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// The code spans of a line.
pub(crate) fn spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// The targets of a line's inline links.
pub(crate) fn links(line: &str) -> Vec<String> {
    // Code spans hold no links.
    let outside: String = line.split('`').step_by(2).collect();
    outside
        .split("](")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once(')')?.0.to_owned()))
        .collect()
}

/// The cells of a table's row; none if the line is no row.
pub(crate) fn cells(line: &str) -> Vec<&str> {
    match line
        .trim()
        .strip_prefix('|')
        .and_then(|rest| rest.strip_suffix('|'))
    {
        Some(row) => row.split('|').map(str::trim).collect(),
        None => Vec::new(),
    }
}

/// The anchors of a document's headings, as forges make them.
pub(crate) fn anchors(text: &str) -> Vec<String> {
    prose(text)
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title
                .chars()
                .filter(|c| crate::rust::is_word(*c) || " -".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

#[test]
fn links_spans_and_cells_are_read_and_code_blocks_are_not() {
    let text = "# The `jail`, in order\n[a](b.md#c) and `[no](x)` `path/x`\n```\n[no](y)\n```\n| 1 | `x` |\n";
    let lines: Vec<_> = prose(text).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(links(lines[1]), ["b.md#c"]);
    assert_eq!(spans(lines[1]).collect::<Vec<_>>(), ["[no](x)", "path/x"]);
    assert_eq!(cells(lines[2]), ["1", "`x`"]);
    assert_eq!(anchors(text), ["the-jail-in-order"]);
}
