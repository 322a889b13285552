//! One worker, called over its channel.
//!
//! The lane keeps its own geometry and sequence number; the response's header is copied once and
//! the copy checked; the body is copied out before anybody parses it (threats.md D2).

use crate::fate::{End, Fate};
use keylane_policy::abi::channel::{self, ChannelError, Geometry, ResponseKind};
use keylane_policy::abi::message::{Ended, Ticket};
use keylane_sys::body;
use keylane_sys::mapping::Mapping;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The longest wait before looking at the worker's fate again: its wake may have come too early.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// The wait between two looks at a word that the kernel refuses to wait for.
const SPOILT: Duration = Duration::from_millis(1);
/// The longest wait for somebody to tell how a worker ended, for the message about it. A process's
/// end is told when all its memory is given back, which takes a while if that was much.
const TELL: Duration = Duration::from_secs(5);

/// Why a call brought no response.
#[derive(Debug)]
pub(crate) enum CallFault {
    /// The deadline passed.
    Timeout,
    /// No heartbeat came for as long as this.
    Silent(Duration),
    /// The worker is gone.
    Gone(End),
    /// It wrote nonsense into the channel's header.
    Channel(ChannelError),
    /// Nobody wants the answer any more.
    Cancelled,
    /// The request does not fit: its bytes, and the most that fit.
    TooLarge(u64, u64),
    /// A system call of ours failed.
    System(io::Error),
}

/// Until when a call waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Until {
    /// Then it is given up.
    pub(crate) deadline: Instant,
    /// The same in nanoseconds of CLOCK_MONOTONIC, for the function.
    pub(crate) deadline_clock_ns: u64,
    /// For how long the function may send no heartbeat.
    pub(crate) silence: Option<Duration>,
}

/// A worker that can be called.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) ticket: Ticket,
    pub(crate) fate: Arc<Fate>,
    mapping: Arc<Mapping>,
    geometry: Geometry,
    sequence: u32,
}

/// The two descriptors that the worker gets: its channel and its end of the liveness socket.
pub(crate) struct WorkerEnds {
    pub(crate) channel: OwnedFd,
    pub(crate) alive: OwnedFd,
}

impl Worker {
    /// Makes the channel and the liveness socket of a worker that is yet to be forked.
    pub(crate) fn prepare(ticket: Ticket, geometry: Geometry) -> io::Result<(Worker, WorkerEnds)> {
        let fd = body::fixed_size("keylane-channel", geometry.size())?;
        let mapping = Arc::new(Mapping::shared(&fd, geometry.size())?);
        mapping.store(channel::MAGIC_AT, channel::MAGIC)?;
        mapping.store(channel::VERSION_AT, channel::VERSION)?;
        mapping.store_long(channel::REQUEST_CAPACITY_AT, geometry.capacity())?;
        mapping.store_long(channel::RESPONSE_CAPACITY_AT, geometry.capacity())?;
        let (ours, theirs) = keylane_sys::link::pair()?;
        let fate = Arc::new(Fate::new(Arc::clone(&mapping), ours));
        let worker = Worker {
            ticket,
            fate,
            mapping,
            geometry,
            sequence: 0,
        };
        Ok((
            worker,
            WorkerEnds {
                channel: fd,
                alive: theirs,
            },
        ))
    }

    /// Waits for the response to the request that was posted, as long as `until` says, or until
    /// `unwanted` says that nobody needs it. After any fault the worker must not be called again: it
    /// may still answer the old request.
    pub(crate) fn answer(
        &mut self,
        until: Until,
        unwanted: &mut dyn FnMut() -> bool,
    ) -> Result<(ResponseKind, Vec<u8>), CallFault> {
        self.await_response(until, unwanted)?;
        let answer = self.fetch();
        self.fate.step();
        answer
    }

    /// Sends `request`.
    pub(crate) fn post(&mut self, request: &[u8], deadline_clock_ns: u64) -> Result<(), CallFault> {
        let length = u64::try_from(request.len()).unwrap_or(u64::MAX);
        if length > self.geometry.capacity() {
            return Err(CallFault::TooLarge(length, self.geometry.capacity()));
        }
        let at = usize::try_from(self.geometry.request_at()).map_err(system)?;
        self.fate.forget_denials();
        self.sequence = self.sequence.wrapping_add(1);
        self.fate.step();
        self.mapping
            .copy_in(at, request)
            .map_err(CallFault::System)?;
        let m = &self.mapping;
        m.store_long(channel::REQUEST_LENGTH_AT, length)
            .map_err(CallFault::System)?;
        m.store_long(channel::REQUEST_DEADLINE_AT, deadline_clock_ns)
            .map_err(CallFault::System)?;
        m.store(channel::REQUEST_SEQUENCE_AT, self.sequence)
            .map_err(CallFault::System)?;
        // A hint: the worker can make the word one that the kernel refuses to wake (a lock with
        // priority inheritance, futex(2)), which is no failure of the host.
        let _a_hint_only = m.wake(channel::REQUEST_SEQUENCE_AT);
        Ok(())
    }

    fn await_response(
        &self,
        until: Until,
        unwanted: &mut dyn FnMut() -> bool,
    ) -> Result<(), CallFault> {
        let beat = || {
            self.mapping
                .load(channel::HEARTBEAT_AT)
                .map_err(CallFault::System)
        };
        let (mut known, mut heard) = (beat()?, Instant::now());
        loop {
            let seen = self
                .mapping
                .load(channel::RESPONSE_SEQUENCE_AT)
                .map_err(CallFault::System)?;
            if seen == self.sequence {
                return Ok(());
            }
            if self.fate.is_gone() {
                return Err(self.await_end(until, unwanted));
            }
            if unwanted() {
                return Err(CallFault::Cancelled);
            }
            let now = Instant::now();
            let left = until
                .deadline
                .checked_duration_since(now)
                .filter(|left| !left.is_zero())
                .ok_or(CallFault::Timeout)?;
            let mut patience = left.min(LOOK_AGAIN);
            if let Some(silence) = until.silence {
                // The word is the function's: whatever it writes there, it only prolongs its own
                // call, and never beyond the deadline.
                let newest = beat()?;
                if newest != known {
                    (known, heard) = (newest, now);
                }
                let left = silence
                    .checked_sub(now.saturating_duration_since(heard))
                    .filter(|left| !left.is_zero())
                    .ok_or(CallFault::Silent(silence))?;
                patience = patience.min(left);
            }
            if self
                .mapping
                .wait(channel::RESPONSE_SEQUENCE_AT, seen, patience)
                .is_err()
            {
                // The word is the worker's to spoil, as above. Then the clock is looked at instead.
                std::thread::sleep(patience.min(SPOILT));
            }
        }
    }

    /// Waits until somebody tells how the worker ended, which is gone as far as the lane sees. It may live
    /// and have closed its liveness socket: then nobody tells, and the call's own bounds hold as before.
    fn await_end(&self, until: Until, unwanted: &mut dyn FnMut() -> bool) -> CallFault {
        let lost = Instant::now();
        loop {
            let left = TELL
                .saturating_sub(lost.elapsed())
                .min(until.deadline.saturating_duration_since(Instant::now()));
            if let Some(end) = self.fate.end(left.min(LOOK_AGAIN)) {
                return CallFault::Gone(end);
            }
            if unwanted() {
                return CallFault::Cancelled;
            }
            if left.is_zero() {
                return CallFault::Gone(End::Ended(Ended::Unknown));
            }
        }
    }

    fn fetch(&self) -> Result<(ResponseKind, Vec<u8>), CallFault> {
        let m = &self.mapping;
        let kind = m
            .load(channel::RESPONSE_KIND_AT)
            .map_err(CallFault::System)?;
        let length = m
            .load_long(channel::RESPONSE_LENGTH_AT)
            .map_err(CallFault::System)?;
        let (kind, length) = self
            .geometry
            .check_response(kind, length)
            .map_err(CallFault::Channel)?;
        let at = usize::try_from(self.geometry.response_at()).map_err(system)?;
        let count = usize::try_from(length).map_err(system)?;
        Ok((kind, m.copy_out(at, count).map_err(CallFault::System)?))
    }
}

fn system(error: impl std::error::Error + Send + Sync + 'static) -> CallFault {
    CallFault::System(io::Error::other(error))
}
