//! What `#[keylane::function]` calls: from the C interface to a function of Rust types and back.
//!
//! Nothing here is for use by hand.

#![expect(unsafe_code, reason = "the C interface passes pointers")]

use crate::{Error, FromEvent, IntoResult};
pub use keylane_abi::{Context, Response};
use keylane_abi::{ERROR, RESULT, Text};
use std::any::Any;
use std::cell::RefCell;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::io::Write;
use std::mem::offset_of;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::sync::atomic::AtomicU32;
use std::{panic, ptr, slice};

/// The version that the object was built for.
#[unsafe(export_name = "keylane_abi")]
pub static VERSION: u32 = keylane_abi::VERSION;

/// The name of the error that a panic becomes.
const PANIC: &str = "Panic";

thread_local! {
    /// Where this thread panicked last.
    static PANICKED_AT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Calls `handler` and leaves its answer in `response`. A panic becomes an error.
///
/// # Safety
/// The parameters are what `keylane_abi::Function` says that a caller passes.
pub unsafe fn answer<E: FromEvent, R: IntoResult>(
    handler: impl FnOnce(E, &crate::Context<'_>) -> Result<R, Error>,
    context: *const Context,
    event: *mut c_char,
    length: usize,
    response: *mut Response,
) -> c_int {
    note_panics();
    // SAFETY: by the interface the context is readable, aligned and still for the whole call, and
    // every version begins with these fields.
    let size = unsafe { (*context).size };
    // SAFETY: as above.
    let function_name = unsafe { (*context).function_name };
    // SAFETY: as above.
    let deadline_ns = unsafe { (*context).deadline_ns };
    // SAFETY: as above.
    let response_limit = unsafe { (*context).response_limit };
    let known = usize::try_from(size).unwrap_or(0);
    let heartbeat = if known >= offset_of!(Context, heartbeat) + size_of::<*mut u32>() {
        // SAFETY: as above, for a context that reaches beyond this field.
        unsafe { (*context).heartbeat }
    } else {
        ptr::null_mut()
    };
    // SAFETY: by the interface null, or an aligned word that stays as long as the process and that
    // everybody changes atomically.
    let heartbeat = unsafe { heartbeat.cast::<AtomicU32>().as_ref() };
    // SAFETY: by the interface a terminated string that stays for the whole call.
    let name = unsafe { CStr::from_ptr(function_name) };
    // SAFETY: by the interface so many bytes, this function's alone until it returns.
    let event = unsafe { slice::from_raw_parts(event.cast::<u8>(), length) };
    let answered = catch_unwind(AssertUnwindSafe(|| {
        let name = name.to_str().unwrap_or_default();
        let context = crate::Context::new(name, deadline_ns, response_limit, heartbeat);
        let event = E::from_event(event)?;
        handler(event, &context)?.into_result()
    }));
    // What the function printed is in buffers of its own copy of the standard library.
    let _unwritable = std::io::stdout().flush();
    let mut told = Response::EMPTY;
    let returned = match answered.unwrap_or_else(|panic| Err(panicked(panic.as_ref()))) {
        Ok(result) => {
            told.result = text(result);
            RESULT
        }
        Err(error) => {
            let [name, message, trace] = error.into_texts().map(|part| text(part.into_bytes()));
            told.error_name = name;
            told.error_message = message;
            told.error_trace = trace;
            ERROR
        }
    };
    // SAFETY: by the interface the response is the caller's to read and this call's to write.
    unsafe { response.write(told) };
    returned
}

/// Hands bytes over, with their way back into Rust's allocator, whichever the function chose.
fn text(bytes: Vec<u8>) -> Text {
    let bytes = Box::leak(bytes.into_boxed_slice());
    Text {
        data: bytes.as_mut_ptr().cast(),
        length: bytes.len(),
        release: Some(release),
    }
}

/// Takes back what `text` handed over.
unsafe extern "C" fn release(data: *mut c_void, length: usize) {
    let bytes = ptr::slice_from_raw_parts_mut(data.cast::<u8>(), length);
    // SAFETY: by the interface called once, with the pointer and the length that `text` took out of
    // a boxed slice.
    drop(unsafe { Box::from_raw(bytes) });
}

/// From now on a panic leaves its place behind, after which everything is as it was: the message
/// goes to the standard error, or to whatever hook the function has set.
fn note_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if let Some(place) = info.location() {
                // A panic while the thread's own values are dropped has nowhere to leave it.
                let _gone = PANICKED_AT.try_with(|last| last.replace(place.to_string()));
            }
            before(info);
        }));
    });
}

/// The error that a panic becomes.
fn panicked(panic: &(dyn Any + Send)) -> Error {
    let message = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a value that is no text".to_owned());
    Error::traced(PANIC.to_owned(), message, PANICKED_AT.take())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Event;

    fn call<R: IntoResult>(
        handler: impl FnOnce(Event, &crate::Context<'_>) -> Result<R, Error>,
        event: &str,
    ) -> (c_int, [String; 4]) {
        let (returned, texts, _) = call_by(size_of::<Context>(), handler, event);
        (returned, texts)
    }

    /// Calls as a caller that knows so many bytes of a context; the last is its count of heartbeats.
    fn call_by<R: IntoResult>(
        size: usize,
        handler: impl FnOnce(Event, &crate::Context<'_>) -> Result<R, Error>,
        event: &str,
    ) -> (c_int, [String; 4], u32) {
        let word = AtomicU32::new(0);
        let context = Context {
            abi: 1,
            size: u32::try_from(size).unwrap(),
            function_name: c"f".as_ptr(),
            deadline_ns: 0,
            response_limit: 10,
            heartbeat: word.as_ptr(),
        };
        let mut bytes = event.as_bytes().to_vec();
        let mut response = Response::EMPTY;
        let (data, length) = (bytes.as_mut_ptr().cast(), bytes.len());
        // SAFETY: everything points to memory of this frame.
        let returned =
            unsafe { answer(handler, &raw const context, data, length, &raw mut response) };
        let texts = [
            response.result,
            response.error_name,
            response.error_message,
            response.error_trace,
        ];
        let texts = texts.map(|text| {
            if text.data.is_null() {
                return String::new();
            }
            // SAFETY: as the answer left it.
            let bytes = unsafe { slice::from_raw_parts(text.data.cast::<u8>(), text.length) };
            let copy = String::from_utf8(bytes.to_vec()).unwrap();
            // SAFETY: once for each text, which nobody uses afterwards.
            unsafe { text.release.unwrap()(text.data.cast(), text.length) };
            copy
        });
        (returned, texts, word.into_inner())
    }

    #[test]
    fn heartbeats_reach_a_caller_that_listens_and_an_older_one_is_not_asked() {
        let beat = |size| {
            let beats = |_: Event, context: &crate::Context<'_>| {
                context.heartbeat();
                context.heartbeat();
                Ok(0)
            };
            call_by(size, beats, "0").2
        };
        assert_eq!(beat(size_of::<Context>()), 2);
        assert_eq!(beat(offset_of!(Context, heartbeat)), 0);
    }

    #[test]
    fn a_result_goes_out_as_json() {
        let (returned, [result, name, ..]) = call(|event, _| Ok([event]), "{\"a\":1}");
        assert_eq!((returned, &*result, &*name), (RESULT, "[{\"a\":1}]", ""));
    }

    #[test]
    fn an_empty_result_of_raw_json_is_handed_over_and_taken_back() {
        let (returned, [result, ..]) = call(|_, _| Ok(crate::RawJson::default()), "0");
        assert_eq!((returned, &*result), (RESULT, ""));
    }

    #[test]
    fn a_panic_becomes_an_error_with_its_place() {
        let (returned, [_, name, message, trace]) = call(
            |_, _| -> Result<u8, Error> { panic!("no {}", "trade") },
            "0",
        );
        assert_eq!((returned, &*name, &*message), (ERROR, "Panic", "no trade"));
        assert!(trace.contains("entry.rs:"), "{trace}");
    }
}
