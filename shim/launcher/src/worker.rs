//! A worker: answers the requests of one channel until its lane is gone.
//!
//! Waiting has three stages. It looks at the sequence word for a few microseconds, if the process
//! may run on more than one processor: then the lane may be posting the next request on another,
//! and a wake across processors costs more than the whole call. On one processor looking only
//! keeps the lane from running. Then it sleeps on the futex. A futex cannot be waited for together
//! with a socket, and a lane that dies wakes nobody: so the sleep ends once a second, for a look
//! at the liveness socket.

use crate::channel::{Channel, SharedBytes};
use crate::runtime::Runtime;
use keylane_policy::abi::channel::{Geometry, ResponseKind};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;
use std::hint::spin_loop;
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// The channel cannot be used.
const EXIT_CHANNEL: u8 = 3;
/// How long a worker looks for the next request before it sleeps.
const LOOK: Duration = Duration::from_micros(20);
/// Pauses between two looks at the clock; one of them takes 10 to 50 ns.
const PAUSES: u32 = 32;
/// How long a worker sleeps before it makes sure of its lane.
const SLEEP: Duration = Duration::from_secs(1);

/// What a worker starts with.
pub(crate) struct Start {
    /// The spawner's number for it.
    pub(crate) serial: u64,
    /// The sizes that the spawner announced.
    pub(crate) geometry: Geometry,
    /// The channel's memfd.
    pub(crate) channel: OwnedFd,
    /// The socket whose other end the lane holds.
    pub(crate) liveness: OwnedFd,
}

/// The loop.
pub(crate) fn serve(start: Start, runtime: &mut impl Runtime) -> ExitCode {
    let Start {
        serial,
        geometry,
        channel: memory,
        liveness,
    } = start;
    let channel = match Channel::map(&memory, geometry) {
        Ok(channel) => channel,
        Err(fault) => {
            eprintln!("keylane-launcher: worker {serial}: {fault}");
            return ExitCode::from(EXIT_CHANNEL);
        }
    };
    // The mapping stays without it, and the function has no use for it.
    drop(memory);
    runtime.become_worker(channel.capacity());
    runtime.hear_heartbeats(channel.heartbeat());
    let mut answered = channel.answered();
    loop {
        let next = runtime.idle(|| next(&channel, &liveness, answered));
        let Some(sequence) = next else {
            return ExitCode::SUCCESS;
        };
        answer(&channel, runtime);
        channel.publish(sequence);
        answered = sequence;
    }
}

/// The number of the next request; `None` when the lane is gone.
fn next(channel: &Channel, liveness: &OwnedFd, answered: u32) -> Option<u32> {
    let mut asleep_since_look = false;
    loop {
        let newest = channel.requested();
        if newest != answered {
            return Some(newest);
        }
        if asleep_since_look {
            if lane_is_gone(liveness) {
                return None;
            }
        } else if let Some(newest) = look(channel, answered) {
            return Some(newest);
        }
        channel.wait(answered, SLEEP);
        asleep_since_look = true;
    }
}

/// Looks for the next request for a while, where that makes sense.
fn look(channel: &Channel, answered: u32) -> Option<u32> {
    // Asked each time: the spawner may bind a worker after it was forked.
    if processors() < 2 {
        return None;
    }
    let since = Instant::now();
    while since.elapsed() < LOOK {
        for _ in 0..PAUSES {
            spin_loop();
        }
        let newest = channel.requested();
        if newest != answered {
            return Some(newest);
        }
    }
    None
}

/// How many processors this thread may run on; 1 where that cannot be had.
fn processors() -> usize {
    let Ok(set) = sched_getaffinity(Pid::from_raw(0)) else {
        return 1;
    };
    (0..CpuSet::count())
        .filter(|&processor| set.is_set(processor).unwrap_or(false))
        .take(2)
        .count()
}

/// Has the other end of the liveness socket been closed?
fn lane_is_gone(liveness: &OwnedFd) -> bool {
    // No event is asked for: POLLHUP and POLLERR are reported regardless.
    let mut asked = [PollFd::new(liveness.as_fd(), PollFlags::empty())];
    // A failed poll says nothing about the lane; the next second brings another.
    matches!(poll(&mut asked, PollTimeout::ZERO), Ok(ready) if ready > 0)
}

/// Writes the answer to the request that the channel holds.
fn answer(channel: &Channel, runtime: &mut impl Runtime) {
    let Some(request) = channel.request() else {
        let text = error_json(
            "Runtime.UnmarshalError",
            "the request claims more bytes than the channel holds",
        );
        let _fits = channel.write(ResponseKind::Error, &text);
        return;
    };
    call(channel, runtime, request);
}

fn call(channel: &Channel, runtime: &mut impl Runtime, request: SharedBytes) {
    runtime.call(request, channel.deadline(), |kind, body| {
        if !channel.write(kind, body) {
            let text = error_json(
                "Runtime.ResponseTooLarge",
                &format!(
                    "the function's result has {} bytes as JSON, the limit is {} bytes",
                    body.len(),
                    channel.capacity()
                ),
            );
            // Two hundred bytes always fit: an area is a whole number of pages.
            let _fits = channel.write(ResponseKind::Error, &text);
        }
    });
}

/// An error of the launcher's own. Both texts are ours and need no escapes.
fn error_json(name: &str, message: &str) -> Vec<u8> {
    format!(r#"{{"errorType":"{name}","errorMessage":"{message}","stackTrace":[]}}"#).into_bytes()
}
