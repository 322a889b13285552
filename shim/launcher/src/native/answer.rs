//! What a function answered: its texts taken over, and turned into what the channel carries.

#![expect(unsafe_code, reason = "reads and releases memory of the function's")]

use keylane_abi::{RESULT, Response, Text};
use keylane_policy::abi::channel::ResponseKind;
use keylane_policy::limit::{ERROR_CAUSE_BYTES, ERROR_NAME_BYTES};
use std::ffi::c_int;
use std::slice;

/// The name of an error to which the function gave none.
const NAMELESS: &str = "Error";

/// A response that is released when this goes.
pub(super) struct Answer {
    failed: bool,
    response: Response,
}

impl Answer {
    /// Takes over what a call left behind.
    ///
    /// # Safety
    /// Each text must be without data or readable for its length, and given up to the caller
    /// together with its release, as `keylane-abi` says.
    pub(super) unsafe fn take(returned: c_int, response: Response) -> Answer {
        Answer {
            failed: returned != RESULT,
            response,
        }
    }

    /// Writes it as the channel's body. `capacity` is the most bytes of an error's.
    pub(super) fn write(&self, capacity: u64, write: impl FnOnce(ResponseKind, &[u8])) {
        if self.failed {
            let error = self.error(usize::try_from(capacity).unwrap_or(usize::MAX));
            write(ResponseKind::Error, error.as_bytes());
        } else if self.response.result.data.is_null() {
            write(ResponseKind::Result, b"null");
        } else {
            // Whether it is JSON is the lane's to find out, which believes nobody anyway.
            write(ResponseKind::Result, bytes(&self.response.result));
        }
    }

    /// The error as JSON, in the form that the launcher of Python functions has too.
    fn error(&self, capacity: usize) -> String {
        let text = |text: &Text| String::from_utf8_lossy(bytes(text)).into_owned();
        let name = text(&self.response.error_name);
        let name = if name.is_empty() { NAMELESS } else { &name };
        let message = text(&self.response.error_message);
        let trace = text(&self.response.error_trace);
        let mut limit = ERROR_CAUSE_BYTES;
        loop {
            let error = error(name, &message, &trace, limit);
            if error.len() <= capacity || limit == 0 {
                return error;
            }
            limit /= 2;
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        let Response {
            result,
            error_name,
            error_message,
            error_trace,
        } = self.response;
        for text in [result, error_name, error_message, error_trace] {
            match text.release {
                // SAFETY: by the interface this takes back exactly these bytes, once; the response
                // was taken over whole, and nothing uses it after this.
                Some(release) => unsafe { release(text.data.cast(), text.length) },
                // SAFETY: by the interface null or from malloc(3), and given up.
                None => unsafe { libc::free(text.data.cast()) },
            }
        }
    }
}

/// The bytes of a text.
fn bytes(text: &Text) -> &[u8] {
    if text.data.is_null() || isize::try_from(text.length).is_err() {
        return &[];
    }
    // SAFETY: not null, no longer than a slice may be, and by `Answer::take` readable and the
    // caller's alone until it is released, which takes the answer itself.
    unsafe { slice::from_raw_parts(text.data.cast(), text.length) }
}

/// An error's JSON with a message and a trace of at most `limit` bytes each.
fn error(name: &str, message: &str, trace: &str, limit: usize) -> String {
    let mut json = String::from(r#"{"errorType":"#);
    quote(&mut json, cut(name, ERROR_NAME_BYTES), "");
    json.push_str(r#","errorMessage":"#);
    let kept = cut(message, limit);
    let mark = if kept.len() < message.len() {
        format!("… [cut, {} bytes in all]", message.len())
    } else {
        String::new()
    };
    quote(&mut json, kept, &mark);
    json.push_str(r#","stackTrace":["#);
    let frames = cut(trace, limit).lines().filter(|frame| !frame.is_empty());
    for (at, frame) in frames.enumerate() {
        if at > 0 {
            json.push(',');
        }
        quote(&mut json, frame, "");
    }
    json.push_str("]}");
    json
}

/// The first `limit` bytes of `text`, at a character's border.
fn cut(text: &str, limit: usize) -> &str {
    text.get(..text.floor_char_boundary(limit))
        .unwrap_or_default()
}

/// Appends a JSON string of two parts.
fn quote(json: &mut String, text: &str, more: &str) {
    json.push('"');
    for c in text.chars().chain(more.chars()) {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            c if c < ' ' => json.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => json.push(c),
        }
    }
    json.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::ffi::{CString, c_void};
    use std::sync::atomic::{AtomicUsize, Ordering};

    static RELEASED: AtomicUsize = AtomicUsize::new(0);

    extern "C" fn count(_data: *mut c_void, _length: usize) {
        RELEASED.fetch_add(1, Ordering::Relaxed);
    }

    fn constant(bytes: &'static [u8]) -> Text {
        Text {
            data: bytes.as_ptr().cast_mut().cast(),
            length: bytes.len(),
            release: Some(count),
        }
    }

    fn written(returned: c_int, response: Response, capacity: u64) -> (ResponseKind, Vec<u8>) {
        let mut got = None;
        // SAFETY: the tests' texts are constants, or from malloc, or none.
        let answer = unsafe { Answer::take(returned, response) };
        answer.write(capacity, |kind, body| got = Some((kind, body.to_vec())));
        got.unwrap()
    }

    fn failed(response: Response, capacity: u64) -> Value {
        let (kind, body) = written(1, response, capacity);
        assert_eq!(kind, ResponseKind::Error);
        assert!(body.len() as u64 <= capacity);
        serde_json::from_slice(&body).unwrap()
    }

    #[test]
    fn texts_are_released_once_whatever_is_done_with_them() {
        let malloced = CString::new("no").unwrap();
        // SAFETY: a terminated string; the copy is malloc's.
        let copy = unsafe { libc::strdup(malloced.as_ptr()) };
        let response = Response {
            result: constant(b"1"),
            error_name: constant(b"A"),
            error_message: Text {
                data: copy,
                length: 2,
                release: None,
            },
            error_trace: constant(b"x"),
        };
        let before = RELEASED.load(Ordering::Relaxed);
        assert_eq!(
            written(0, response, 64),
            (ResponseKind::Result, b"1".to_vec())
        );
        assert_eq!(RELEASED.load(Ordering::Relaxed), before + 3);
    }

    #[test]
    fn a_function_that_says_nothing_answers_null() {
        assert_eq!(
            written(0, Response::EMPTY, 64),
            (ResponseKind::Result, b"null".to_vec())
        );
        let nameless = json!({"errorType": "Error", "errorMessage": "", "stackTrace": []});
        assert_eq!(failed(Response::EMPTY, 4096), nameless);
    }

    #[test]
    fn any_bytes_become_an_error_in_json() {
        let response = Response {
            error_name: constant(b"Bad\"Name\\"),
            error_message: constant(b"\x00\x1b[31m\xff\n\t\xc3\xa9"),
            error_trace: constant(b"a.c:1\n\nb.c:2\n"),
            ..Response::EMPTY
        };
        let expected = json!({
            "errorType": "Bad\"Name\\",
            "errorMessage": "\u{0}\u{1b}[31m\u{fffd}\n\té",
            "stackTrace": ["a.c:1", "b.c:2"],
        });
        assert_eq!(failed(response, 4096), expected);
    }

    #[test]
    fn a_long_error_is_cut_until_it_fits() {
        static LONG: [u8; 100_000] = [1; 100_000];
        let response = Response {
            error_message: constant(&LONG),
            error_trace: constant(&LONG),
            ..Response::EMPTY
        };
        let error = failed(response, 64 * 1024);
        let message = error["errorMessage"].as_str().unwrap();
        assert!(message.ends_with("[cut, 100000 bytes in all]"), "{message}");
    }
}
