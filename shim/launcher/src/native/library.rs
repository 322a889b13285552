//! The shared object: loaded with all of its symbols bound, asked for its version and its function.

#![expect(unsafe_code, reason = "dlopen(3) and dlsym(3)")]

use crate::runtime::LoadFailure;
use keylane_abi::{DEFAULT_SYMBOL, Function, VERSION, VERSION_SYMBOL};
use std::ffi::{CStr, CString, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::ptr::{self, NonNull};

/// A function in a shared object that stays loaded.
pub(super) struct Library {
    function: Function,
}

/// The object's file in the tree and the function's symbol, from `FILE` or `FILE:SYMBOL`.
fn split(handler: &OsStr) -> (&[u8], &[u8]) {
    let handler = handler.as_bytes();
    match handler.iter().rposition(|byte| *byte == b':') {
        Some(at) => {
            let (file, symbol) = handler.split_at(at);
            (file, symbol.get(1..).unwrap_or_default())
        }
        None => (handler, DEFAULT_SYMBOL.as_bytes()),
    }
}

/// What dlerror(3) says about the call before.
fn fault() -> String {
    // SAFETY: no condition; the text belongs to this thread until its next call of these.
    let text = unsafe { libc::dlerror() };
    if text.is_null() {
        return "the loader does not say why".to_owned();
    }
    // SAFETY: not null, terminated, and copied before the next call of dlopen or dlsym.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}

impl Library {
    /// Loads what `handler` names. The working directory is the function's tree.
    pub(super) fn load(handler: &OsStr) -> Result<Library, LoadFailure> {
        let (file, symbol) = split(handler);
        // A path with a slash, so that nothing is searched for; relative, because messages show it
        // and the tree's place on the host is nobody's concern.
        let path = CString::new([b"./", file].concat());
        let symbol = CString::new(symbol);
        let (Ok(path), Ok(symbol)) = (path, symbol) else {
            let message = "the handler holds a NUL byte".to_owned();
            return Err(LoadFailure::new("HandlerNotFound", message));
        };
        // SAFETY: a terminated path. The object's constructors run: code of the function, in the
        // function's own process.
        let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        let Some(handle) = NonNull::new(handle) else {
            let message = format!("the shared object cannot be loaded: {}", fault());
            return Err(LoadFailure::new("LibraryNotLoaded", message));
        };
        let shown = String::from_utf8_lossy(file);
        let version = CString::new(VERSION_SYMBOL).unwrap_or_default();
        let Some(version) = find(handle, &version) else {
            let message = format!(
                "{shown} has no {VERSION_SYMBOL}: it was not built with keylane.h or the Rust SDK"
            );
            return Err(LoadFailure::new("HandlerNotFound", message));
        };
        // SAFETY: the symbol is a `uint32_t` by the interface, in an object that stays loaded.
        let version = unsafe { version.cast::<u32>().read_unaligned() };
        if version != VERSION {
            let message = format!(
                "{shown} speaks version {version} of the interface, this Keylane {VERSION}; build \
                 it with the keylane.h or the SDK of this Keylane"
            );
            return Err(LoadFailure::new("WrongVersion", message));
        }
        let Some(function) = find(handle, &symbol) else {
            let symbol = symbol.to_string_lossy();
            let message = format!(
                "{shown} exports no function {symbol}; the macro of keylane.h and \
                 #[keylane::function] in Rust export one"
            );
            return Err(LoadFailure::new("HandlerNotFound", message));
        };
        // SAFETY: a pointer and a function have one size here, and by the interface the symbol is a
        // function of this type; one that is not harms only the process that it is the code of.
        let function = unsafe { std::mem::transmute::<NonNull<c_void>, Function>(function) };
        Ok(Library { function })
    }

    /// The function.
    pub(super) fn function(&self) -> Function {
        self.function
    }
}

fn find(handle: NonNull<c_void>, symbol: &CStr) -> Option<NonNull<c_void>> {
    // SAFETY: the handle is dlopen's and never closed; the name is terminated.
    NonNull::new(unsafe { libc::dlsym(handle.as_ptr(), symbol.as_ptr()) })
}

unsafe extern "C" {
    static stdout: *mut libc::FILE;
    fn setvbuf(stream: *mut libc::FILE, buffer: *mut c_char, mode: c_int, size: usize) -> c_int;
}

/// `_IOLBF` of stdio.h.
const LINES: c_int = 1;

/// Has C's standard output written line by line, though it is a pipe: what a function printed
/// before it crashed is often the reason.
pub(super) fn line_buffered() {
    // SAFETY: read once, before the function's code is there to change it.
    let stream = unsafe { stdout };
    // SAFETY: the standard stream, on which nothing was done yet; a null buffer lets libc bring its
    // own. What it returns is of no interest: then the output comes at the end of a call.
    unsafe { setvbuf(stream, ptr::null_mut(), LINES, 0) };
}

/// Hands on what the function wrote with C's streams.
pub(super) fn flush() {
    // SAFETY: null stands for all streams that are open for writing.
    unsafe { libc::fflush(ptr::null_mut()) };
}

/// One if the C library never saw a second thread in this process, else many.
pub(super) fn known_threads() -> u64 {
    // SAFETY: a terminated name and the handle that stands for everything loaded. By
    // sys/single_threaded.h of glibc 2.32 a `char`.
    let alone = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"__libc_single_threaded".as_ptr()) };
    if alone.is_null() {
        return u64::MAX;
    }
    // SAFETY: not null, and a `char` of the C library, which stays.
    if unsafe { alone.cast::<u8>().read_volatile() } == 0 {
        u64::MAX
    } else {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handler_is_a_file_and_perhaps_a_symbol() {
        let of = |text: &str| {
            let (file, symbol) = split(OsStr::new(text));
            [file, symbol].map(|part| String::from_utf8_lossy(part).into_owned())
        };
        assert_eq!(of("libf.so"), ["libf.so", "keylane_function"]);
        assert_eq!(of("lib/libf.so:sum"), ["lib/libf.so", "sum"]);
    }
}
