//! A function takes all that it can get, of everything, and keeps it: its neighbour goes on.

use crate::hostile::Hostile;
use serde_json::json;

const EVIL: &str = r#"
import mmap, os, socket, threading, time
kept = []
def until_it_fails(action):
    try:
        for count in range(100000):
            kept.append(action())
    except (OSError, RuntimeError, MemoryError, ValueError):
        pass
    return count
def child():
    pid = os.fork()
    if pid == 0:
        while True: time.sleep(1000)
    return pid
def spin():
    pid = os.fork()
    if pid == 0:
        while True: pass
    return pid
def handler(event, context):
    if event == "nothing":
        return "nothing"
    return until_it_fails({
        "processes": child,
        "threads": lambda: threading.Thread(target=time.sleep, args=(1000,), daemon=True).start(),
        "spinning processes": spin,
        "descriptors": lambda: os.dup(1),
        "sockets": socket.socketpair,
        "full pipes": lambda: [os.set_blocking(fd, False) or fd for fd in os.pipe()] and None,
        "memory": lambda: bytearray(1 << 20),
        "mappings": lambda: mmap.mmap(-1, 1 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS),
    }[event])
"#;

#[test]
fn whatever_a_function_exhausts_its_limit_ends_it_and_its_neighbour_goes_on() {
    for what in [
        "processes",
        "threads",
        "spinning processes",
        "descriptors",
        "sockets",
        "full pipes",
        "memory",
        "mappings",
    ] {
        let settings = "timeout = 600\nprocesses = 32\ndescriptors = 64\nmemory = \"256MiB\"\n";
        let mut hostile = Hostile::deploy(EVIL, settings);
        let report = hostile.attack(&json!(what));
        Hostile::expect_own_fault(&report);
        if let Some(count) = report["output"].as_u64() {
            assert!(
                (8..1000).contains(&count),
                "{count} {what}: no limit, or no attack"
            );
        }
        for _ in 0..3 {
            hostile.expect_unharmed();
        }
        Hostile::expect_own_fault(&hostile.attack(&json!("nothing")));
    }
}
