//! The C interface between a native function and what calls it: `shim/include/keylane.h` as Rust
//! types. A test of the launcher compiles the header and compares every size and offset.
//!
//! Both sides are one process and one trust domain, so nothing here guards anything: it is written
//! down so that a function built today runs under the Keylane of tomorrow. Whoever calls needs no
//! more than the function's address and its own memory, so that one process may hold several
//! functions, each on a thread and with an allocator of its own; a function calls nobody back but
//! through the pointers that it was given.

#![forbid(unsafe_code)]

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

/// The version of everything here. A shared object says by [`VERSION_SYMBOL`] which one it speaks.
pub const VERSION: u32 = 1;

/// Where a shared object keeps the version that it was built for, a `uint32_t`.
pub const VERSION_SYMBOL: &str = "keylane_abi";

/// The function that is called where the project names none.
pub const DEFAULT_SYMBOL: &str = "keylane_function";

/// What [`Function`] returns: [`Response::result`] is the answer.
pub const RESULT: c_int = 0;

/// What [`Function`] returns: the error's texts are the answer. Any number but [`RESULT`] means it.
pub const ERROR: c_int = 1;

/// What a function learns about its call. Later versions add fields at the end.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// The version that the caller speaks.
    pub abi: u32,
    /// Bytes of this structure as the caller knows it.
    pub size: u32,
    /// The function's name in the project, terminated by a NUL.
    pub function_name: *const c_char,
    /// When the call is given up: nanoseconds of CLOCK_MONOTONIC, or 0 if nobody says.
    pub deadline_ns: u64,
    /// Bytes that the result may have.
    pub response_limit: u64,
    /// A word of the function's: changing it is a heartbeat. Null where nobody listens. Any thread
    /// may change it, by an atomic addition, and no other way; it stays as long as the process.
    pub heartbeat: *mut u32,
}

/// Bytes that a function hands over. Nobody else may use them afterwards.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Text {
    /// Where they are; null for no bytes at all.
    pub data: *mut c_char,
    /// How many.
    pub length: usize,
    /// What takes them back, on the thread that called the function; none for free(3).
    pub release: Option<unsafe extern "C" fn(data: *mut c_void, length: usize)>,
}

impl Text {
    /// No bytes.
    pub const NONE: Text = Text {
        data: ptr::null_mut(),
        length: 0,
        release: None,
    };
}

/// What a function answers. The caller makes one without texts for each call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Response {
    /// JSON in UTF-8; without one, the result is `null`.
    pub result: Text,
    /// The error's name, which a workflow's Retry and Catch compare.
    pub error_name: Text,
    /// What happened, for people.
    pub error_message: Text,
    /// Where it happened, one place a line.
    pub error_trace: Text,
}

impl Response {
    /// Nothing answered yet.
    pub const EMPTY: Response = Response {
        result: Text::NONE,
        error_name: Text::NONE,
        error_message: Text::NONE,
        error_trace: Text::NONE,
    };
}

/// A function: `event` has `length` bytes of JSON in UTF-8 and a NUL after them. They are the
/// function's to change until it returns, and not beyond.
pub type Function = unsafe extern "C-unwind" fn(
    context: *const Context,
    event: *mut c_char,
    length: usize,
    response: *mut Response,
) -> c_int;
