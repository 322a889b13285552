//! A function keeps its zygote's socket to the spawner from its import, and speaks on it.

use crate::hostile::Hostile;
use serde_json::{Value, json};

const EVIL: &str = r#"
import array, ctypes, errno, fcntl, json, kit, mmap, os, socket, time
STEAL = mmap.mmap(-1, 4096)
def steal():
    # Takes the next order that is meant for the zygote, with what comes along, and answers on the
    # channel of a worker that will never be: with what it finds out about that channel.
    while not STEAL[0]:
        time.sleep(0.001)
    with kit.spawner() as link:
        _, rights, _, _ = link.recvmsg(1 << 16, socket.CMSG_SPACE(4 * 16))
    memory = array.array("i", rights[0][2])[0]
    found = {"seals": fcntl.fcntl(memory, 1034)}
    for name, action in {
        "shrink": lambda: os.ftruncate(memory, 0),
        "grow": lambda: os.ftruncate(memory, 1 << 40),
        "seal": lambda: fcntl.fcntl(memory, 1033, 8),
    }.items():
        try:
            action()
            found[name] = "works"
        except OSError as error:
            found[name] = errno.errorcode[error.errno]
    page = mmap.mmap(memory, os.fstat(memory).st_size)
    channel = kit.Channel(ctypes.addressof(ctypes.c_char.from_buffer(page)))
    while not channel.word(kit.REQUEST_SEQUENCE):
        time.sleep(0.01)
    channel.answer(channel.word(kit.REQUEST_SEQUENCE), json.dumps(found).encode())
    time.sleep(1000)
# A child of the zygote, as workers are: what a worker leaves behind is ended with it.
if os.fork() == 0:
    try:
        steal()
    finally:
        os._exit(1)
def handler(event, context):
    if event == "nothing":
        return "nothing"
    what = event["attack"]
    if what == "is it there":
        return kit.ZYGOTE is not None and kit.tell(kit.loaded())
    sent = 0
    if what == "flood":
        end = time.monotonic() + 2
        while time.monotonic() < end:
            sent += kit.tell(kit.hello(1 << 40))
    elif what == "raw":
        sent += kit.tell(bytes(event["bytes"]) * event["times"])
    elif what == "descriptors":
        return [kit.hand_over([1] * count) for count in (1, 4, 5, 253)]
    elif what == "steal":
        STEAL[0] = 1
        os._exit(1)
    else:
        forge = {"hello": kit.hello, "ended": kit.worker_ended, "failed": kit.fork_failed}[what]
        for serial in range(64):
            sent += kit.tell(forge(serial))
    return sent
"#;

fn hostile() -> Hostile {
    let mut hostile = Hostile::deploy(EVIL, "timeout = 10\n");
    let there = hostile.attack(&json!({"attack": "is it there"}));
    assert_eq!(
        there["output"], true,
        "the attacks below do not reach the spawner: {there}"
    );
    hostile
}

/// Attacks, and holds that nobody else notices, now and at the next calls.
#[track_caller]
fn nobody_notices(hostile: &mut Hostile, attack: &Value) -> Value {
    let report = hostile.attack(attack);
    Hostile::expect_own_fault(&report);
    for _ in 0..3 {
        hostile.expect_unharmed();
        Hostile::expect_own_fault(&hostile.attack(&json!("nothing")));
    }
    report
}

#[test]
fn greetings_in_the_name_of_other_workers_reach_nobody() {
    let mut hostile = hostile();
    let report = nobody_notices(&mut hostile, &json!({"attack": "hello"}));
    assert_eq!(report["output"], 64, "not all were sent: {report}");
    hostile.expect_healed();
}

#[test]
fn the_end_of_other_workers_cannot_be_announced() {
    let mut hostile = hostile();
    nobody_notices(&mut hostile, &json!({"attack": "ended"}));
    hostile.expect_healed();
}

#[test]
fn a_worker_whose_end_was_announced_while_it_lives_is_ended() {
    let mut hostile = hostile();
    let before = hostile.session.family().workers.len();
    for _ in 0..5 {
        Hostile::expect_own_fault(&hostile.attack(&json!({"attack": "ended"})));
        Hostile::expect_own_fault(&hostile.attack(&json!("nothing")));
    }
    let few = keylane_tests::eventually(|| hostile.session.family().workers.len() <= before);
    assert!(few, "workers pile up: {:?}", hostile.session.family());
}

#[test]
fn failed_forks_of_others_cannot_be_announced() {
    let mut hostile = hostile();
    nobody_notices(&mut hostile, &json!({"attack": "failed"}));
    hostile.expect_healed();
}

#[test]
fn a_flood_of_messages_starves_nobody() {
    let mut hostile = hostile();
    let report = nobody_notices(&mut hostile, &json!({"attack": "flood"}));
    assert!(
        report["output"].as_u64().is_some_and(|sent| sent > 100),
        "no flood: {report}"
    );
    hostile.expect_healed();
}

#[test]
fn garbage_hurts_the_function_that_sends_it_alone() {
    for (bytes, times) in [
        (json!([255]), 1),       // another version
        (json!([1, 200, 1]), 1), // no such message
        (json!([1, 2]), 1),      // cut
        (json!([1, 0, 0]), 1),   // something behind it
        (json!([1]), 70_000),    // over the limit
        (json!([]), 1),          // an empty datagram, which looks like an end
    ] {
        let mut hostile = hostile();
        let attack = json!({"attack": "raw", "bytes": bytes, "times": times});
        nobody_notices(&mut hostile, &attack);
    }
}

#[test]
fn no_descriptor_can_be_handed_to_the_spawner() {
    // What a receiver does with too many is tested where the sockets are (supervisor/sys); a
    // function cannot even send one.
    let mut hostile = hostile();
    let report = nobody_notices(&mut hostile, &json!({"attack": "descriptors"}));
    assert_eq!(
        report["output"],
        json!(["EPERM", "EPERM", "EPERM", "EPERM"])
    );
}

#[test]
fn a_stolen_order_gives_a_channel_that_cannot_be_resized_and_costs_nobody_else() {
    let mut hostile = hostile();
    // The order goes to the thief or to the zygote, whoever is faster.
    for _ in 0..50 {
        Hostile::expect_own_fault(&hostile.attack(&json!({"attack": "steal"})));
        let report = hostile.attack(&json!("nothing"));
        Hostile::expect_own_fault(&report);
        hostile.expect_unharmed();
        let found = &report["output"];
        if found["seals"].is_u64() {
            // F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW.
            let mut found = found.clone();
            // The limit of a file's size is looked at before the seal.
            if found["grow"] == "EFBIG" {
                found["grow"] = json!("EPERM");
            }
            let wanted = json!({"seals": 7, "shrink": "EPERM", "grow": "EPERM", "seal": "EPERM"});
            assert_eq!(
                found, wanted,
                "the lane can be given a channel that ends under it"
            );
            return;
        }
    }
    panic!("the thief never got an order: the attack does not reach its aim");
}
