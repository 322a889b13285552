//! Writes the picture: caption, legend, axis, rows.

use super::Caption;
use super::axis::Axis;
use super::rows::{Bar, COLUMNS, Meaning, Row, Rows};
use super::svg::{short, text};
use crate::history::spans::Spans;
use crate::render::duration::nanoseconds;
use std::fmt::Write;

const MARGIN: f64 = 20.0;
/// Columns of the names, of the plot, and of the sums at its right.
const NAMES: f64 = 270.0;
const SUMS: f64 = 130.0;
const ROW: f64 = 19.0;
const BAR: f64 = 13.0;
/// Characters of a name.
const NAME: usize = 30;
/// Columns that a character of a label takes.
const GLYPH: f64 = 6.2;

/// One colour for each lane, told apart by people who see colours differently; they repeat.
const LANES: usize = 8;

const STYLE: &str = "\
<style>
text{font:12px system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;fill:#24292f}
.title{font-size:18px;font-weight:600}.muted{fill:#6a737d}.small{font-size:10.5px}
.error{fill:#c92a2a}.on{fill:#fff;font-size:10.5px}.paper{fill:#fff;stroke:#d8dee4}
.band{fill:#f4f6f8}.grid{stroke:#e1e4e8}.fan{fill:#8b949e;fill-opacity:.16;stroke:#8b949e}
.state{fill-opacity:.3}.wait{fill:url(#wait);stroke:#8b949e}.pause{fill:url(#pause);stroke:#b7791f}
.failed{fill:#d13c3c}.mark{stroke:#c92a2a;stroke-width:2.5;fill:none}
.ok{fill:#2f9e44}.lane0{fill:#2f6fd0}.lane1{fill:#1f9186}.lane2{fill:#8a5fc0}.lane3{fill:#b9770e}
.lane4{fill:#5a8f29}.lane5{fill:#b14a7c}.lane6{fill:#4b87a6}.lane7{fill:#7d7048}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.muted{fill:#9aa4ae}.error{fill:#ff8585}
.paper{fill:#161b22;stroke:#30363d}.band{fill:#1d242c}.grid{stroke:#2d333b}.on{fill:#fff}}
</style>
<defs>
<pattern id=\"wait\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
<rect width=\"6\" height=\"6\" fill=\"#8b949e\" fill-opacity=\".25\"/>\
<rect width=\"2\" height=\"6\" fill=\"#8b949e\" fill-opacity=\".7\"/></pattern>
<pattern id=\"pause\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(-45)\">\
<rect width=\"6\" height=\"6\" fill=\"#e8b339\" fill-opacity=\".35\"/>\
<rect width=\"2\" height=\"6\" fill=\"#d99a1c\"/></pattern>
</defs>
";

struct Paper {
    out: String,
}

impl Paper {
    // Writing to a String cannot fail.
    fn rect(&mut self, class: &str, (x, y, w, h): (f64, f64, f64, f64), title: Option<&str>) {
        let _ = write!(
            self.out,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" rx=\"1.5\""
        );
        match title {
            Some(title) => {
                let _ = writeln!(self.out, "><title>{}</title></rect>", text(title));
            }
            None => self.out.push_str("/>\n"),
        }
    }

    /// Text that is escaped already.
    fn words(&mut self, class: &str, (x, y): (f64, f64), anchor: &str, safe: &str) {
        let _ = writeln!(
            self.out,
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{safe}</text>"
        );
    }

    fn mark(&mut self, (x, y): (f64, f64), title: &str) {
        let _ = writeln!(
            self.out,
            "<path class=\"mark\" d=\"M{:.1} {:.1}l8 8m0 -8l-8 8\"><title>{}</title></path>",
            x - 4.0,
            y - 4.0,
            text(title)
        );
    }
}

fn lane_class(lane: Option<u16>) -> String {
    format!("lane{}", usize::from(lane.unwrap_or(0)) % LANES)
}

/// Paints.
pub(super) fn paint(caption: &Caption, rows: &Rows, spans: &Spans) -> String {
    let plot = COLUMNS as f64;
    let width = MARGIN + NAMES + plot + SUMS + MARGIN;
    let lines = usize::from(caption.error.is_some()) + usize::from(caption.missing.is_some());
    let legend = 80.0 + lines as f64 * 18.0;
    let top = legend + 44.0;
    let bottom = top + rows.rows.len() as f64 * ROW;
    let notes = if rows.left_out > 0 { 18.0 } else { 0.0 };
    let height = bottom + 34.0 + notes;
    let mut paper = Paper { out: String::new() };
    let _ = writeln!(
        paper.out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\">\n<title>{}</title>",
        text(&format!("{}: {}", caption.title, caption.summary))
    );
    paper.out.push_str(STYLE);
    paper.rect("paper", (0.5, 0.5, width - 1.0, height - 1.0), None);
    head(&mut paper, caption, rows, legend);
    let axis = Axis::new(MARGIN + NAMES, plot, spans.end_ns);
    bands(&mut paper, rows, (top, width));
    for (at, label) in axis.ticks() {
        let x = axis.at(at);
        let _ = writeln!(
            paper.out,
            "<path class=\"grid\" d=\"M{x:.1} {:.1}V{bottom:.1}\"/>",
            top - 4.0
        );
        paper.words("muted small", (x, top - 8.0), "middle", &text(&label));
        paper.words("muted small", (x, bottom + 14.0), "middle", &text(&label));
    }
    for (at, row) in rows.rows.iter().enumerate() {
        paint_row(&mut paper, row, rows, &axis, top + at as f64 * ROW);
    }
    if rows.left_out > 0 {
        let note = format!("{} more rows are left out", rows.left_out);
        paper.words("muted", (MARGIN, bottom + 34.0), "start", &note);
    }
    paper.out.push_str("</svg>\n");
    paper.out
}

fn head(paper: &mut Paper, caption: &Caption, rows: &Rows, legend: f64) {
    let mark = if caption.succeeded { "ok" } else { "failed" };
    let _ = writeln!(
        paper.out,
        "<circle class=\"{mark}\" cx=\"{:.1}\" cy=\"28\" r=\"6\"/>",
        MARGIN + 6.0
    );
    paper.words(
        "title",
        (MARGIN + 20.0, 34.0),
        "start",
        &short(&caption.title, 70),
    );
    paper.words("muted", (MARGIN, 56.0), "start", &text(&caption.summary));
    let mut y = 74.0;
    for (class, line) in [("error", &caption.error), ("muted", &caption.missing)] {
        if let Some(line) = line {
            paper.words(class, (MARGIN, y), "start", &short(line, 160));
            y += 18.0;
        }
    }
    let mut x = MARGIN;
    let mut entry = |paper: &mut Paper, class: &str, words: &str| {
        let box_ = (x, legend - 10.0, 18.0, 12.0);
        match class {
            "mark" => paper.mark((x + 9.0, legend - 4.0), words),
            class => paper.rect(class, box_, None),
        }
        paper.words("small", (x + 24.0, legend), "start", words);
        x += 24.0 + words.chars().count() as f64 * GLYPH + 18.0;
    };
    for lane in rows.lanes.iter().take(LANES) {
        entry(
            paper,
            &lane_class(Some(*lane)),
            &format!("call on lane {lane}"),
        );
    }
    let first = format!("state {}", lane_class(rows.lanes.first().copied()));
    for (meaning, class, words) in [
        (Meaning::State, first.as_str(), "in a state"),
        (Meaning::Fan, "fan", "branches running"),
        (Meaning::Wait, "wait", "waiting"),
        (Meaning::Pause, "pause", "pause before a retry"),
        (Meaning::FailedCall, "failed", "failed call"),
        (Meaning::Failure, "mark", "failed for good"),
    ] {
        if rows.meanings.contains(&meaning) {
            entry(paper, class, words);
        }
    }
}

/// Every other group of rows has a ground of its own.
fn bands(paper: &mut Paper, rows: &Rows, (top, width): (f64, f64)) {
    let mut groups: Vec<(usize, usize)> = Vec::new();
    for (at, row) in rows.rows.iter().enumerate() {
        match groups.last_mut().filter(|_| row.name.is_none()) {
            Some((_, count)) => *count += 1,
            None => groups.push((at, 1)),
        }
    }
    for (first, count) in groups.into_iter().step_by(2) {
        let (y, height) = (top + first as f64 * ROW, count as f64 * ROW);
        paper.rect("band", (1.0, y, width - 2.0, height), None);
    }
}

fn paint_row(paper: &mut Paper, row: &Row, rows: &Rows, axis: &Axis, y: f64) {
    let line = y + ROW - 6.0;
    if let Some(name) = &row.name {
        let indent = row.depth.min(6) as f64 * 14.0;
        let room = NAME.saturating_sub(row.depth.min(6) * 2);
        let title = text(&format!("{name} ({}) at {}", row.kind, row.pointer));
        let safe = format!("{}<title>{title}</title>", short(name, room));
        paper.words("", (MARGIN + indent, line), "start", &safe);
    }
    if let (Some(lane), true) = (row.lane, rows.lanes.len() > 1) {
        let words = format!("lane {lane}");
        paper.words("muted small", (MARGIN + NAMES - 10.0, line), "end", &words);
    }
    for bar in &row.bars {
        paint_bar(paper, bar, row, axis, y);
    }
    let sum = match (row.count, row.total_ns) {
        (1, 0) => String::new(),
        (1, total) => nanoseconds(total),
        (count, 0) => format!("{count} ×"),
        (count, total) => format!("{count} × · {}", nanoseconds(total)),
    };
    let right = MARGIN + NAMES + COLUMNS as f64 + SUMS;
    paper.words("muted small", (right, line), "end", &text(&sum));
}

fn paint_bar(paper: &mut Paper, bar: &Bar, row: &Row, axis: &Axis, y: f64) {
    let (x, end) = (axis.at(bar.start_ns), axis.at(bar.end_ns));
    let middle = y + ROW / 2.0;
    let class = match bar.meaning {
        Meaning::Fan => "fan".to_owned(),
        Meaning::State => format!("state {}", lane_class(row.lane)),
        Meaning::Wait => "wait".to_owned(),
        Meaning::Pause => "pause".to_owned(),
        Meaning::Call => lane_class(row.lane),
        Meaning::FailedCall => "failed".to_owned(),
        Meaning::Failure => return paper.mark((end, middle), &bar.title),
    };
    let width = (end - x).max(1.5);
    let place = (x, middle - BAR / 2.0, width, BAR);
    paper.rect(&class, place, Some(&bar.title));
    let Some(label) = &bar.label else {
        return;
    };
    if width > label.chars().count() as f64 * GLYPH + 8.0 {
        let on = match bar.meaning {
            Meaning::Call | Meaning::FailedCall => "on",
            _ => "small",
        };
        paper.words(on, (x + 5.0, middle + 4.0), "start", &text(label));
    }
}
