//! Columns of text for a person.

use super::escape;

/// Characters that one cell shows.
const CELL: usize = 90;

/// A table with a heading; the last cell of a row may be as long as it likes.
#[derive(Debug)]
pub struct Table {
    heading: String,
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
}

impl Table {
    /// A table with these columns.
    pub fn new(heading: &str, columns: &[&str]) -> Table {
        Table {
            heading: heading.to_owned(),
            rows: vec![columns.iter().map(|&column| column.to_owned()).collect()],
            notes: Vec::new(),
        }
    }

    /// Adds a row. The cells may hold anything.
    pub fn row(&mut self, cells: &[String]) {
        let safe = |cell: &String| {
            let line = escape::line(cell);
            if line.chars().count() <= CELL {
                return line.into_owned();
            }
            let head: String = line.chars().take(CELL - 1).collect();
            format!("{head}…")
        };
        self.rows.push(cells.iter().map(safe).collect());
    }

    /// Adds a line below.
    pub fn note(&mut self, note: &str) {
        self.notes.push(escape::line(note).into_owned());
    }

    /// The text: an empty line, the heading, the columns.
    pub fn text(&self) -> String {
        let mut widths: Vec<usize> = Vec::new();
        for row in &self.rows {
            for (at, cell) in row.iter().enumerate() {
                let width = cell.chars().count();
                match widths.get_mut(at) {
                    Some(widest) => *widest = (*widest).max(width),
                    None => widths.push(width),
                }
            }
        }
        let mut text = format!("\n{}\n", self.heading);
        for row in &self.rows {
            let mut line = String::new();
            for (cell, &width) in row.iter().zip(&widths) {
                line.push_str(&format!("  {cell:<width$}"));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        for note in &self.notes {
            text.push_str(&format!("  {note}\n"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_cells_are_harmless() {
        let mut table = Table::new("T", &["a", "b"]);
        table.row(&["long\x1b[2J".into(), "1".into()]);
        table.row(&["é".into(), "x".repeat(1000)]);
        table.note("n\nm");
        let text = table.text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], "T");
        assert_eq!(lines[2], "  a              b");
        assert_eq!(lines[3], "  long\\u{1b}[2J  1");
        assert!(lines[4].starts_with("  é              xxx") && lines[4].ends_with('…'));
        assert_eq!(lines[5], "  n\\nm");
    }
}
