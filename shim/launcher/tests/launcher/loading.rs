//! How a function is loaded, and what is said when it cannot be.

use crate::lane::Worker;
use crate::spawner::Zygote;
use keylane_policy::abi::message::FromZygote;
use serde_json::json;

/// Class name, message and trace of a load that fails; the launcher must exit with status 1.
fn failure(files: &[(&str, &str)], handler: &str) -> (String, String, String) {
    failure_with(files, handler, &[])
}

fn failure_with(
    files: &[(&str, &str)],
    handler: &str,
    environment: &[(&str, &str)],
) -> (String, String, String) {
    let mut zygote = Zygote::start_with(files, handler, environment);
    let FromZygote::LoadFailed {
        error_type,
        message,
        trace,
    } = zygote.receive().0
    else {
        panic!("the launcher did not say that the load failed");
    };
    assert_eq!(zygote.remains().status.code(), Some(1));
    (error_type, message, trace)
}

#[test]
fn a_handler_in_a_package_is_found() {
    let files = [
        ("pkg/__init__.py", ""),
        ("pkg/inner.py", "def handler(event, context): return event"),
    ];
    let zygote = Zygote::loaded(&files, "pkg.inner.handler");
    assert_eq!(Worker::fork(&zygote, 1).call(&json!([1])), json!([1]));
}

#[test]
fn a_syntax_error_is_told_with_its_line() {
    let files = [(
        "app.py",
        "import json\n\ndef handler(event, context)\n    pass\n",
    )];
    let (name, message, trace) = failure(&files, "app.handler");
    assert_eq!(name, "SyntaxError");
    assert!(message.contains("app.py, line 3"), "{message}");
    assert!(trace.contains("def handler(event, context)"), "{trace}");
}

#[test]
fn an_exception_at_import_is_told_with_the_functions_frames_only() {
    let files = [
        ("app.py", "import helper\ndef handler(e, c): pass\n"),
        ("helper.py", "\n\nraise LookupError('no table')\n"),
    ];
    let (name, message, trace) = failure(&files, "app.handler");
    assert_eq!(
        (name.as_str(), message.as_str()),
        ("LookupError", "no table")
    );
    assert!(trace.contains("app.py\", line 1"), "{trace}");
    assert!(trace.contains("helper.py\", line 3"), "{trace}");
    assert!(!trace.contains("keylane>"), "{trace}");
}

#[test]
fn exit_at_import_is_told_as_such() {
    let (name, message, _) = failure(&[("app.py", "import sys\nsys.exit(7)\n")], "app.handler");
    assert_eq!(name, "SystemExit");
    assert_eq!(message, "the module called exit(7) while it was imported");
}

#[test]
fn a_missing_handler_is_told_with_what_the_module_defines() {
    let text = "from json import dumps\ndef handle(e, c): pass\ndef main(p): pass\n";
    let (name, message, _) = failure(&[("app.py", text)], "app.handler");
    assert_eq!(name, "HandlerNotFound");
    assert_eq!(
        message,
        "module 'app' has no 'handler'; it defines: handle, main"
    );
}

#[test]
fn a_missing_module_is_told_with_what_the_tree_holds() {
    let files = [("app.py", ""), ("pkg/__init__.py", "")];
    let (name, message, _) = failure(&files, "ap.handler");
    assert_eq!(name, "ModuleNotFoundError");
    assert_eq!(
        message,
        "No module named 'ap'; the function's tree holds: app, pkg"
    );
}

#[test]
fn a_missing_import_of_the_module_is_not_taken_for_the_module() {
    let (name, message, trace) = failure(&[("app.py", "import nowhere")], "app.handler");
    assert_eq!(name, "ModuleNotFoundError");
    assert_eq!(message, "No module named 'nowhere'");
    assert!(trace.contains("app.py\", line 1"), "{trace}");
}

#[test]
fn a_handler_that_cannot_be_called_with_an_event_is_refused() {
    for (text, name, words) in [
        ("handler = 3", "HandlerUnusable", "of type int"),
        ("def handler(): pass", "HandlerUnusable", "from 0 to 0"),
        (
            "def handler(a, b, c): pass",
            "HandlerUnusable",
            "from 3 to 3",
        ),
        (
            "async def handler(e, c): pass",
            "HandlerUnusable",
            "asynchronous",
        ),
        ("def handler(e, *, need): pass", "HandlerUnusable", "'need'"),
    ] {
        let (found, message, _) = failure(&[("app.py", text)], "app.handler");
        assert_eq!(found, name, "{text}");
        assert!(message.contains(words), "{text}: {message}");
    }
    let (found, message, _) = failure(&[("app.py", "")], "handler");
    assert_eq!(found, "HandlerNotFound");
    assert!(message.contains("module.function"), "{message}");
}

#[test]
fn a_missing_libpython_is_told_with_the_package_that_holds_it() {
    // The loader takes the first file of that name, and this one is no library.
    let files = [("libpython3.11.so.1.0", "not a library")];
    let directory = crate::tree::Tree::with(&files);
    let path = directory.path().to_str().unwrap();
    let (name, message, _) = failure_with(
        &[("app.py", "")],
        "app.handler",
        &[("LD_LIBRARY_PATH", path)],
    );
    assert_eq!(name, "PythonMissing");
    assert!(message.contains("libpython3.11.so.1.0"), "{message}");
    assert!(
        message.contains("Debian package libpython3.11"),
        "{message}"
    );
}

#[test]
fn a_python_thread_that_outlives_the_import_is_refused_by_its_name() {
    let text = "import threading, time\n\
        threading.Thread(target=time.sleep, args=(60,), name='poller', daemon=True).start()\n\
        def handler(e, c): pass\n";
    let (name, message, _) = failure(&[("app.py", text)], "app.handler");
    assert_eq!(name, "ThreadsAtImport");
    assert!(
        message.contains("'app'") && message.contains("poller"),
        "{message}"
    );
}

#[test]
fn a_native_thread_that_outlives_the_import_is_refused() {
    // A thread that Python knows nothing of, made by pthread_create with pause() as its body.
    let text = "import ctypes\n\
        c = ctypes.CDLL(None)\n\
        t = ctypes.c_ulong()\n\
        assert c.pthread_create(ctypes.byref(t), None, c.pause, None) == 0\n\
        def handler(e, k): pass\n";
    let (name, message, _) = failure(&[("app.py", text)], "app.handler");
    assert_eq!(name, "ThreadsAtImport");
    assert!(message.contains("native library"), "{message}");
}

#[test]
fn a_thread_that_is_joined_before_the_import_ends_is_no_obstacle() {
    let text = "import threading\n\
        t = threading.Thread(target=print); t.start(); t.join()\n\
        def handler(e, c): return 1\n";
    let zygote = Zygote::loaded(&[("app.py", text)], "app.handler");
    assert_eq!(Worker::fork(&zygote, 1).call(&json!({})), json!(1));
}

#[test]
fn the_interpreter_is_isolated_and_finds_its_library_without_the_environment() {
    let text = "import sys\n\
        def handler(e, c):\n\
        \x20   f = sys.flags\n\
        \x20   return [f.isolated, f.no_site, f.dont_write_bytecode, f.utf8_mode, sys.path]\n";
    let hostile = [
        ("PYTHONPATH", "/nowhere"),
        ("PYTHONHOME", "/nowhere"),
        ("LANG", "C"),
    ];
    let zygote = Zygote::start_with(&[("app.py", text)], "app.handler", &hostile);
    assert_eq!(zygote.receive().0, FromZygote::Loaded);
    let got = Worker::fork(&zygote, 1).call(&json!({}));
    assert_eq!(
        got.as_array().unwrap()[..4],
        [json!(1), json!(1), json!(1), json!(1)]
    );
    let path: Vec<_> = got[4].as_array().unwrap().iter().skip(1).collect();
    assert_eq!(
        path,
        [
            "/usr/lib/python311.zip",
            "/usr/lib/python3.11",
            "/usr/lib/python3.11/lib-dynload"
        ]
    );
}

#[test]
fn loading_leaves_no_bytecode_in_the_tree() {
    let text = "import helper, os\n\
        def handler(e, c): return sorted(os.listdir('.'))\n";
    let files = [("app.py", text), ("helper.py", "")];
    let zygote = Zygote::loaded(&files, "app.handler");
    let listed = Worker::fork(&zygote, 1).call(&json!({}));
    assert_eq!(listed, json!(["app.py", "helper.py"]));
}

#[test]
fn a_huge_load_error_still_fits_a_message() {
    let text = "raise ValueError('x' * 10_000_000)";
    let (name, message, _) = failure(&[("app.py", text)], "app.handler");
    assert_eq!(name, "ValueError");
    assert!(
        message.len() > 10_000 && message.len() < 40_000,
        "{}",
        message.len()
    );
}

#[test]
fn the_modules_own_output_and_descriptors_are_as_the_spawner_gave_them() {
    let text = "import os, sys\n\
        print('loading')\n\
        print('care', file=sys.stderr)\n\
        fds = sorted(int(f) for f in os.listdir('/proc/self/fd'))\n\
        def handler(e, c): return fds\n";
    let zygote = Zygote::loaded(&[("app.py", text)], "app.handler");
    let mut worker = Worker::fork(&zygote, 1);
    // 4 is the listing's own descriptor.
    assert_eq!(worker.call(&json!({})), json!([0, 1, 2, 3, 4]));
    let remains = zygote.finish();
    assert_eq!(remains.output, "loading\n");
    assert_eq!(remains.errors, "care\n");
    assert!(remains.status.success());
}
