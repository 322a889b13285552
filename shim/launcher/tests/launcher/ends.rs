//! How workers and zygotes end, and who is told.

use crate::lane::{CAPACITY, Channel, Worker, pair};
use crate::spawner::Zygote;
use keylane_policy::abi::channel;
use keylane_policy::abi::message::{Ended, FromZygote, ToZygote};
use keylane_policy::abi::wire;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use serde_json::json;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

const ECHO: &str = "def handler(event, context): return event\n";

fn pipe_end() -> OwnedFd {
    OwnedFd::from(std::io::pipe().unwrap().1)
}

#[test]
fn a_crash_ends_one_worker_is_told_and_leaves_its_sibling_at_work() {
    let text = "import ctypes\n\
        def handler(event, context):\n\
        \x20   return ctypes.string_at(0) if event == 'crash' else event\n";
    let zygote = Zygote::loaded(&[("app.py", text)], "app.handler");
    let mut victim = Worker::fork(&zygote, 1);
    let mut sibling = Worker::fork(&zygote, 2);
    victim.post(b"\"crash\"");
    let (message, sender) = zygote.receive();
    assert_eq!(
        message,
        FromZygote::WorkerEnded {
            serial: 1,
            how: Ended::Signaled(11)
        }
    );
    assert_eq!(sender, zygote.id());
    assert_eq!(sibling.call(&json!("still here")), json!("still here"));
    let errors = victim.errors.text();
    assert!(errors.contains("line 3 in handler"), "{errors}");
}

#[test]
fn a_worker_that_exits_is_told_with_its_status() {
    let text = "import os\ndef handler(event, context): os._exit(event)\n";
    let zygote = Zygote::loaded(&[("app.py", text)], "app.handler");
    let mut worker = Worker::fork(&zygote, 9);
    worker.post(b"41");
    let ended = FromZygote::WorkerEnded {
        serial: 9,
        how: Ended::Exited(41),
    };
    assert_eq!(zygote.receive().0, ended);
}

#[test]
fn a_worker_that_is_killed_is_told_with_the_signal() {
    let zygote = Zygote::loaded(&[("app.py", ECHO)], "app.handler");
    let worker = Worker::fork(&zygote, 1);
    nix::sys::signal::kill(Pid::from_raw(worker.id), Signal::SIGKILL).unwrap();
    let ended = FromZygote::WorkerEnded {
        serial: 1,
        how: Ended::Signaled(9),
    };
    assert_eq!(zygote.receive().0, ended);
}

#[test]
fn an_idle_worker_ends_within_seconds_once_its_lane_is_gone() {
    let zygote = Zygote::loaded(&[("app.py", ECHO)], "app.handler");
    let mut worker = Worker::fork(&zygote, 1);
    worker.call(&json!(1));
    let since = Instant::now();
    drop(worker.liveness);
    let ended = FromZygote::WorkerEnded {
        serial: 1,
        how: Ended::Exited(0),
    };
    assert_eq!(zygote.receive().0, ended);
    assert!(since.elapsed() < Duration::from_secs(4));
}

#[test]
fn an_idle_worker_whose_lane_lives_stays() {
    let zygote = Zygote::loaded(&[("app.py", ECHO)], "app.handler");
    let mut worker = Worker::fork(&zygote, 1);
    worker.call(&json!(1));
    // Longer than two of its looks at the liveness socket.
    std::thread::sleep(Duration::from_millis(2500));
    assert_eq!(worker.call(&json!(2)), json!(2));
}

#[test]
fn the_end_of_the_spawner_ends_the_zygote_and_its_workers() {
    let zygote = Zygote::loaded(&[("app.py", ECHO)], "app.handler");
    let mut worker = Worker::fork(&zygote, 1);
    worker.call(&json!(1));
    let remains = zygote.finish();
    assert_eq!(remains.status.code(), Some(0));
    assert_eq!(remains.errors, "");
    // The pipe's end shows that the worker is gone, though its lane lives.
    assert_eq!(worker.output.text(), "");
    drop(worker.liveness);
}

#[test]
fn a_message_that_is_none_ends_the_zygote_with_a_line() {
    let fork = wire::encode(&ToZygote::Fork {
        serial: 1,
        capacity: 4096,
    })
    .unwrap();
    let trailed = [&fork[..], b"x"].concat();
    for (bytes, words) in [
        (&b"\xff\xffgarbage"[..], "message version 255"),
        (&[1, 250][..], "a malformed message"),
        (&trailed[..], "1 stray bytes"),
    ] {
        let mut zygote = Zygote::loaded(&[("app.py", ECHO)], "app.handler");
        zygote.send_raw(bytes, &[]);
        let remains = zygote.remains();
        assert_eq!(remains.status.code(), Some(2));
        assert!(remains.errors.contains(words), "{}", remains.errors);
        assert_eq!(remains.errors.lines().count(), 1, "{}", remains.errors);
    }
}

#[test]
fn a_fork_with_another_number_of_descriptors_is_refused_and_the_zygote_goes_on() {
    let zygote = Zygote::loaded(&[("app.py", ECHO)], "app.handler");
    let channel = Channel::new(CAPACITY);
    let (_liveness, theirs) = pair();
    let pipe = pipe_end();
    for descriptors in [
        vec![],
        vec![&channel.file, &theirs, &pipe],
        vec![&channel.file, &theirs, &pipe, &pipe, &pipe],
    ] {
        zygote.send_fork(5, CAPACITY, &descriptors);
        assert!(
            matches!(zygote.receive().0, FromZygote::ForkFailed { serial: 5, .. }),
            "{} descriptors",
            descriptors.len()
        );
    }
    // Nothing of them stays open: the next worker's listing is as short as ever.
    assert_eq!(Worker::fork(&zygote, 6).call(&json!(1)), json!(1));
}

#[test]
fn a_capacity_that_no_channel_can_have_is_refused() {
    let zygote = Zygote::loaded(&[("app.py", ECHO)], "app.handler");
    let channel = Channel::new(CAPACITY);
    let (_liveness, theirs) = pair();
    zygote.send_fork(
        3,
        u64::MAX,
        &[&channel.file, &theirs, &pipe_end(), &pipe_end()],
    );
    let refused = FromZygote::ForkFailed {
        serial: 3,
        errno: libc::EINVAL,
    };
    assert_eq!(zygote.receive().0, refused);
}

#[test]
fn a_worker_whose_channel_is_not_one_exits_with_a_line() {
    let zygote = Zygote::loaded(&[("app.py", ECHO)], "app.handler");
    let (_liveness, theirs) = pair();
    let small = Channel::new(4096);
    let strange = Channel::new(CAPACITY);
    strange.put(channel::MAGIC_AT, b"NOPE");
    for (serial, file, words) in [
        (1, &small.file, "the channel has 12288 bytes"),
        (2, &strange.file, "magic number is 0x45504f4e"),
    ] {
        let (errors, errors_end) = std::io::pipe().unwrap();
        let errors_end = OwnedFd::from(errors_end);
        zygote.send_fork(serial, CAPACITY, &[file, &theirs, &pipe_end(), &errors_end]);
        drop(errors_end);
        assert_eq!(zygote.receive().0, FromZygote::Hello { serial });
        let ended = FromZygote::WorkerEnded {
            serial,
            how: Ended::Exited(3),
        };
        assert_eq!(zygote.receive().0, ended);
        let text = crate::spawner::collect(errors).text();
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn started_by_hand_it_says_what_starts_it() {
    for arguments in [
        &[][..],
        &["/tmp", "app.handler"][..],
        &["/tmp", "app.handler", "now"],
    ] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_keylane-launcher"))
            .args(arguments)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(
            text.contains("only Keylane's spawner starts this program"),
            "{text}"
        );
    }
}
