//! What a call returns, and how each kind of error is told.

use crate::lane::{Channel, Worker};
use crate::spawner::Zygote;
use keylane_policy::abi::channel::{self, ResponseKind};
use keylane_policy::limit;
use serde_json::{Value, json};
use std::time::Instant;

fn app(text: &str) -> (Zygote, Worker) {
    let zygote = Zygote::loaded(&[("app.py", text)], "app.handler");
    let worker = Worker::fork(&zygote, 1);
    (zygote, worker)
}

/// A handler whose behaviour the event chooses: it evaluates `event["do"]`.
const EVAL: &str = "import sys, os\n\
    def fail(e): raise e\n\
    def deep(n=0): return deep(n + 1)\n\
    def handler(event, context):\n\
    \x20   return eval(event['do'])\n";

fn run(expression: &str) -> Value {
    json!({ "do": expression })
}

#[test]
fn values_of_every_kind_come_back_as_they_were() {
    let (_zygote, mut worker) = app("def handler(event, context): return event");
    for event in [
        json!(null),
        json!(true),
        json!(-1.5e300),
        json!(18446744073709551615u64),
        json!("grüße \u{1F980} \u{0} \" \\"),
        json!([[], {}, [{"a": [1, 2, {"b": null}]}]]),
    ] {
        assert_eq!(worker.call(&event), event);
    }
    let (kind, body) = worker.call_raw(b" {\"a\" : [1,  2.50, \"\\u00e9\"]}\n");
    assert_eq!(kind, ResponseKind::Result);
    assert_eq!(body, "{\"a\":[1,2.5,\"é\"]}".as_bytes());
}

#[test]
fn a_large_value_passes_through() {
    let (_zygote, mut worker) = app("def handler(event, context): return event[::-1]");
    let text = "ab".repeat(250_000);
    assert_eq!(worker.call(&json!(text)), json!("ba".repeat(250_000)));
}

#[test]
fn main_with_one_parameter_is_called_with_the_event_alone() {
    let text = "import functools\n\
        def main(params): return [params]\n\
        @functools.wraps(main)\n\
        def wrapped(*args): return main(*args)\n\
        class Service:\n\
        \x20   def one(self, params): return [params]\n\
        \x20   def two(self, event, context): return context.function_name\n\
        one, two = Service().one, Service().two\n\
        def optional(event, context=None): return context.function_name\n\
        def open_ended(*args): return len(args)\n";
    for (handler, wanted) in [
        ("main", json!([7])),
        ("wrapped", json!([7])),
        ("one", json!([7])),
        ("two", json!("function")),
        ("optional", json!("function")),
        ("open_ended", json!(2)),
    ] {
        let zygote = Zygote::loaded(&[("app.py", text)], &format!("app.{handler}"));
        let mut worker = Worker::fork(&zygote, 1);
        assert_eq!(worker.call(&json!(7)), wanted, "{handler}");
    }
}

#[test]
fn an_exception_is_told_by_its_class_its_message_and_the_functions_frames() {
    let text = "class NoSuchTrade(Exception): pass\n\
        def find(number):\n\
        \x20   raise NoSuchTrade(f'trade {number}')\n\
        def handler(event, context):\n\
        \x20   return find(event)\n";
    let (_zygote, mut worker) = app(text);
    let (name, message, trace) = worker.fail(&json!(12));
    assert_eq!(
        (name.as_str(), message.as_str()),
        ("NoSuchTrade", "trade 12")
    );
    assert_eq!(trace.len(), 2, "{trace:?}");
    assert!(
        trace[0].contains("app.py\", line 5, in handler"),
        "{trace:?}"
    );
    assert!(trace[1].contains("app.py\", line 3, in find"), "{trace:?}");
    assert!(trace[1].contains("raise NoSuchTrade"), "{trace:?}");
}

#[test]
fn leaving_a_function_by_exit_or_interrupt_ends_the_call_and_not_the_worker() {
    let (_zygote, mut worker) = app(EVAL);
    for (expression, name, message) in [
        ("sys.exit(3)", "SystemExit", "the function called exit(3)"),
        ("sys.exit()", "SystemExit", "the function called exit()"),
        (
            "sys.exit('no')",
            "SystemExit",
            "the function called exit('no')",
        ),
        ("fail(KeyboardInterrupt())", "KeyboardInterrupt", ""),
        ("fail(GeneratorExit('g'))", "GeneratorExit", "g"),
        ("fail(StopIteration(1))", "StopIteration", "1"),
    ] {
        let (found, text, _) = worker.fail(&run(expression));
        assert_eq!((found.as_str(), text.as_str()), (name, message));
    }
    assert_eq!(worker.call(&run("1 + 1")), json!(2));
}

#[test]
fn a_result_that_is_not_json_is_told_with_what_it_holds() {
    let (_zygote, mut worker) = app(EVAL);
    for (expression, words) in [
        ("{1, 2}", "a value of type set"),
        ("{'a': [b'x']}", "a value of type bytes"),
        ("{(1, 2): 3}", "not tuple"),
        ("float('nan')", "JSON compliant"),
        ("[float('inf')]", "JSON compliant"),
        ("'\\ud800'", "surrogates not allowed"),
        ("(lambda a: a.append(a) or a)([])", "Circular reference"),
        ("10 ** 5000", "digits"),
    ] {
        let (name, message, _) = worker.fail(&run(expression));
        assert_eq!(name, "Runtime.MarshalError", "{expression}");
        assert!(message.contains(words), "{expression}: {message}");
    }
    // The encoder remembers nothing of a failure: the same list may appear twice again.
    assert_eq!(worker.call(&run("[[], []]")), json!([[], []]));
}

#[test]
fn exhaustion_of_stack_and_memory_is_survived() {
    let (_zygote, mut worker) = app(EVAL);
    let (name, _, trace) = worker.fail(&run("deep()"));
    assert_eq!(name, "RecursionError");
    assert!(
        trace.iter().any(|frame| frame.contains("in deep")),
        "{trace:?}"
    );
    let (name, _, _) = worker.fail(&run("bytearray(1 << 60)"));
    assert_eq!(name, "MemoryError");
    let nested = "[".repeat(100_000);
    let (kind, body) = worker.call_raw(nested.as_bytes());
    assert_eq!(kind, ResponseKind::Error);
    assert!(String::from_utf8_lossy(&body).contains("Runtime.UnmarshalError"));
    assert_eq!(worker.call(&run("'alive'")), json!("alive"));
}

#[test]
fn an_exception_that_cannot_be_described_is_still_told() {
    let text = "class Odd(Exception):\n\
        \x20   def __str__(self): raise SystemExit\n\
        def handler(event, context): raise Odd\n";
    let (_zygote, mut worker) = app(text);
    let (name, message, _) = worker.fail(&json!({}));
    assert_eq!(name, "Odd");
    assert!(message.contains("SystemExit"), "{message}");
}

#[test]
fn error_texts_are_cut_at_their_limits_and_marked() {
    let (_zygote, mut worker) = app(EVAL);
    let (name, message, _) = worker.fail(&run(
        "fail(type('N' * 5000, (Exception,), {})('é' * 100_000))",
    ));
    assert!(name.len() < limit::ERROR_NAME_BYTES + 64, "{}", name.len());
    assert!(
        message.len() < limit::ERROR_CAUSE_BYTES + 64,
        "{}",
        message.len()
    );
    assert!(message.ends_with("… [cut, 200000 bytes in all]"));
}

#[test]
fn a_response_beyond_the_channel_is_refused_with_both_sizes() {
    let zygote = Zygote::loaded(&[("app.py", EVAL)], "app.handler");
    let mut worker = Worker::fork_with(&zygote, 1, 4096);
    let (name, message, _) = worker.fail(&run("'x' * 4095"));
    assert_eq!(name, "Runtime.ResponseTooLarge");
    assert!(
        message.contains("4097 bytes") && message.contains("4096 bytes"),
        "{message}"
    );
    assert_eq!(worker.call(&run("'x' * 4094")), json!("x".repeat(4094)));
}

#[test]
fn an_error_beyond_the_channel_is_cut_until_it_fits() {
    let zygote = Zygote::loaded(&[("app.py", EVAL)], "app.handler");
    let mut worker = Worker::fork_with(&zygote, 1, 4096);
    let (name, message, _) = worker.fail(&run("fail(OSError('\\0' * 50_000))"));
    assert_eq!(name, "OSError");
    assert!(message.contains("[cut, "), "{message}");
}

#[test]
fn a_request_that_is_not_json_is_an_error_and_not_an_end() {
    let (_zygote, mut worker) = app("def handler(event, context): return event");
    for bytes in [
        &b""[..],
        b"{",
        b"[1] 2",
        b"NaN",
        b"-Infinity",
        b"\xff\xfe",
        b"'a'",
    ] {
        let (kind, body) = worker.call_raw(bytes);
        assert_eq!(kind, ResponseKind::Error, "{bytes:?}");
        let error: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(error["errorType"], "Runtime.UnmarshalError", "{bytes:?}");
    }
    assert_eq!(worker.call(&json!(1)), json!(1));
}

#[test]
fn a_request_longer_than_its_area_is_refused() {
    let (_zygote, mut worker) = app("def handler(event, context): return event");
    let lie = |channel: &Channel| {
        channel.put(channel::REQUEST_LENGTH_AT, &u64::MAX.to_le_bytes());
    };
    // The length is read after the sequence word: lie first, then post only the word's change.
    worker.call(&json!(1));
    lie(&worker.channel);
    worker
        .channel
        .put(channel::REQUEST_SEQUENCE_AT, &2u32.to_le_bytes());
    let (kind, body) = worker
        .channel
        .answer(2, std::time::Duration::from_secs(20))
        .unwrap();
    assert_eq!(kind, ResponseKind::Error);
    assert!(String::from_utf8_lossy(&body).contains("more bytes than the channel holds"));
}

#[test]
fn the_context_tells_only_what_is_known() {
    let text = "import time\n\
        def handler(event, context):\n\
        \x20   try: left = context.get_remaining_time_in_millis()\n\
        \x20   except NotImplementedError: left = None\n\
        \x20   return [context.function_name, left, context.aws_request_id, time.monotonic_ns()]\n";
    let (_zygote, mut worker) = app(text);
    let first = worker.call(&json!({}));
    assert_eq!(first[0], json!("function"));
    assert_eq!(first[1], json!(null), "a deadline that nobody told");
    let deadline = first[3].as_u64().unwrap() + 100_000_000_000;
    worker
        .channel
        .put(channel::REQUEST_DEADLINE_AT, &deadline.to_le_bytes());
    let second = worker.call(&json!({}));
    let left = second[1].as_u64().unwrap();
    assert!((90_000..=100_000).contains(&left), "{left}");
    assert_ne!(first[2], second[2], "two calls have the same request id");
    assert_eq!(first[2].as_str().unwrap().len(), 36);
}

#[test]
fn each_heartbeat_changes_the_channels_word() {
    let text = "def handler(event, context):\n\
        \x20   for _ in range(event): context.heartbeat()\n\
        \x20   return event\n";
    let (_zygote, mut worker) = app(text);
    for (beats, word) in [(0, 0u32), (3, 3), (0, 3), (1, 4)] {
        assert_eq!(worker.call(&json!(beats)), json!(beats));
        let found: [u8; 4] = worker.channel.get(channel::HEARTBEAT_AT);
        assert_eq!(u32::from_le_bytes(found), word);
    }
    let full = u32::MAX.to_le_bytes();
    worker.channel.put(channel::HEARTBEAT_AT, &full);
    worker.call(&json!(1));
    assert_eq!(worker.channel.get(channel::HEARTBEAT_AT), [0; 4]);
}

#[test]
fn state_of_a_module_stays_warm_between_calls() {
    let text =
        "calls = 0\ndef handler(event, context):\n    global calls; calls += 1; return calls";
    let (_zygote, mut worker) = app(text);
    assert_eq!(worker.call(&json!({})), json!(1));
    assert_eq!(worker.call(&json!({})), json!(2));
}

#[test]
fn a_warm_call_takes_far_less_than_a_millisecond() {
    let (_zygote, mut worker) = app("def handler(event, context): return event");
    let mut times: Vec<_> = (0..300)
        .map(|_| {
            let since = Instant::now();
            worker.call_raw(b"{\"a\":1}");
            since.elapsed()
        })
        .collect();
    times.sort();
    let median = times[times.len() / 2];
    println!("median of a warm call with its two wakes: {median:?}");
    assert!(median.as_micros() < 1000, "{median:?}");
}
