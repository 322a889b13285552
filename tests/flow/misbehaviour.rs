//! Functions that misbehave: each ends in one clear line, and the next input works.

use keylane_tests::project::Project;
use keylane_tests::{Said, deadline, finish_with, keylane};
use serde_json::Value;

/// A function of which the event "bad" runs `body`; every other event answers "fine".
fn project(body: &str, settings: &str) -> Project {
    let body: String = body
        .lines()
        .map(|line| format!("        {line}\n"))
        .collect();
    let source = format!(
        "import ctypes, os, signal, socket, sys, threading, time\n\
         def handler(event, context):\n    if event == 'bad':\n{body}    return 'fine'\n"
    );
    let project = Project::sequence(&[("culprit", &source)]);
    project.append(settings);
    project
}

/// Runs a good, a bad and two good inputs through one deployment; the good ones must succeed.
#[track_caller]
fn misbehave(body: &str, settings: &str) -> (Said, Value) {
    let project = project(body, settings);
    let mut command = keylane([
        "run",
        project.arg(),
        "--stream",
        "--json",
        "-q",
        "--lanes",
        "1",
    ]);
    let said = finish_with(&mut command, b"\"good\"\n\"bad\"\n\"good\"\n\"good\"\n");
    let reports = said.reports();
    assert_eq!(reports.len(), 4, "{said:#?}");
    for at in [0, 2, 3] {
        assert_eq!(
            reports[at]["output"], "fine",
            "input {at}, beside the bad one, suffers: {said:#?}"
        );
    }
    (said, reports[1].clone())
}

/// That the bad input fails with `error`, in one line that names the function and says `cause`.
#[track_caller]
fn fails(body: &str, settings: &str, error: &str, cause: &str) {
    let (said, report) = misbehave(body, settings);
    said.expect_code(1);
    assert_eq!(report["status"], "failed");
    assert_eq!(report["error"]["error"], error, "{report}");
    assert_eq!(report["error"]["blame"], "function", "{report}");
    assert_eq!(report["error"]["function"], "culprit", "{report}");
    let line = said.failure();
    assert_eq!(
        said.first_line(),
        line,
        "something comes before the failure: {said:#?}"
    );
    for part in [
        "function \"culprit\"",
        error,
        cause,
        "fault of the function",
    ] {
        assert!(
            line.contains(part),
            "the line does not say {part:?}: {line}"
        );
    }
}

/// That the bad input succeeds with `output`, and nothing is said.
#[track_caller]
fn survives(body: &str, settings: &str, output: &Value) {
    let (said, report) = misbehave(body, settings);
    said.expect_code(0);
    assert_eq!(&report["output"], output);
    assert_eq!(said.err, "");
}

#[test]
fn an_exception_is_told_by_its_name_and_message() {
    fails(
        "raise KeyError('no such share')",
        "",
        "KeyError",
        "no such share",
    );
}

#[test]
fn an_exception_shows_the_line_that_raised_it() {
    let (said, _) = misbehave("x = 1\nreturn x / 0", "");
    assert!(
        said.err.contains("culprit.py\", line 5, in handler"),
        "{}",
        said.err
    );
}

#[test]
fn a_result_that_is_not_a_number_is_told() {
    fails(
        "return float('nan')",
        "",
        "Runtime.MarshalError",
        "not JSON compliant",
    );
}

#[test]
fn a_result_of_a_foreign_type_is_told() {
    fails(
        "return object()",
        "",
        "Runtime.MarshalError",
        "type object is not JSON",
    );
}

#[test]
fn a_result_that_contains_itself_is_told() {
    fails(
        "x = []\nx.append(x)\nreturn x",
        "",
        "Runtime.MarshalError",
        "cannot be sent",
    );
}

#[test]
fn a_result_nested_deeper_than_a_parser_can_bear_is_told() {
    fails(
        "x = []\nfor _ in range(200): x = [x]\nreturn x",
        "",
        "Keylane.InvalidResult",
        "not JSON",
    );
}

#[test]
fn a_polite_exit_is_told() {
    fails("sys.exit(3)", "", "SystemExit", "exit(3)");
}

#[test]
fn a_hard_exit_is_told_with_its_status() {
    fails("os._exit(3)", "", "Lambda.Unknown", "exited with status 3");
}

#[test]
fn a_crash_is_told_with_its_signal() {
    fails("ctypes.string_at(0)", "", "Lambda.Unknown", "SIGSEGV");
}

#[test]
fn an_abort_is_told_with_a_signal() {
    // The filter keeps abort() from signalling itself; it then ends on an instruction that traps.
    fails("os.abort()", "", "Lambda.Unknown", "ended by signal");
}

#[test]
fn an_endless_loop_is_ended_at_its_timeout() {
    fails(
        "while True: pass",
        &format!("timeout = {}\n", deadline(1)),
        "States.Timeout",
        &format!("within {}.000 s", deadline(1)),
    );
}

#[test]
fn a_loop_that_ignores_every_signal_is_ended_at_its_timeout() {
    fails(
        "for n in range(1, 64):\n    try: signal.signal(n, signal.SIG_IGN)\n    except \
         (OSError, ValueError): pass\nwhile True: pass",
        &format!("timeout = {}\n", deadline(1)),
        "States.Timeout",
        &format!("within {}.000 s", deadline(1)),
    );
}

#[test]
fn an_endless_sleep_is_ended_at_its_timeout() {
    fails(
        "time.sleep(10000)",
        &format!("timeout = {}\n", deadline(1)),
        "States.Timeout",
        &format!("within {}.000 s", deadline(1)),
    );
}

#[test]
fn exhausted_memory_is_told() {
    fails(
        "kept = []\nwhile True: kept.append(bytearray(1 << 20))",
        "memory = \"256MiB\"\n",
        "MemoryError",
        "out of memory",
    );
}

#[test]
fn an_endless_recursion_is_told() {
    fails(
        "return handler(event, context)",
        "",
        "RecursionError",
        "recursion depth",
    );
}

#[test]
fn an_overflown_stack_of_native_code_is_told() {
    // A callback that calls itself: each turn takes native stack and no Python check counts it.
    fails(
        "sys.setrecursionlimit(1 << 30)\ndef deep(): return sorted([0, 1], key=lambda _: \
         deep())\nreturn deep()",
        "",
        "Lambda.Unknown",
        "SIGSEGV",
    );
}

#[test]
fn a_flood_of_output_is_read_and_harms_nobody() {
    survives(
        "for _ in range(20000): print('x' * 1000)\nreturn 'done'",
        "timeout = 600\n",
        &Value::from("done"),
    );
}

#[test]
fn descriptors_that_a_function_closes_are_its_own_loss() {
    let (said, report) = misbehave("os.closerange(0, 4096)\nreturn 'closed'", "");
    // Its liveness socket is among them: its lane may find it gone before it has its answer.
    let answered = report["output"] == "closed";
    let told = report["error"]["error"] == "Lambda.Unknown" && said.failures().len() == 1;
    assert!(answered || told, "{report}");
}

#[test]
fn a_function_that_closes_its_descriptors_and_stays_holds_its_lane_no_longer_than_its_deadline() {
    let (said, report) = misbehave("os.closerange(0, 4096)\ntime.sleep(1000)", "timeout = 1\n");
    assert_eq!(report["error"]["error"], "Lambda.Unknown", "{report}");
    assert_eq!(said.failures().len(), 1);
    // Nobody tells the end of a process that lives; the lane would wait for that word for five seconds.
    let called = report["functions"][0]["longest_ns"].as_u64().unwrap();
    assert!(called < 4_500_000_000, "{called} ns");
}

#[test]
fn processes_and_threads_that_a_function_leaves_harm_nobody() {
    survives(
        "for _ in range(5):\n    if os.fork() == 0:\n        while True: \
         time.sleep(1000)\nfor _ in range(5): threading.Thread(target=time.sleep, \
         args=(1000,)).start()\nreturn 'left'",
        "",
        &Value::from("left"),
    );
}

#[test]
fn an_orphan_that_ends_takes_nobody_along() {
    // Its parent is gone, so the function's tiny init reaps it, and must not take its end for the
    // end of the function.
    survives(
        "if os.fork() == 0:\n    if os.fork() == 0: time.sleep(0.1)\n    os._exit(0)\nos.wait()\n\
         time.sleep(1)\nreturn 'stayed'",
        "",
        &Value::from("stayed"),
    );
}

#[test]
fn garbage_on_every_descriptor_is_told() {
    fails(
        "for fd in range(3, 256):\n    try: os.write(fd, b'garbage' * 100)\n    except OSError: \
         pass\ntime.sleep(1000)",
        "",
        "Lambda.Unknown",
        "wrote to the socket by which its lane sees that its process lives",
    );
}

#[test]
fn error_names_of_the_platform_cannot_be_raised() {
    for name in [
        "States.Timeout",
        "States.ALL",
        "Lambda.Unknown",
        "Keylane.WorkerFailed",
    ] {
        fails(
            &format!("raise type({name:?}, (Exception,), {{}})('believe me')"),
            "",
            "Keylane.ReservedErrorName",
            name,
        );
    }
}

#[test]
fn an_exception_whose_text_fails_is_told() {
    fails(
        "class Odd(Exception):\n    def __str__(self): raise RuntimeError('no')\nraise Odd()",
        "",
        "Odd",
        "cannot be had",
    );
}

#[test]
fn words_of_a_function_paint_no_terminal_and_forge_no_line() {
    let (said, _) = misbehave(
        "raise ValueError('\\x1b[2J\\u202e\\nkeylane: run x: all is well')",
        "",
    );
    assert!(
        !said.err.contains(['\u{1b}', '\u{202e}', '\r']),
        "{:?}",
        said.err
    );
    assert_eq!(said.failures().len(), 1, "{}", said.err);
}

#[test]
fn a_fork_bomb_ends_at_the_functions_own_limit() {
    fails(
        "while True: os.fork()",
        "processes = 32\n",
        "BlockingIOError",
        "",
    );
}

#[test]
fn a_thread_bomb_ends_at_the_functions_own_limit() {
    fails(
        "while True: threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()",
        "processes = 32\n",
        "RuntimeError",
        "start new thread",
    );
}

#[test]
fn descriptors_end_at_the_functions_own_limit() {
    fails(
        "while True: os.dup(1)",
        "descriptors = 64\n",
        "OSError",
        "Too many open files",
    );
}
