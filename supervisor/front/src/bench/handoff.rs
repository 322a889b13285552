//! The least that a hand-over between two processes costs: a body copied into a memfd that both have
//! mapped, a futex woken, the body copied out, and the same way back.
//!
//! Two children do it, each bound to a processor, so that this process keeps the processors that it
//! may use. They end when they are told to, and when this process is gone.

use super::DOING;
use keylane_policy::blame::{Blame, Failure};
use keylane_sys::body;
use keylane_sys::mapping::Mapping;
use keylane_sys::process::{self, Child, Fork, Namespaces};
use std::io;
use std::time::{Duration, Instant};

// Where words stand in the mapping; each on a cache line of its own.
/// How many samples were asked for, wrapping; the highest value is the order to end.
const ORDER: usize = 0;
/// How many samples were answered.
const ANSWER: usize = 64;
const REQUEST: usize = 128;
const RESPONSE: usize = 192;
/// Nanoseconds of each trip of the last sample.
const TIMES: usize = 256;
const BODY: usize = 4096;

const END: u32 = u32::MAX;
/// Trips of one sample.
pub(super) const TRIPS: u32 = super::hop::BATCH;
/// How long nobody looks whether the others are there.
const LOOK: Duration = Duration::from_millis(200);
/// How long a sample may take in all.
const PATIENCE: Duration = Duration::from_secs(10);

/// How the side waits that has handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    /// In the kernel.
    Sleeps,
    /// Reading the word again and again.
    Spins,
}

/// Two processes that hand bodies to and fro when asked.
#[derive(Debug)]
pub(super) struct HandOff {
    shared: Mapping,
    children: Vec<Child>,
    asked: u32,
}

impl HandOff {
    /// Starts the two, each on its processor, with bodies of `bytes`. This process has one thread.
    pub(super) fn begin(
        ping: u16,
        pong: u16,
        waiting: Waiting,
        bytes: usize,
    ) -> io::Result<HandOff> {
        let size = (BODY.saturating_add(bytes)).next_multiple_of(4096) as u64;
        let shared = Mapping::shared(body::fixed_size("keylane-bench", size)?, size)?;
        let mut pair = HandOff {
            shared,
            children: Vec::new(),
            asked: 0,
        };
        for (core, asks) in [(ping, true), (pong, false)] {
            let parent = std::process::id();
            match process::fork(Namespaces::Shared)? {
                Fork::Parent(child) => {
                    let pid = child.pid();
                    pair.children.push(child);
                    process::bind_to_core(pid, core)?;
                }
                Fork::Child => {
                    let side = Side {
                        shared: &pair.shared,
                        parent,
                        waiting,
                        bytes,
                    };
                    let ended = if asks { side.ping() } else { side.pong() };
                    process::exit(i32::from(ended.is_err()))
                }
            }
        }
        Ok(pair)
    }

    /// Nanoseconds of each of [`TRIPS`] trips to the other process and back.
    pub(super) fn sample(&mut self) -> Result<Vec<f64>, Failure> {
        let host = |error: io::Error| Failure::new(Blame::Host, DOING, error.to_string());
        let before = self.asked;
        self.asked = self.asked.wrapping_add(1);
        self.shared.store(ORDER, self.asked).map_err(host)?;
        self.shared.wake(ORDER).map_err(host)?;
        let begun = Instant::now();
        while self.shared.load(ANSWER).map_err(host)? != self.asked {
            if begun.elapsed() > PATIENCE {
                let cause = "the processes of a hand-over do not answer";
                return Err(Failure::new(Blame::Host, DOING, cause));
            }
            self.shared.wait(ANSWER, before, LOOK).map_err(host)?;
        }
        let time = |trip: usize| self.shared.load_long(TIMES.saturating_add(trip * 8));
        let times = (0..TRIPS as usize).map(|trip| time(trip).map(|ns| ns as f64));
        times.collect::<io::Result<_>>().map_err(host)
    }
}

impl Drop for HandOff {
    fn drop(&mut self) {
        // Whoever cannot be told is killed; one that has ended already is no error.
        let told = self.shared.store(ORDER, END).is_ok() && self.shared.wake(ORDER).is_ok();
        for child in &self.children {
            if !told {
                let _gone_is_fine = child.kill();
            }
            let _gone_is_fine = child.wait();
        }
    }
}

/// One of the two processes.
struct Side<'m> {
    shared: &'m Mapping,
    parent: u32,
    waiting: Waiting,
    bytes: usize,
}

impl Side<'_> {
    /// The one that takes the times.
    fn ping(&self) -> io::Result<()> {
        let body = vec![b'x'; self.bytes];
        let (mut order, mut trip) = (0, 0u32);
        while let Some(next) = self.next_order(order)? {
            order = next;
            for place in 0..TRIPS as usize {
                let begun = Instant::now();
                self.shared.copy_in(BODY, &body)?;
                trip = trip.wrapping_add(1);
                self.hand_over(REQUEST, trip)?;
                if !self.await_word(RESPONSE, trip)? {
                    return Ok(());
                }
                let _answer = self.shared.copy_out(BODY, self.bytes)?;
                let ns = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
                self.shared
                    .store_long(TIMES.saturating_add(place * 8), ns)?;
            }
            self.shared.store(ANSWER, order)?;
            self.shared.wake(ANSWER)?;
        }
        Ok(())
    }

    /// The one that answers.
    fn pong(&self) -> io::Result<()> {
        let (mut order, mut trip) = (0, 0u32);
        while let Some(next) = self.next_order(order)? {
            order = next;
            for _ in 0..TRIPS {
                trip = trip.wrapping_add(1);
                if !self.await_word(REQUEST, trip)? {
                    return Ok(());
                }
                let body = self.shared.copy_out(BODY, self.bytes)?;
                self.shared.copy_in(BODY, &body)?;
                self.hand_over(RESPONSE, trip)?;
            }
        }
        Ok(())
    }

    fn hand_over(&self, word: usize, trip: u32) -> io::Result<()> {
        self.shared.store(word, trip)?;
        match self.waiting {
            Waiting::Sleeps => self.shared.wake(word),
            Waiting::Spins => Ok(()),
        }
    }

    /// The next order after `order`; `None` if it is to end. Sleeps, also where trips spin.
    fn next_order(&self, order: u32) -> io::Result<Option<u32>> {
        loop {
            match self.shared.load(ORDER)? {
                END => return Ok(None),
                same if same == order => {
                    self.shared.wait(ORDER, order, LOOK)?;
                    if self.is_alone() {
                        return Ok(None);
                    }
                }
                next => return Ok(Some(next)),
            }
        }
    }

    /// Waits until `word` says `trip`; false if this process is to end instead.
    fn await_word(&self, word: usize, trip: u32) -> io::Result<bool> {
        let begun = Instant::now();
        loop {
            let seen = self.shared.load(word)?;
            if seen == trip {
                return Ok(true);
            }
            match self.waiting {
                Waiting::Sleeps => self.shared.wait(word, seen, LOOK)?,
                Waiting::Spins => std::hint::spin_loop(),
            }
            // Asking the kernel in every turn would be measured.
            if begun.elapsed() > LOOK && (self.is_alone() || begun.elapsed() > PATIENCE) {
                return Ok(false);
            }
        }
    }

    fn is_alone(&self) -> bool {
        std::os::unix::process::parent_id() != self.parent
    }
}
