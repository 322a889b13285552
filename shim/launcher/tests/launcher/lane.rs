//! The lane's part: makes a channel, has a worker forked on it, posts requests.

#![expect(unsafe_code, reason = "maps the channel and sleeps on its futex")]

use crate::spawner::{Collected, Zygote, collect};
use keylane_policy::abi::channel::{self, Geometry, ResponseKind};
use keylane_policy::abi::message::FromZygote;
use memfd::{FileSeal, MemfdOptions};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use serde_json::Value;
use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

pub(crate) const CAPACITY: u64 = 1 << 20;

/// A channel of which this process keeps the first page mapped; bodies go through the file.
pub(crate) struct Channel {
    pub(crate) file: OwnedFd,
    bodies: File,
    page: *mut u8,
    geometry: Geometry,
}

impl Channel {
    pub(crate) fn new(capacity: u64) -> Self {
        let geometry = Geometry::with_capacity(capacity).unwrap();
        let memory = MemfdOptions::default()
            .allow_sealing(true)
            .create("channel")
            .unwrap();
        memory.as_file().set_len(geometry.size()).unwrap();
        let seals = [FileSeal::SealShrink, FileSeal::SealGrow, FileSeal::SealSeal];
        memory.add_seals(&seals).unwrap();
        let bodies = memory.into_file();
        // SAFETY: a new shared mapping of the file's first page, which its seals keep there.
        let page = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                4096,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                bodies.as_raw_fd(),
                0,
            )
        };
        assert_ne!(page, libc::MAP_FAILED);
        let file = OwnedFd::from(bodies.try_clone().unwrap());
        let channel = Channel {
            file,
            bodies,
            page: page.cast(),
            geometry,
        };
        channel.put(channel::MAGIC_AT, &channel::MAGIC.to_le_bytes());
        channel.put(channel::VERSION_AT, &channel::VERSION.to_le_bytes());
        let capacity = geometry.capacity().to_le_bytes();
        channel.put(channel::REQUEST_CAPACITY_AT, &capacity);
        channel.put(channel::RESPONSE_CAPACITY_AT, &capacity);
        channel
    }

    pub(crate) fn put(&self, offset: usize, bytes: &[u8]) {
        self.bodies.write_all_at(bytes, offset as u64).unwrap();
    }

    pub(crate) fn get<const N: usize>(&self, offset: usize) -> [u8; N] {
        let mut bytes = [0; N];
        self.bodies
            .read_exact_at(&mut bytes, offset as u64)
            .unwrap();
        bytes
    }

    fn word(&self, offset: usize) -> &AtomicU32 {
        // SAFETY: an aligned word of the page mapped by `new` and unmapped by `drop`.
        unsafe { AtomicU32::from_ptr(self.page.wrapping_add(offset).cast()) }
    }

    /// Posts a request and wakes the worker.
    pub(crate) fn post(&self, sequence: u32, body: &[u8]) {
        self.bodies
            .write_all_at(body, self.geometry.request_at())
            .unwrap();
        self.put(
            channel::REQUEST_LENGTH_AT,
            &(body.len() as u64).to_le_bytes(),
        );
        let word = self.word(channel::REQUEST_SEQUENCE_AT);
        word.store(sequence, Ordering::Release);
        // SAFETY: wakes by the address of a mapped word.
        unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, 1) };
    }

    /// The answer to request `sequence`; `None` if it does not come in time.
    pub(crate) fn answer(&self, sequence: u32, limit: Duration) -> Option<(ResponseKind, Vec<u8>)> {
        let word = self.word(channel::RESPONSE_SEQUENCE_AT);
        let since = Instant::now();
        loop {
            let newest = word.load(Ordering::Acquire);
            if newest == sequence {
                break;
            }
            if since.elapsed() > limit {
                return None;
            }
            let pause = libc::timespec {
                tv_sec: 0,
                tv_nsec: 10_000_000,
            };
            // SAFETY: sleeps on a mapped word, with a timespec of this frame.
            unsafe {
                libc::syscall(
                    libc::SYS_futex,
                    word.as_ptr(),
                    libc::FUTEX_WAIT,
                    newest,
                    &raw const pause,
                )
            };
        }
        let kind = u32::from_le_bytes(self.get(channel::RESPONSE_KIND_AT));
        let length = u64::from_le_bytes(self.get(channel::RESPONSE_LENGTH_AT));
        let (kind, length) = self.geometry.check_response(kind, length).unwrap();
        let mut body = vec![0; length as usize];
        self.bodies
            .read_exact_at(&mut body, self.geometry.response_at())
            .unwrap();
        Some((kind, body))
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        // SAFETY: mapped by `new`, and no word of it outlives `self`.
        unsafe { libc::munmap(self.page.cast(), 4096) };
    }
}

pub(crate) struct Worker {
    pub(crate) channel: Channel,
    pub(crate) liveness: OwnedFd,
    pub(crate) id: i32,
    pub(crate) output: Collected,
    pub(crate) errors: Collected,
    sequence: u32,
}

pub(crate) fn pair() -> (OwnedFd, OwnedFd) {
    socketpair(
        AddressFamily::Unix,
        SockType::Stream,
        None,
        SockFlag::SOCK_CLOEXEC,
    )
    .unwrap()
}

impl Worker {
    pub(crate) fn fork(zygote: &Zygote, serial: u64) -> Self {
        Worker::fork_with(zygote, serial, CAPACITY)
    }

    pub(crate) fn fork_with(zygote: &Zygote, serial: u64, capacity: u64) -> Self {
        let channel = Channel::new(capacity);
        let (liveness, theirs) = pair();
        let (output, output_end) = std::io::pipe().unwrap();
        let (errors, errors_end) = std::io::pipe().unwrap();
        zygote.send_fork(
            serial,
            capacity,
            &[
                &channel.file,
                &theirs,
                &OwnedFd::from(output_end),
                &OwnedFd::from(errors_end),
            ],
        );
        let id = loop {
            match zygote.receive() {
                (FromZygote::Hello { serial: who }, id) if who == serial => break id,
                // A worker that an earlier part of the test has let go.
                (FromZygote::WorkerEnded { serial: who, .. }, _) if who != serial => {}
                (other, _) => panic!("{other:?} instead of Hello from worker {serial}"),
            }
        };
        assert_ne!(id, zygote.id(), "the zygote said Hello for its worker");
        Worker {
            channel,
            liveness,
            id,
            output: collect(output),
            errors: collect(errors),
            sequence: 0,
        }
    }

    /// Posts a request and returns its number.
    pub(crate) fn post(&mut self, body: &[u8]) -> u32 {
        self.sequence += 1;
        self.channel.post(self.sequence, body);
        self.sequence
    }

    pub(crate) fn call_raw(&mut self, body: &[u8]) -> (ResponseKind, Vec<u8>) {
        let sequence = self.post(body);
        self.channel
            .answer(sequence, Duration::from_secs(20))
            .expect("the worker does not answer")
    }

    /// A call that succeeds.
    pub(crate) fn call(&mut self, event: &Value) -> Value {
        let (kind, body) = self.call_raw(event.to_string().as_bytes());
        assert_eq!(
            kind,
            ResponseKind::Result,
            "{}",
            String::from_utf8_lossy(&body)
        );
        serde_json::from_slice(&body).unwrap()
    }

    /// A call that fails: error type, message, trace.
    pub(crate) fn fail(&mut self, event: &Value) -> (String, String, Vec<String>) {
        let (kind, body) = self.call_raw(event.to_string().as_bytes());
        assert_eq!(
            kind,
            ResponseKind::Error,
            "{}",
            String::from_utf8_lossy(&body)
        );
        let error: Value = serde_json::from_slice(&body).unwrap();
        let text = |name: &str| error[name].as_str().unwrap().to_owned();
        let trace = error["stackTrace"].as_array().unwrap();
        (
            text("errorType"),
            text("errorMessage"),
            trace
                .iter()
                .map(|frame| frame.as_str().unwrap().to_owned())
                .collect(),
        )
    }
}
