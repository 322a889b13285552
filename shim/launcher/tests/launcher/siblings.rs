//! What workers of one zygote share, and what they must not.

use crate::lane::Worker;
use crate::spawner::Zygote;
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
