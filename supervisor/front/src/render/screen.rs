//! Standard error, shared by notes, functions' output and one line of progress that is drawn over.

use super::escape;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// The least time between two drawings of the progress line.
const REDRAW: Duration = Duration::from_millis(80);

/// Columns where the terminal does not say how many it has.
const COLUMNS: usize = 80;

/// What is turned, one step a drawing, to show that something lives.
const SPINNER: [&str; 4] = ["|", "/", "-", "\\"];

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Talk {
    /// Failures alone.
    Quiet,
    /// Failures, notes, summaries and functions' output.
    Lines,
    /// These and, on a terminal, progress.
    Progress,
}

/// Where lines for a person go.
#[derive(Debug)]
pub struct Screen<W: Write> {
    out: W,
    talk: Talk,
    columns: usize,
    drawn: Option<Instant>,
    step: usize,
}

impl Screen<std::io::Stderr> {
    /// Standard error. Progress is drawn only on a terminal, and not beside `--json`.
    pub fn stderr(quiet: bool, json: bool) -> Self {
        let out = std::io::stderr();
        let talk = match (quiet, json || !out.is_terminal()) {
            (true, _) => Talk::Quiet,
            (false, true) => Talk::Lines,
            (false, false) => Talk::Progress,
        };
        let size = rustix::termios::tcgetwinsize(&out).ok();
        let columns = size
            .map_or(COLUMNS, |size| usize::from(size.ws_col))
            .max(20);
        Screen::new(out, talk, columns)
    }
}

impl<W: Write> Screen<W> {
    /// A screen of so many columns.
    pub fn new(out: W, talk: Talk, columns: usize) -> Self {
        Screen {
            out,
            talk,
            columns,
            drawn: None,
            step: 0,
        }
    }

    /// A failure or another text that is shown in any case. The text is rendered already: escaped,
    /// each line ended.
    pub fn failure(&mut self, text: &str) {
        self.clear();
        self.write(text);
    }

    /// A line from Keylane: `keylane: isolation process, because ...`.
    pub fn note(&mut self, note: &str) {
        self.line(&format!("keylane: {}", escape::line(note)));
    }

    /// A line that is rendered already, without its end: a summary, a line of a function.
    pub fn line(&mut self, line: &str) {
        if self.talk != Talk::Quiet {
            self.clear();
            self.write(&format!("{line}\n"));
        }
    }

    /// How far an execution has come: the state that runs, and branches done of all.
    pub fn progress(&mut self, state: &str, done: u64, total: u64) {
        let due = self.drawn.is_none_or(|drawn| drawn.elapsed() >= REDRAW);
        if self.talk != Talk::Progress || !due {
            return;
        }
        let spinner = SPINNER
            .get(self.step % SPINNER.len())
            .copied()
            .unwrap_or_default();
        self.step = self.step.wrapping_add(1);
        let count = if total > 0 {
            format!(" {done}/{total}")
        } else {
            String::new()
        };
        let state = escape::line(state);
        let room = self.columns.saturating_sub(spinner.len() + 2 + count.len());
        let state: String = state.chars().take(room).collect();
        self.write(&format!("\r\x1b[2K{spinner} {state}{count}"));
        self.drawn = Some(Instant::now());
    }

    /// Wipes the progress line.
    pub fn clear(&mut self) {
        if self.drawn.take().is_some() {
            self.write("\r\x1b[2K");
        }
    }

    fn write(&mut self, text: &str) {
        // There is nobody to tell that standard error is gone.
        let _ = self
            .out
            .write_all(text.as_bytes())
            .and_then(|()| self.out.flush());
    }
}

impl<W: Write> Drop for Screen<W> {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(talk: Talk, act: impl Fn(&mut Screen<&mut Vec<u8>>)) -> String {
        let mut bytes = Vec::new();
        act(&mut Screen::new(&mut bytes, talk, 20));
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn progress_is_one_line_of_the_terminals_width_that_goes_away() {
        let text = shown(Talk::Progress, |screen| {
            screen.progress("a very long state\x1b[2J name", 3, 200);
            screen.progress("too soon", 4, 200);
            screen.line("[f] hello");
        });
        assert_eq!(text, "\r\x1b[2K| a very long 3/200\r\x1b[2K[f] hello\n");
    }

    #[test]
    fn without_a_terminal_there_are_lines_and_no_control_characters() {
        let text = shown(Talk::Lines, |screen| {
            screen.progress("state", 0, 0);
            screen.note("a\x07b");
        });
        assert_eq!(text, "keylane: a\\u{7}b\n");
    }

    #[test]
    fn quiet_shows_failures_alone() {
        let text = shown(Talk::Quiet, |screen| {
            screen.progress("state", 0, 0);
            screen.note("note");
            screen.line("[f] x");
            screen.failure("keylane: no\n");
        });
        assert_eq!(text, "keylane: no\n");
    }
}
