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
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
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
    // SAFETY: by the interface the context is readable, aligned and still for the whole call; one
    // of a later version begins like this one.
    let context = unsafe { &*context };
    // SAFETY: by the interface a terminated string that stays for the whole call.
    let name = unsafe { CStr::from_ptr(context.function_name) };
    // SAFETY: by the interface so many bytes, this function's alone until it returns.
    let event = unsafe { slice::from_raw_parts(event.cast::<u8>(), length) };
    let answered = catch_unwind(AssertUnwindSafe(|| {
        let name = name.to_str().unwrap_or_default();
        let context = crate::Context::new(name, context.deadline_ns, context.response_limit);
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
        let context = Context {
            abi: 1,
            size: u32::try_from(size_of::<Context>()).unwrap(),
            function_name: c"f".as_ptr(),
            deadline_ns: 0,
            response_limit: 10,
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
        (returned, texts)
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
