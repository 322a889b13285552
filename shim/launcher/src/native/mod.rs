//! A native function inside this process: a shared object, loaded, and called through the C
//! interface of `keylane-abi`. Nothing here comes near libpython.
//!
//! The object is loaded once, in the zygote, so that its constructors run before the forks and its
//! code is shared by all workers. It is never unloaded.

#![expect(
    unsafe_code,
    reason = "calls the function and takes its texts by pointer"
)]

mod answer;
mod crash;
mod library;

use crate::channel::SharedBytes;
use crate::fork::{self, Side};
use crate::runtime::{LoadFailure, Runtime, Target};
use answer::Answer;
use keylane_abi::{Context, Response};
use keylane_policy::abi::channel::ResponseKind;
use library::Library;
use nix::errno::Errno;
use std::ffi::{CString, OsStr, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::abort;
use std::ptr;

/// A shared object with the function in it.
pub(crate) struct Native {
    /// The function's name and its object; `None` until it is loaded.
    loaded: Option<(CString, Library)>,
    /// The event of the current call, and a NUL; kept from call to call for its memory.
    event: Vec<u8>,
    /// Bytes that a response may have.
    capacity: u64,
    /// The word of the heartbeats; null before there is a channel.
    heartbeat: *mut u32,
}

/// An event's memory that is not worth keeping while nothing is called.
const KEPT_BYTES: usize = 1 << 20;

impl Native {
    /// Copies the event out of the channel: the function may change its copy, and nobody else can.
    fn take(&mut self, request: SharedBytes) {
        self.event.clear();
        self.event.reserve(request.length.saturating_add(1));
        // SAFETY: the source is readable (`Channel::request`, the only maker of these, compared the
        // length with the area, which stays mapped); the line above made room for as many bytes and
        // one more; memory of this process's allocator and a channel do not overlap.
        unsafe {
            self.event
                .as_mut_ptr()
                .copy_from(request.address, request.length)
        };
        // SAFETY: so many bytes were written by the line above, and there is room for them.
        unsafe { self.event.set_len(request.length) };
        self.event.push(0);
    }

    /// Calls the function with the event that was taken.
    fn answer(&mut self, deadline: u64) -> Option<Answer> {
        let (name, library) = self.loaded.as_ref()?;
        let context = Context {
            abi: keylane_abi::VERSION,
            size: u32::try_from(size_of::<Context>()).unwrap_or(u32::MAX),
            function_name: name.as_ptr(),
            deadline_ns: deadline,
            response_limit: self.capacity,
            heartbeat: self.heartbeat,
        };
        let mut response = Response::EMPTY;
        let length = self.event.len().saturating_sub(1);
        let event = self.event.as_mut_ptr().cast::<c_char>();
        let function = library.function();
        let called = catch_unwind(AssertUnwindSafe(|| {
            // SAFETY: the function was found under the name that the project gives and in an object
            // that says that it speaks this interface; every pointer is to memory of this frame or
            // of `self` that outlives the call; `take` put the NUL after `length` bytes.
            unsafe { function(&raw const context, event, length, &raw mut response) }
        }));
        let Ok(returned) = called else {
            // Only an exception of ours could come here, and nothing of ours is below the function;
            // a foreign one ends the process before (std::panic::catch_unwind).
            abort();
        };
        // SAFETY: the texts are the function's answer to this one call, unchanged since.
        Some(unsafe { Answer::take(returned, response) })
    }
}

/// What is answered to a request that comes before the function is loaded, which no loop of ours makes.
const NOT_LOADED: &[u8] =
    br#"{"errorType":"Runtime.Unknown","errorMessage":"the function is not loaded","stackTrace":[]}"#;

impl Runtime for Native {
    fn bare() -> Result<Self, LoadFailure> {
        library::line_buffered();
        crash::report();
        Ok(Native {
            loaded: None,
            event: Vec::new(),
            capacity: 0,
            heartbeat: ptr::null_mut(),
        })
    }

    fn import(&mut self, target: &Target<'_>) -> Result<(), LoadFailure> {
        let name = CString::new(target.name.as_encoded_bytes())
            .map_err(|nul| LoadFailure::new("HandlerNotFound", nul.to_string()))?;
        let library = Library::load(target.handler)?;
        library::flush();
        self.loaded = Some((name, library));
        Ok(())
    }

    fn settle(&mut self) {}

    fn known_threads(&mut self) -> u64 {
        library::known_threads()
    }

    fn threads_left(&mut self, handler: &OsStr) -> LoadFailure {
        let message = format!(
            "loading {} left threads running, so that no worker can be forked from it; its \
             constructors must not start any: start them in the function instead",
            handler.display()
        );
        LoadFailure::new("ThreadsAtLoad", message)
    }

    fn idle<T>(&mut self, wait: impl FnOnce() -> T) -> T {
        wait()
    }

    fn fork(&mut self, first: impl FnOnce()) -> Result<Side, Errno> {
        // The function's own hooks (pthread_atfork(3)) run inside; its output is still the
        // zygote's then, for `first` cannot come before them.
        let side = fork::fork();
        if matches!(side, Ok(Side::Child)) {
            first();
        }
        side
    }

    fn become_worker(&mut self, capacity: u64) {
        self.capacity = capacity;
        crash::stand_apart();
    }

    fn hear_heartbeats(&mut self, word: SharedBytes) {
        // Four aligned bytes of the channel (`channel::HEARTBEAT_AT`), which stays mapped as long as
        // the process; whatever the function writes there prolongs only its own call.
        self.heartbeat = word.address.cast_mut().cast();
    }

    fn call(
        &mut self,
        request: SharedBytes,
        deadline: u64,
        write: impl FnOnce(ResponseKind, &[u8]),
    ) {
        self.take(request);
        let answer = self.answer(deadline);
        library::flush();
        match answer {
            Some(answer) => answer.write(self.capacity, write),
            None => write(ResponseKind::Error, NOT_LOADED),
        }
        if self.event.capacity() > KEPT_BYTES {
            self.event = Vec::new();
        }
    }
}
