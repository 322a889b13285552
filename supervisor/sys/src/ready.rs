//! Waiting for many descriptors at once, over mio, with turns.
//!
//! mio reports an edge: a source that was not read until it was empty is not reported again. Who
//! stops early, to give others their turn, says so with [`Ready::again`] and gets the source back
//! at the next wait.

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

/// Sources by name, and those that are due.
#[derive(Debug)]
pub struct Ready<S> {
    poll: Poll,
    names: BTreeMap<usize, S>,
    next: usize,
    unfinished: BTreeSet<S>,
}

impl<S: Copy + Ord> Ready<S> {
    /// Nothing is watched yet.
    pub fn new() -> io::Result<Ready<S>> {
        Ok(Ready {
            poll: Poll::new()?,
            names: BTreeMap::new(),
            next: 0,
            unfinished: BTreeSet::new(),
        })
    }

    /// Reports `name` whenever `fd` becomes readable, until `fd` is closed.
    pub fn watch(&mut self, fd: impl AsFd, name: S) -> io::Result<()> {
        let (token, fd) = (self.next, fd.as_fd().as_raw_fd());
        self.poll
            .registry()
            .register(&mut SourceFd(&fd), Token(token), Interest::READABLE)?;
        self.next = self.next.wrapping_add(1);
        self.names.insert(token, name);
        Ok(())
    }

    /// Forgets a name. Its descriptor leaves the poll when it is closed.
    pub fn forget(&mut self, name: S) {
        self.names.retain(|_, known| *known != name);
        self.unfinished.remove(&name);
    }

    /// The source was not read until it was empty: it is due again at once.
    pub fn again(&mut self, name: S) {
        self.unfinished.insert(name);
    }

    /// Waits until a source is due or `other` can be read without waiting; whether `other` can. What
    /// cannot be watched, such as a regular file, can always be read (poll(2)).
    pub fn or_readable(&self, other: impl AsFd) -> io::Result<bool> {
        use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
        use std::os::fd::BorrowedFd;
        #[expect(unsafe_code, reason = "mio tells its descriptor as a number only")]
        // SAFETY: borrow_raw wants a descriptor that stays open while it is borrowed; `self.poll`
        // owns it and outlives this function's borrow.
        let own = unsafe { BorrowedFd::borrow_raw(self.poll.as_raw_fd()) };
        let mut both = [
            PollFd::new(own, PollFlags::POLLIN),
            PollFd::new(other.as_fd(), PollFlags::POLLIN),
        ];
        let patience = if self.unfinished.is_empty() {
            PollTimeout::NONE
        } else {
            PollTimeout::ZERO
        };
        match poll(&mut both, patience) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let [_, other] = both;
        Ok(other.any().unwrap_or(true))
    }

    /// Waits until a source is due or `patience` is over; the sources that are due, each once.
    pub fn wait(&mut self, patience: Option<Duration>) -> io::Result<BTreeSet<S>> {
        let mut events = Events::with_capacity(64);
        let patience = if self.unfinished.is_empty() {
            patience
        } else {
            Some(Duration::ZERO)
        };
        match self.poll.poll(&mut events, patience) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        let mut due = std::mem::take(&mut self.unfinished);
        due.extend(
            events
                .iter()
                .filter_map(|event| self.names.get(&event.token().0)),
        );
        Ok(due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_due_when_readable_and_again_when_unfinished() {
        let (read, write) = nix::unistd::pipe().unwrap();
        let mut ready = Ready::new().unwrap();
        ready.watch(&read, 'p').unwrap();
        assert!(ready.wait(Some(Duration::ZERO)).unwrap().is_empty());
        nix::unistd::write(&write, b"x").unwrap();
        assert!(
            ready
                .wait(Some(Duration::from_secs(5)))
                .unwrap()
                .contains(&'p')
        );
        assert!(ready.wait(Some(Duration::ZERO)).unwrap().is_empty());
        ready.again('p');
        assert!(ready.wait(None).unwrap().contains(&'p'));
        ready.again('p');
        ready.forget('p');
        assert!(ready.wait(Some(Duration::ZERO)).unwrap().is_empty());
    }
}
