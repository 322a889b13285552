//! Functions in C under the launcher of native functions.

use crate::compiler;
use crate::lane::Worker;
use crate::spawner::Zygote;
use crate::tree::Tree;
use keylane_abi::{Context, Response, Text};
use keylane_policy::abi::channel::{self, ResponseKind};
use keylane_policy::abi::message::{Ended, FromZygote};
use serde_json::json;
use std::collections::HashSet;
use std::mem::offset_of;
use std::process::Command;

const ECHO: &str = "KEYLANE_FUNCTION(context, event, length, response) {\n\
    (void)context;\n\
    return keylane_result(response, event, length);\n}\n";

fn app(source: &str) -> (Zygote, Worker) {
    let zygote = Zygote::native(source);
    let worker = Worker::fork(&zygote, 1);
    (zygote, worker)
}

/// A function whose body is this.
fn function(body: &str) -> String {
    format!(
        "KEYLANE_FUNCTION(context, event, length, response) {{\n\
         (void)context; (void)event; (void)length; (void)response;\n{body}\n}}\n"
    )
}

fn failure(source: &str, handler: &str) -> (String, String) {
    let mut zygote = Zygote::start_native(source, handler);
    let (
        FromZygote::LoadFailed {
            error_type,
            message,
            ..
        },
        _,
    ) = zygote.receive()
    else {
        panic!("the load did not fail");
    };
    assert_eq!(zygote.remains().status.code(), Some(1));
    (error_type, message)
}

#[test]
fn the_header_and_the_rust_types_agree_on_every_size_and_offset() {
    let fields = [
        ("context", "abi", offset_of!(Context, abi)),
        ("context", "size", offset_of!(Context, size)),
        (
            "context",
            "function_name",
            offset_of!(Context, function_name),
        ),
        ("context", "deadline_ns", offset_of!(Context, deadline_ns)),
        (
            "context",
            "response_limit",
            offset_of!(Context, response_limit),
        ),
        ("context", "heartbeat", offset_of!(Context, heartbeat)),
        ("text", "data", offset_of!(Text, data)),
        ("text", "length", offset_of!(Text, length)),
        ("text", "release", offset_of!(Text, release)),
        ("response", "result", offset_of!(Response, result)),
        ("response", "error_name", offset_of!(Response, error_name)),
        (
            "response",
            "error_message",
            offset_of!(Response, error_message),
        ),
        ("response", "error_trace", offset_of!(Response, error_trace)),
    ];
    let mut program = "#include \"keylane.h\"\n#include <stdio.h>\nint main(void) {\n".to_owned();
    let mut wanted = format!(
        "{} {} {} {}\n",
        size_of::<Context>(),
        size_of::<Text>(),
        size_of::<Response>(),
        keylane_abi::VERSION
    );
    program.push_str(
        "printf(\"%zu %zu %zu %u\\n\", sizeof(keylane_context), sizeof(keylane_text), \
         sizeof(keylane_response), keylane_abi);\n",
    );
    for (structure, field, offset) in fields {
        program.push_str(&format!(
            "printf(\"%zu\\n\", offsetof(keylane_{structure}, {field}));\n"
        ));
        wanted.push_str(&format!("{offset}\n"));
    }
    program.push_str("return 0; }\n");
    let folder = Tree::with(&[("layout.c", &program)]);
    let binary = folder.path().join("layout");
    compiler::compile(&folder.path().join("layout.c"), &binary, &[]);
    let said = Command::new(binary).output().unwrap();
    assert_eq!(String::from_utf8(said.stdout).unwrap(), wanted);
}

#[test]
fn each_heartbeat_changes_the_channels_word() {
    let source = function(
        "for (long beats = strtol(event, NULL, 10); beats > 0; beats--) keylane_heartbeat(context);\n\
         return keylane_result(response, event, length);",
    );
    let (_zygote, mut worker) = app(&source);
    for (beats, word) in [(0, 0u32), (3, 3), (0, 3), (1, 4)] {
        assert_eq!(worker.call(&json!(beats)), json!(beats));
        let found: [u8; 4] = worker.channel.get(channel::HEARTBEAT_AT);
        assert_eq!(u32::from_le_bytes(found), word);
    }
}

#[test]
fn an_event_comes_back_byte_for_byte() {
    let (_zygote, mut worker) = app(ECHO);
    for event in [" {\"a\" : [1,  2.50, \"\\u00e9\"]}\n", "\"grüße\"", "0"] {
        let answer = worker.call_raw(event.as_bytes());
        assert_eq!(answer, (ResponseKind::Result, event.as_bytes().to_vec()));
    }
}

#[test]
fn the_event_ends_with_a_nul_and_may_be_changed_and_answered_in_place() {
    let source = function(
        "for (size_t i = 0; i < strlen(event); i++) if (event[i] == 'a') event[i] = 'b';\n\
         response->result.data = event;\n\
         response->result.length = strlen(event);\n\
         response->result.release = keylane_keep;\n\
         return KEYLANE_RESULT;",
    );
    let (_zygote, mut worker) = app(&source);
    let text = "a".repeat(300_000);
    assert_eq!(worker.call(&json!(text)), json!("b".repeat(300_000)));
    assert_eq!(worker.call(&json!("abc")), json!("bbc"));
}

#[test]
fn a_function_without_a_result_answers_null() {
    let (_zygote, mut worker) = app(&function("return KEYLANE_RESULT;"));
    assert_eq!(worker.call(&json!(1)), json!(null));
}

#[test]
fn the_context_tells_name_deadline_and_limit() {
    let source = function(
        "char *text = malloc(100);\n\
         if (context->abi != KEYLANE_ABI || context->size != sizeof *context) return 9;\n\
         int n = snprintf(text, 100, \"[\\\"%s\\\", %d, %lu]\", context->function_name,\n\
         keylane_remaining_ns(context) == UINT64_MAX, context->response_limit);\n\
         return keylane_result_owned(response, text, (size_t)n);",
    );
    let (_zygote, mut worker) = app(&source);
    assert_eq!(
        worker.call(&json!(0)),
        json!(["function", 1, crate::lane::CAPACITY])
    );
}

#[test]
fn an_error_is_told_by_its_name_its_message_and_its_trace() {
    let source = function(
        "keylane_constant(&response->error_trace, \"f.c:7\\nf.c:9\\n\");\n\
         return keylane_error(response, \"NoSuchTrade\", \"trade \\\"7\\\"\");",
    );
    let (_zygote, mut worker) = app(&source);
    let trace = vec!["f.c:7".to_owned(), "f.c:9".to_owned()];
    let told = ("NoSuchTrade".to_owned(), "trade \"7\"".to_owned(), trace);
    assert_eq!(worker.fail(&json!(0)), told);
    // And the worker goes on.
    assert_eq!(worker.fail(&json!(0)), told);
}

#[test]
fn a_result_that_is_too_large_is_an_error_and_the_next_call_goes_on() {
    let source = function(
        "size_t size = event[0] == '1' ? 2u << 20 : 10;\n\
         char *text = malloc(size);\n\
         memset(text, '1', size);\n\
         return keylane_result_owned(response, text, size);",
    );
    let (_zygote, mut worker) = app(&source);
    let (name, message, _) = worker.fail(&json!(1));
    assert_eq!(name, "Runtime.ResponseTooLarge");
    assert!(message.contains("2097152 bytes"), "{message}");
    assert_eq!(worker.call(&json!(0)), json!(1_111_111_111));
}

#[test]
fn what_is_handed_over_is_taken_back_once() {
    let source = format!(
        "static int out;\n\
         static void back(void *data, size_t length) {{ (void)length; out--; free(data); }}\n\
         static void give(keylane_text *text, size_t size) {{\n\
             out++; text->data = malloc(size); memset(text->data, '2', size);\n\
             text->length = size; text->release = back;\n}}\n{}",
        function(
            "if (out != 0) abort();\n\
             give(&response->error_message, 50000);\n\
             give(&response->result, 3);\n\
             return event[0] == '1' ? KEYLANE_ERROR : KEYLANE_RESULT;"
        )
    );
    let (_zygote, mut worker) = app(&source);
    for round in 0..100 {
        if round % 2 == 0 {
            assert_eq!(worker.call(&json!(0)), json!(222));
        } else {
            assert_eq!(worker.fail(&json!(1)).0, "Error");
        }
    }
}

#[test]
fn a_constructor_runs_once_before_the_forks_and_each_worker_has_a_copy_of_what_it_left() {
    let source = format!(
        "static int calls = 40;\n\
         __attribute__((constructor)) static void load(void) {{ calls = 100; puts(\"loading\"); }}\n{}",
        function(
            "char text[20];\n\
             int n = snprintf(text, sizeof text, \"%d\", ++calls);\n\
             return keylane_result(response, text, (size_t)n);"
        )
    );
    let zygote = Zygote::native(&source);
    let mut one = Worker::fork(&zygote, 1);
    let mut two = Worker::fork(&zygote, 2);
    assert_eq!(one.call(&json!(0)), json!(101));
    assert_eq!(one.call(&json!(0)), json!(102));
    assert_eq!(two.call(&json!(0)), json!(101));
    drop((one.liveness, two.liveness));
    assert_eq!(one.output.text(), "");
    assert_eq!(zygote.finish().output, "loading\n");
}

#[test]
fn output_goes_through_the_workers_own_pipes_and_is_there_when_the_call_ends() {
    let source = function("printf(\"out\"); fprintf(stderr, \"err\"); return KEYLANE_RESULT;");
    let (zygote, mut worker) = app(&source);
    worker.call(&json!(0));
    // Killed: nothing is left that could write later.
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(worker.id),
        nix::sys::signal::Signal::SIGKILL,
    )
    .unwrap();
    assert_eq!(worker.output.text(), "out");
    assert_eq!(worker.errors.text(), "err");
    assert_eq!(zygote.finish().output, "");
}

#[test]
fn threads_and_thread_local_storage_work_in_a_call() {
    let source = format!(
        "static __thread int mine = 7;\n\
         static void *work(void *at) {{ mine += *(int *)at; *(int *)at = mine; return NULL; }}\n{}",
        function(
            "pthread_t threads[8]; int at[8]; long sum = 0; char text[20];\n\
             for (int i = 0; i < 8; i++) { at[i] = i; if (pthread_create(&threads[i], NULL, work, &at[i])) return 9; }\n\
             for (int i = 0; i < 8; i++) { pthread_join(threads[i], NULL); sum += at[i]; }\n\
             if (mine != 7) return 9;\n\
             int n = snprintf(text, sizeof text, \"%ld\", sum);\n\
             return keylane_result(response, text, (size_t)n);"
        )
    );
    let (_zygote, mut worker) = app(&source);
    assert_eq!(worker.call(&json!(0)), json!(8 * 7 + 28));
    assert_eq!(worker.call(&json!(0)), json!(8 * 7 + 28));
}

/// Calls a function that ends its process; what the zygote says of it, and its error output.
fn end_of(body: &str) -> (Ended, String) {
    let (zygote, mut worker) = app(&function(body));
    worker.post(b"0");
    let (told, _) = zygote.receive();
    let FromZygote::WorkerEnded { serial: 1, how } = told else {
        panic!("{told:?}");
    };
    (how, worker.errors.text())
}

#[test]
fn a_crash_ends_the_worker_and_is_told_with_its_address_and_its_frames() {
    let (how, errors) = end_of("*(volatile int *)0x1234 = 1; return 0;");
    assert_eq!(how, Ended::Signaled(libc::SIGSEGV));
    assert!(errors.contains("ends by SIGSEGV at 0x1234"), "{errors}");
    let first = errors.lines().nth(1).unwrap();
    assert!(first.starts_with("./libf.so(keylane_function"), "{errors}");
}

#[test]
fn an_abort_and_a_raised_signal_end_the_worker_and_are_told() {
    let (how, errors) = end_of("abort();");
    assert_eq!(how, Ended::Signaled(libc::SIGABRT));
    assert!(errors.contains("ends by SIGABRT;"), "{errors}");
    assert!(errors.contains("./libf.so("), "{errors}");
    let (how, errors) = end_of("#include <signal.h>\nraise(SIGSEGV); return 0;");
    assert_eq!(how, Ended::Signaled(libc::SIGSEGV));
    assert!(errors.contains("ends by SIGSEGV;"), "{errors}");
}

#[test]
fn an_overflown_stack_ends_the_worker_and_is_told() {
    let (how, errors) = end_of(
        "volatile char room[1024]; room[0] = event[0];\n\
         if (room[0] == 'x') return 0;\n\
         int r = keylane_function(context, event, length, response); return r + room[0];",
    );
    assert!(matches!(how, Ended::Signaled(_)), "{how:?}");
    assert!(errors.contains("ends by SIGSEGV at "), "{errors}");
}

#[test]
fn exit_in_a_call_ends_the_worker_with_its_status() {
    assert_eq!(end_of("exit(7);").0, Ended::Exited(7));
}

#[test]
fn the_first_worker_is_not_the_last() {
    let zygote = Zygote::native(&function("if (event[0] == '1') abort();\nreturn 0;"));
    let mut one = Worker::fork(&zygote, 1);
    one.post(b"1");
    let ended = FromZygote::WorkerEnded {
        serial: 1,
        how: Ended::Signaled(libc::SIGABRT),
    };
    assert_eq!(zygote.receive().0, ended);
    assert_eq!(Worker::fork(&zygote, 2).call(&json!(0)), json!(null));
}

#[test]
fn one_object_holds_several_functions() {
    let source = "KEYLANE_FUNCTION_NAMED(one, c, e, l, r) { (void)c; (void)e; (void)l; return keylane_result(r, \"1\", 1); }\n\
        KEYLANE_FUNCTION_NAMED(two, c, e, l, r) { (void)c; (void)e; (void)l; return keylane_result(r, \"2\", 1); }\n";
    for (handler, wanted) in [("libf.so:one", 1), ("libf.so:two", 2)] {
        let zygote = Zygote::start_native(source, handler);
        assert_eq!(zygote.receive().0, FromZygote::Loaded);
        assert_eq!(Worker::fork(&zygote, 1).call(&json!(0)), json!(wanted));
    }
}

#[test]
fn what_cannot_be_loaded_is_told_with_its_reason_and_without_the_trees_place() {
    let (name, message) = failure(ECHO, "libg.so");
    assert_eq!(name, "LibraryNotLoaded");
    assert!(
        message.contains("./libg.so: cannot open shared object file"),
        "{message}"
    );
    assert!(!message.contains("/tmp"), "{message}");

    let (name, message) = failure(ECHO, "libf.so:sum");
    assert_eq!(name, "HandlerNotFound");
    assert!(
        message.starts_with("libf.so exports no function sum;"),
        "{message}"
    );

    let missing = format!("int nowhere(void);\n{}", function("return nowhere();"));
    let (name, message) = failure(&missing, "libf.so");
    assert_eq!(name, "LibraryNotLoaded");
    assert!(message.contains("undefined symbol: nowhere"), "{message}");
}

#[test]
fn an_object_of_another_version_of_the_interface_is_refused_with_both_versions() {
    let tree = Tree::with(&[(
        "f.c",
        "#include <stdint.h>\nconst uint32_t keylane_abi = 7;\nint keylane_function(void) { return 0; }\n",
    )]);
    let output = tree.path().join("libf.so");
    compiler::compile(&tree.path().join("f.c"), &output, &["-shared", "-fPIC"]);
    let mut zygote = Zygote::start_native_in(tree, "libf.so");
    let (
        FromZygote::LoadFailed {
            error_type,
            message,
            ..
        },
        _,
    ) = zygote.receive()
    else {
        panic!("the load did not fail");
    };
    assert_eq!(zygote.remains().status.code(), Some(1));
    assert_eq!(error_type, "WrongVersion");
    assert!(
        message.contains("speaks version 7") && message.contains("this Keylane 1"),
        "{message}"
    );
}

#[test]
fn an_object_that_is_no_function_of_keylane_is_refused() {
    let tree = Tree::with(&[("f.c", "int keylane_function(void) { return 0; }\n")]);
    let output = tree.path().join("libf.so");
    compiler::compile(&tree.path().join("f.c"), &output, &["-shared", "-fPIC"]);
    let zygote = Zygote::start_native_in(tree, "libf.so");
    let (
        FromZygote::LoadFailed {
            error_type,
            message,
            ..
        },
        _,
    ) = zygote.receive()
    else {
        panic!("the load did not fail");
    };
    assert_eq!(error_type, "HandlerNotFound");
    assert!(message.contains("not built with keylane.h"), "{message}");
}

#[test]
fn a_thread_that_a_constructor_leaves_behind_is_refused() {
    let source = format!(
        "static void *stay(void *a) {{ pause(); return a; }}\n\
         __attribute__((constructor)) static void load(void) {{ pthread_t t; pthread_create(&t, NULL, stay, NULL); }}\n{ECHO}"
    );
    let (name, message) = failure(&source, "libf.so");
    assert_eq!(name, "ThreadsAtLoad");
    assert!(
        message.contains("loading libf.so left threads running"),
        "{message}"
    );
}

#[test]
fn a_native_worker_holds_no_python_and_beside_its_streams_only_its_liveness_socket() {
    // The C library's words for what is loaded, as JSON.
    let source = format!(
        "#include <link.h>\nstatic char names[8192];\n\
         static int note(struct dl_phdr_info *info, size_t size, void *data) {{\n\
         (void)size; (void)data; strcat(names, info->dlpi_name); strcat(names, \" \"); return 0; }}\n{}",
        function(
            "strcpy(names, \"\\\"\"); dl_iterate_phdr(note, NULL);\n\
             int open = 0;\n\
             for (int fd = 3; fd < 100; fd++) open += fcntl(fd, F_GETFD) != -1;\n\
             if (open != 1) strcat(names, \"MORE\");\n\
             strcat(names, \"\\\"\");\n\
             return keylane_result(response, names, strlen(names));"
        )
    );
    let source = format!("#include <fcntl.h>\n{source}");
    let (_zygote, mut worker) = app(&source);
    let loaded = worker.call(&json!(0)).as_str().unwrap().to_owned();
    let names: HashSet<&str> = loaded
        .split_whitespace()
        .map(|path| path.rsplit('/').next().unwrap())
        .collect();
    let mut names: Vec<_> = names.into_iter().collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "ld-linux-x86-64.so.2",
            "libc.so.6",
            "libf.so",
            "libgcc_s.so.1",
            "linux-vdso.so.1"
        ]
    );
}
