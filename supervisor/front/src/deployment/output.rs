//! The pipes behind every process's standard streams.
//!
//! Every pipe is read until it ends, so that no function ever blocks on its output; what becomes of
//! the bytes, a tenant's, is in [`crate::render::output`].

use super::{Listener, Source};
use crate::render::output::Output;
use keylane_policy::abi::message::Who;
use keylane_sys::jail::set_nonblocking;
use keylane_sys::ready::Ready;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;

/// Bytes that are read from one pipe before others get their turn.
const TURN_BYTES: usize = 64 * 1024;
/// Bytes that are read from one pipe when its deployment has ended: what a pipe can hold at most
/// (pipe(7), pipe-max-size).
const LAST_BYTES: usize = 1024 * 1024;

/// Standard output and standard error.
const STREAMS: usize = 2;
/// Processes of the same place, one after the other, whose output is read: what the last ones wrote
/// has been read by the time that so many have followed.
const GENERATIONS: usize = 4;

/// One pipe.
#[derive(Debug)]
struct Pipe {
    who: Who,
    output: Output,
    file: File,
}

/// How reading a pipe for a turn ended.
enum Turn {
    Over,
    Empty,
    Ended,
}

/// All pipes of a deployment.
#[derive(Debug, Default)]
pub(super) struct Pipes {
    next: u64,
    open: BTreeMap<u64, Pipe>,
}

impl Pipes {
    /// Reads these descriptors of `who` from now on; their lines get this label.
    pub(super) fn add(
        &mut self,
        who: Who,
        label: &str,
        descriptors: Vec<OwnedFd>,
        ready: &mut Ready<Source>,
    ) -> io::Result<()> {
        self.drop_older(who, ready);
        for fd in descriptors {
            set_nonblocking(&fd)?;
            let number = self.next;
            self.next = self.next.wrapping_add(1);
            ready.watch(&fd, Source::Pipe(number))?;
            self.open.insert(
                number,
                Pipe {
                    who,
                    output: Output::new(label),
                    file: File::from(fd),
                },
            );
        }
        Ok(())
    }

    /// Closes the pipes of `who` but those of its last [`GENERATIONS`] processes. A zygote is handed
    /// the other ends of all its workers' pipes and may keep them open for ever.
    fn drop_older(&mut self, who: Who, ready: &mut Ready<Source>) {
        let of_who = self.open.iter().filter(|(_, pipe)| pipe.who == who);
        let numbers: Vec<u64> = of_who.map(|(number, _)| *number).collect();
        let kept = GENERATIONS.saturating_mul(STREAMS);
        let older = numbers.len().saturating_sub(kept);
        for number in numbers.into_iter().take(older) {
            self.open.remove(&number);
            ready.forget(Source::Pipe(number));
        }
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
                self.close(number, listener);
                ready.forget(Source::Pipe(number));
            }
        }
    }

    /// Reads what is in all pipes now, and ends the lines: an execution is over.
    pub(super) fn settle(&mut self, listener: &mut dyn Listener) {
        let numbers: Vec<u64> = self.open.keys().copied().collect();
        for number in numbers {
            if let Turn::Ended = self.read_some(number, LAST_BYTES, listener) {
                self.close(number, listener);
            } else if let Some(line) = self.open.get_mut(&number).and_then(|p| p.output.finish()) {
                listener.line(&line);
            }
        }
    }

    fn close(&mut self, number: u64, listener: &mut dyn Listener) {
        if let Some(line) = self
            .open
            .remove(&number)
            .and_then(|mut pipe| pipe.output.finish())
        {
            listener.line(&line);
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
                Ok(0) => return Turn::Ended,
                Ok(count) => {
                    for line in pipe.output.feed(buffer.get(..count).unwrap_or_default()) {
                        listener.line(&line);
                    }
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
