//! What functions print, as labelled lines: `[lastpx] text`.
//!
//! An attacker controls: every byte, how they are split, how many there are.

use super::escape;
use keylane_policy::limit::OUTPUT_BYTES;

/// Bytes of one line; a longer one is broken.
const LINE_BYTES: usize = 4096;

/// Turns one stream of an instance into lines. Keep one for each pipe; feed it whatever is read,
/// also when nothing is shown, so that the pipe is always drained.
#[derive(Debug)]
pub struct Output {
    label: String,
    pending: Vec<u8>,
    taken: usize,
    dropped: usize,
}

impl Output {
    /// For a stream that messages call `label`: a function's name.
    pub fn new(label: &str) -> Output {
        Output {
            label: label.to_owned(),
            pending: Vec::new(),
            taken: 0,
            dropped: 0,
        }
    }

    /// Takes bytes and gives the lines that are whole now.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<String> {
        let room = OUTPUT_BYTES.saturating_sub(self.taken);
        let (kept, over) = bytes.split_at(bytes.len().min(room));
        self.taken += kept.len();
        let first_drop = self.dropped == 0 && !over.is_empty();
        self.dropped = self.dropped.saturating_add(over.len());
        let mut lines = Vec::new();
        for byte in kept {
            if *byte != b'\n' {
                self.pending.push(*byte);
            }
            if *byte == b'\n' || self.pending.len() >= LINE_BYTES {
                lines.push(self.take_line());
            }
        }
        if first_drop {
            lines.extend(self.rest());
            lines.push(format!(
                "[{}] more than {OUTPUT_BYTES} bytes: the rest is dropped",
                self.label
            ));
        }
        lines
    }

    /// Ends an execution: gives the last line if it was not ended, and allows as many bytes again.
    pub fn finish(&mut self) -> Option<String> {
        (self.taken, self.dropped) = (0, 0);
        self.rest()
    }

    fn rest(&mut self) -> Option<String> {
        (!self.pending.is_empty()).then(|| self.take_line())
    }

    fn take_line(&mut self) -> String {
        let bytes = std::mem::take(&mut self.pending);
        let text = String::from_utf8_lossy(&bytes);
        // Text files of another system end their lines with a carriage return as well.
        let text = text.strip_suffix('\r').unwrap_or(&text);
        format!("[{}] {}", escape::line(&self.label), escape::line(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_labelled_whole_and_escaped_however_the_bytes_arrive() {
        let mut output = Output::new("lastpx");
        assert!(output.feed(b"hel").is_empty());
        assert_eq!(
            output.feed(b"lo\r\n\x1b[2J\nxy"),
            ["[lastpx] hello", "[lastpx] \\u{1b}[2J"]
        );
        assert_eq!(output.finish().as_deref(), Some("[lastpx] xy"));
        assert_eq!(output.finish(), None);
        let (first, second) = "é\n".as_bytes().split_at(1);
        assert!(output.feed(first).is_empty());
        assert_eq!(output.feed(second), ["[lastpx] é"]);
    }

    #[test]
    fn a_flood_is_cut_once_and_the_next_execution_speaks_again() {
        let mut output = Output::new("f");
        let flood = b"0123456789abcde\n".repeat(OUTPUT_BYTES / 16 + 100);
        let lines = output.feed(&flood);
        assert_eq!(lines.len(), OUTPUT_BYTES / 16 + 1);
        assert!(lines.last().unwrap().contains("the rest is dropped"));
        assert!(output.feed(b"more\n").is_empty());
        assert_eq!(output.finish(), None);
        assert_eq!(output.feed(b"again\n"), ["[f] again"]);
    }

    #[test]
    fn a_line_without_end_is_broken_and_holds_no_memory() {
        let mut output = Output::new("f");
        let lines = output.feed(&vec![b'x'; LINE_BYTES * 3 + 5]);
        assert_eq!(lines.len(), 3);
        assert_eq!(output.finish().unwrap().len(), "[f] ".len() + 5);
    }
}
