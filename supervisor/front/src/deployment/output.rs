//! What processes write to their standard streams.
//!
//! Every pipe is read until it ends, so that no function ever blocks on its output; what is over
//! the limit of one process is dropped and the drop is told once. The bytes are a tenant's: whoever
//! shows a line escapes it.

use super::{Listener, Source};
use keylane_policy::limit::OUTPUT_BYTES;
use keylane_sys::jail::set_nonblocking;
use keylane_sys::ready::Ready;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;

/// The longest line; a longer one is told in pieces.
const LINE_BYTES: usize = 8192;
/// Bytes that are read from one pipe before others get their turn.
const TURN_BYTES: usize = 64 * 1024;

/// A line of a process's output, without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Whose: a function's name, or `lane 0`.
    pub who: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// One pipe.
#[derive(Debug)]
struct Pipe {
    who: String,
    file: File,
    partial: Vec<u8>,
    told: usize,
}

impl Pipe {
    /// Takes in what was read and tells whole lines.
    fn take(&mut self, bytes: &[u8], listener: &mut dyn Listener) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.partial.extend_from_slice(piece);
            if self.partial.last() == Some(&b'\n') || self.partial.len() >= LINE_BYTES {
                self.flush(listener);
            }
        }
    }

    fn flush(&mut self, listener: &mut dyn Listener) {
        let mut bytes = std::mem::take(&mut self.partial);
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        } else if bytes.is_empty() {
            return;
        }
        if self.told >= OUTPUT_BYTES {
            return;
        }
        self.told = self.told.saturating_add(bytes.len()).saturating_add(1);
        if self.told >= OUTPUT_BYTES {
            bytes = format!("(output over {OUTPUT_BYTES} bytes; the rest is dropped)").into_bytes();
        }
        listener.line(&Line {
            who: self.who.clone(),
            bytes,
        });
    }
}

/// All pipes of a deployment.
#[derive(Debug, Default)]
pub(super) struct Pipes {
    next: u64,
    open: BTreeMap<u64, Pipe>,
}

impl Pipes {
    /// Reads these descriptors from now on.
    pub(super) fn add(
        &mut self,
        who: &str,
        descriptors: Vec<OwnedFd>,
        ready: &mut Ready<Source>,
    ) -> io::Result<()> {
        for fd in descriptors {
            set_nonblocking(&fd)?;
            let number = self.next;
            self.next = self.next.wrapping_add(1);
            ready.watch(&fd, Source::Pipe(number))?;
            let pipe = Pipe {
                who: who.to_owned(),
                file: File::from(fd),
                partial: Vec::new(),
                told: 0,
            };
            self.open.insert(number, pipe);
        }
        Ok(())
    }

    /// Reads one pipe for a turn.
    pub(super) fn read(
        &mut self,
        number: u64,
        ready: &mut Ready<Source>,
        listener: &mut dyn Listener,
    ) {
        match self.read_some(number, TURN_BYTES, listener) {
            Turn::Over => ready.again(Source::Pipe(number)),
            Turn::Empty => {}
            Turn::Ended => {
                self.open.remove(&number);
                ready.forget(Source::Pipe(number));
            }
        }
    }

    /// Reads what is left in all pipes; their writers are gone.
    pub(super) fn drain(&mut self, listener: &mut dyn Listener) {
        let numbers: Vec<u64> = self.open.keys().copied().collect();
        for number in numbers {
            // One pipe holds at most its capacity; a writer that is not gone adds nothing to wait
            // for.
            let _whatever_is_left = self.read_some(number, 1 << 20, listener);
            if let Some(mut pipe) = self.open.remove(&number) {
                pipe.flush(listener);
            }
        }
    }

    fn read_some(&mut self, number: u64, budget: usize, listener: &mut dyn Listener) -> Turn {
        let Some(pipe) = self.open.get_mut(&number) else {
            return Turn::Empty;
        };
        let mut buffer = [0u8; 8192];
        let mut left = budget;
        while left > 0 {
            match pipe.file.read(&mut buffer) {
                Ok(0) => {
                    pipe.flush(listener);
                    return Turn::Ended;
                }
                Ok(count) => {
                    pipe.take(buffer.get(..count).unwrap_or_default(), listener);
                    left = left.saturating_sub(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Turn::Empty,
                Err(_) => return Turn::Ended,
            }
        }
        Turn::Over
    }
}

enum Turn {
    Over,
    Empty,
    Ended,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Ear(Vec<String>);

    impl Listener for Ear {
        fn line(&mut self, line: &Line) {
            self.0
                .push(String::from_utf8_lossy(&line.bytes).into_owned());
        }
        fn progress(&mut self, _: &str, _: u64, _: u64) {}
        fn loaded(&mut self, _: usize, _: usize) {}
    }

    fn pipe() -> Pipe {
        let file = File::open("/dev/null").unwrap();
        Pipe {
            who: "f".to_owned(),
            file,
            partial: Vec::new(),
            told: 0,
        }
    }

    #[test]
    fn lines_are_told_whole_and_the_last_one_without_an_end() {
        let (mut pipe, mut ear) = (pipe(), Ear::default());
        pipe.take(b"one\ntw", &mut ear);
        pipe.take(b"o\n\nthree", &mut ear);
        pipe.flush(&mut ear);
        assert_eq!(ear.0, ["one", "two", "", "three"]);
    }

    #[test]
    fn a_flood_is_cut_and_the_cut_is_told_once() {
        let (mut pipe, mut ear) = (pipe(), Ear::default());
        for _ in 0..100 {
            pipe.take(&[b'x'; LINE_BYTES], &mut ear);
        }
        let total: usize = ear.0.iter().map(String::len).sum();
        assert!(total <= OUTPUT_BYTES + LINE_BYTES);
        assert_eq!(
            ear.0.iter().filter(|line| line.contains("dropped")).count(),
            1
        );
    }
}
