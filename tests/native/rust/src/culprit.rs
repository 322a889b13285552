//! A function that does what its event says.

#![expect(unsafe_code, reason = "a function that touches what it may not")]

use keylane::{Context, Error, Event, RawJson, Response};
use serde_json::{Value, json};
use std::cell::Cell;
use std::hint::black_box;
use std::io::Write;
use std::time::Duration;

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

/// Does what its event says; every other event answers "fine".
#[keylane::function(export = "culprit")]
fn culprit(event: Event, context: &Context<'_>) -> Result<Response, Error> {
    match event.as_str().unwrap_or_default() {
        "error" => Err(Error::new("NoSuchTrade", "trade 7 is not there")),
        "parse" => Ok(json!("x".parse::<i32>()?)),
        "reserved" => Err(Error::new("States.Timeout", "not yours")),
        "panic" => panic!("no trade {}", 7),
        "index" => Ok(json!(Vec::<u8>::new()[black_box(3)])),
        "abort" => std::process::abort(),
        "exit" => std::process::exit(3),
        "segfault" => {
            let nowhere = black_box(16 as *mut u8);
            // SAFETY: none: this is the crash that the test wants.
            unsafe { nowhere.write_volatile(1) };
            Ok(Value::Null)
        }
        "overflow" => Ok(json!(deeper(black_box(0)))),
        "spin" => loop {
            black_box(());
        },
        "sleep" => {
            std::thread::sleep(Duration::from_secs(3600));
            Ok(Value::Null)
        }
        "threads" => {
            let threads: Vec<_> = (0..8_u64)
                .map(|n| {
                    std::thread::spawn(move || {
                        CALLS.set(CALLS.get() + n);
                        CALLS.get()
                    })
                })
                .collect();
            let sum: u64 = threads.into_iter().map(|t| t.join().unwrap()).sum();
            Ok(json!([sum, CALLS.get()]))
        }
        "thread panic" => {
            let joined = std::thread::spawn(|| panic!("in a thread")).join();
            Ok(json!(joined.is_err()))
        }
        "count" => {
            CALLS.set(CALLS.get() + 1);
            Ok(json!(CALLS.get()))
        }
        "remaining" => Ok(json!(context.remaining().map(|left| left.as_secs()))),
        "print" => {
            print!("printed by rust");
            let _written = std::io::stderr().write_all(b"warned by rust\n");
            Ok(Value::Null)
        }
        "nan" => Ok(json!(f64::NAN)),
        _ => Ok(json!("fine")),
    }
}

fn deeper(depth: u64) -> u64 {
    let room = black_box([depth; 512]);
    if depth == u64::MAX {
        return 0;
    }
    deeper(depth + 1) + room[3]
}

/// Answers with the bytes of its event, unread, or with bytes that are no JSON.
#[keylane::function(export = "raw")]
fn raw(event: RawJson, _context: &Context<'_>) -> Result<RawJson, Error> {
    if event.0 == b"\"not json\"" {
        return Ok(RawJson(b"{'a': 1}".to_vec()));
    }
    Ok(event)
}

/// Takes a list of numbers and nothing else.
#[keylane::function(export = "sum")]
fn sum(numbers: Vec<i64>, _context: &Context<'_>) -> Result<i64, Error> {
    Ok(numbers.iter().sum())
}
