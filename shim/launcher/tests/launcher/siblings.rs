//! What workers of one zygote share, and what they must not.

use crate::lane::Worker;
use crate::spawner::Zygote;
use keylane_policy::abi::message::FromZygote;
use serde_json::{Value, json};
use std::collections::HashSet;

const SIBLINGS: u64 = 100;

#[test]
fn siblings_draw_different_random_numbers() {
    // `own` is a generator that no hook knows: it shows that without one, siblings draw the same.
    let text = "import random, uuid\n\
        own = random.Random()\n\
        random.seed(1)\n\
        def handler(event, context):\n\
        \x20   return [random.getrandbits(64), own.getrandbits(64), context.aws_request_id]\n";
    let zygote = Zygote::loaded(&[("app.py", text)], "app.handler");
    let drawn: Vec<Value> = (0..SIBLINGS)
        .map(|serial| Worker::fork(&zygote, serial).call(&json!({})))
        .collect();
    let count = drawn.len();
    let distinct = |at: usize| {
        let set: HashSet<String> = drawn.iter().map(|value| value[at].to_string()).collect();
        set.len()
    };
    assert_eq!(
        distinct(1),
        1,
        "the control draws differently: this test shows nothing"
    );
    assert_eq!(distinct(0), count, "siblings share the state of random");
    assert_eq!(distinct(2), count, "siblings share request ids");
}

#[test]
fn a_thousand_siblings_draw_nothing_equal() {
    // `raw` forks past CPython's hooks, as the launcher must not: its children show what siblings
    // draw that nobody reseeds.
    let text = "import ctypes, os, random, secrets, tempfile, uuid\n\
        random.seed(1)\n\
        def draw():\n\
        \x20   return ['%x' % random.getrandbits(64), secrets.token_hex(8), os.urandom(8).hex(),\n\
        \x20       uuid.uuid4().hex, uuid.uuid1().hex, next(tempfile._get_candidate_names())]\n\
        def raw(event, context):\n\
        \x20   drawn = []\n\
        \x20   for _ in range(20):\n\
        \x20       out, end = os.pipe()\n\
        \x20       if ctypes.CDLL(None).fork() == 0:\n\
        \x20           os.write(end, draw()[0].encode())\n\
        \x20           os._exit(0)\n\
        \x20       os.wait()\n\
        \x20       drawn.append(os.read(out, 99).decode())\n\
        \x20   return drawn\n\
        def handler(event, context):\n\
        \x20   if event == 'raw': return raw(event, context)\n\
        \x20   return draw() + [context.aws_request_id]\n";
    let zygote = Zygote::loaded(&[("app.py", text)], "app.handler");
    let raw = Worker::fork(&zygote, 0).call(&json!("raw"));
    let raw: HashSet<&Value> = raw.as_array().unwrap().iter().collect();
    assert_eq!(raw.len(), 1, "control: raw forks draw differently");
    let mut drawn = HashSet::new();
    for serial in 1..=1000 {
        let mut worker = Worker::fork(&zygote, serial);
        for (place, value) in worker
            .call(&json!({}))
            .as_array()
            .unwrap()
            .iter()
            .enumerate()
        {
            let text = value.as_str().unwrap().to_owned();
            assert!(
                drawn.insert((place, text)),
                "sibling {serial} draws what an earlier one drew, in place {place}"
            );
        }
    }
}

#[test]
fn a_function_that_is_imported_late_is_unknown_to_the_process_that_forks() {
    let text = "import os\n\
        print('imported')\n\
        def handler(event, context): return event\n";
    let zygote = Zygote::start_when("after", &[("app.py", text)], "app.handler", &[]);
    assert_eq!(zygote.receive().0, FromZygote::Loaded);
    let mut worker = Worker::fork(&zygote, 1);
    assert_eq!(worker.call(&json!(7)), json!(7));
    drop(worker.liveness);
    assert_eq!(worker.output.text(), "imported\n");
    assert_eq!(
        zygote.finish().output,
        "",
        "the zygote ran the function's code"
    );
}

#[test]
fn a_late_import_that_fails_is_the_answer_to_every_call() {
    let text = "raise ValueError('a \"quoted\"\\nreason')\n";
    let zygote = Zygote::start_when("after", &[("app.py", text)], "app.handler", &[]);
    assert_eq!(zygote.receive().0, FromZygote::Loaded);
    let mut worker = Worker::fork(&zygote, 1);
    for _ in 0..2 {
        let (kind, message, trace) = worker.fail(&json!(1));
        assert_eq!(kind, "ValueError");
        assert_eq!(message, "a \"quoted\"\nreason");
        assert!(trace[0].contains("app.py"), "{trace:?}");
    }
}

#[test]
fn a_trial_tells_whether_the_function_loads_and_ends() {
    let text = "def handler(event, context): return 1\n";
    let mut fine = Zygote::start_when("trial", &[("app.py", text)], "app.handler", &[]);
    assert_eq!(fine.receive().0, FromZygote::Loaded);
    assert_eq!(fine.remains().status.code(), Some(0));
    let broken = Zygote::start_when("trial", &[("app.py", "1 / 0\n")], "app.handler", &[]);
    assert!(matches!(broken.receive().0, FromZygote::LoadFailed { .. }));
}

#[test]
fn numpys_global_generator_is_reseeded_in_each_sibling() {
    // A stand-in with numpy's interface: what is tested is the launcher's hook.
    let files = [
        ("numpy/__init__.py", ""),
        (
            "numpy/random.py",
            "state = None\ndef seed(words):\n    global state\n    state = words\n",
        ),
        (
            "app.py",
            "import numpy.random\n\
             def handler(event, context): return numpy.random.state\n",
        ),
    ];
    let zygote = Zygote::loaded(&files, "app.handler");
    let one = Worker::fork(&zygote, 1).call(&json!({}));
    let two = Worker::fork(&zygote, 2).call(&json!({}));
    assert_eq!(one.as_array().unwrap().len(), 8);
    assert_ne!(one, two);
}

#[test]
fn the_functions_own_fork_hooks_run_and_write_to_the_workers_pipe() {
    let text = "import os\n\
        os.register_at_fork(after_in_child=lambda: print('hook'))\n\
        def handler(event, context): print('call')\n";
    let zygote = Zygote::loaded(&[("app.py", text)], "app.handler");
    let mut worker = Worker::fork(&zygote, 1);
    worker.call(&json!({}));
    drop(worker.liveness);
    assert_eq!(worker.output.text(), "hook\ncall\n");
    assert_eq!(zygote.finish().output, "");
}

#[test]
fn each_workers_output_goes_through_its_own_pipes() {
    let text = "import sys, os\n\
        def handler(event, context):\n\
        \x20   print('out', event)\n\
        \x20   sys.stderr.write(f'err {event}')\n\
        \x20   os.write(1, b'raw\\n')\n";
    let zygote = Zygote::loaded(&[("app.py", text)], "app.handler");
    let mut one = Worker::fork(&zygote, 1);
    let mut two = Worker::fork(&zygote, 2);
    one.call(&json!(1));
    two.call(&json!(2));
    drop((one.liveness, two.liveness));
    assert_eq!(one.output.text(), "out 1\nraw\n");
    assert_eq!(one.errors.text(), "err 1");
    assert_eq!(two.output.text(), "out 2\nraw\n");
    assert_eq!(two.errors.text(), "err 2");
    let remains = zygote.finish();
    assert_eq!((remains.output.as_str(), remains.errors.as_str()), ("", ""));
}

#[test]
fn a_worker_holds_its_pipes_and_its_liveness_socket_and_nothing_else() {
    let text = "import os\n\
        def handler(event, context):\n\
        \x20   found = {}\n\
        \x20   for name in os.listdir('/proc/self/fd'):\n\
        \x20       try: found[name] = os.readlink('/proc/self/fd/' + name).split(':')[0]\n\
        \x20       except OSError: pass\n\
        \x20   return sorted(found.values())\n";
    let zygote = Zygote::loaded(&[("app.py", text)], "app.handler");
    let mut worker = Worker::fork(&zygote, 1);
    // The second worker shows that the zygote kept nothing of the first one's.
    let mut second = Worker::fork(&zygote, 2);
    let wanted = json!(["/dev/null", "pipe", "pipe", "socket"]);
    assert_eq!(worker.call(&json!({})), wanted);
    assert_eq!(second.call(&json!({})), wanted);
}
