//! The walls as the host sees them: every process of a running deployment, in /proc/PID/status.

use keylane_tests::is_root;
use keylane_tests::kept::Kept;
use keylane_tests::leftover::{Family, command_line, is_namespaced, names, status};
use keylane_tests::project::Project;
use std::collections::{BTreeMap, BTreeSet};

const SLEEPER: &str = "import time\ndef handler(event, context):\n    time.sleep(1000)\n";

/// A worker exists only once every lane is deployed and every function is loaded.
fn running() -> (Kept, Family, Project) {
    let project = Project::sequence(&[("sleeper", SLEEPER), ("other", SLEEPER)]);
    let kept = Kept::start(&["run", project.arg(), "--lanes", "2"]);
    let family = kept.await_family(|family| !family.workers.is_empty());
    (kept, family, project)
}

#[test]
fn every_lane_zygote_and_worker_is_jailed_as_the_kernel_tells_it() {
    let (_kept, family, _project) = running();
    assert_eq!(
        (family.lanes.len(), family.zygotes.len()),
        (2, 2),
        "{family:?}"
    );
    let jailed = [
        ("lane", &family.lanes),
        ("init", &family.inits),
        ("zygote", &family.zygotes),
        ("worker", &family.workers),
    ];
    let outer: u32 = status(std::process::id())["Seccomp_filters"]
        .parse()
        .unwrap();
    let told_of_denials = keylane_tests::doctor("denied calls") == "ok";
    for (what, pids) in jailed {
        for pid in pids {
            let process = status(*pid);
            for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
                assert_eq!(
                    process[set], "0000000000000000",
                    "a {what} holds capabilities in {set}"
                );
            }
            assert_eq!(process["NoNewPrivs"], "1", "a {what} may gain privileges");
            assert_eq!(process["Seccomp"], "2", "a {what} has no filter");
            // One for each answer that the role's calls get (ENOSYS, success), and the allow-list;
            // where it tells of denials, one more that refuses what handed the listener over. A
            // container may have its own above.
            let own = match what {
                "lane" => 2,
                _ if told_of_denials => 4,
                _ => 3,
            };
            assert_eq!(
                process["Seccomp_filters"],
                (outer + own).to_string(),
                "a {what} lacks one of its {own} filters"
            );
            assert!(
                !process["Uid"].split_whitespace().any(|id| id == "0"),
                "a {what} is root"
            );
            if is_root() {
                assert_eq!(process["Groups"], "", "a {what} keeps root's groups");
            }
            // Entering a user namespace gives all capabilities back, and the bounding set too.
            if is_root() || is_namespaced(*pid) {
                assert_eq!(
                    process["CapBnd"], "0000000000000000",
                    "a {what} of a privileged host keeps a bounding set"
                );
            }
        }
    }
}

#[test]
fn no_lane_and_no_function_shares_a_user_with_another_where_root_can_give_them_out() {
    let (_kept, family, _project) = running();
    let user = |pid: &u32| status(*pid)["Uid"].clone();
    let mut owners: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for lane in &family.lanes {
        owners
            .entry(user(lane))
            .or_default()
            .insert(format!("lane {lane}"));
    }
    for (init, zygote) in family.inits.iter().zip(&family.zygotes) {
        assert_eq!(user(init), user(zygote), "an init and its zygote");
        let tree = command_line(*zygote);
        owners.entry(user(zygote)).or_default().insert(tree);
    }
    if is_root() {
        assert_eq!(owners.len(), 4, "users are shared: {owners:#?}");
    } else {
        // An ordinary user has one user to give; its own, and not root's.
        assert_eq!(owners.len(), 1, "{owners:#?}");
    }
}

/// All processes of a run but the front, each with its part.
fn everybody(family: &Family) -> Vec<(&'static str, u32)> {
    let parts = [
        ("lane", &family.lanes),
        ("init", &family.inits),
        ("zygote", &family.zygotes),
        ("worker", &family.workers),
    ];
    let spawner = family.spawner.map(|pid| ("spawner", pid));
    let rest = parts
        .into_iter()
        .flat_map(|(what, pids)| pids.iter().map(move |pid| (what, *pid)));
    spawner.into_iter().chain(rest).collect()
}

/// The limits of /proc/PID/limits, soft and hard, by their names there.
fn limits(pid: u32) -> BTreeMap<String, (String, String)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let column = |line: &str, from: usize| {
        let rest = line.get(from..)?;
        rest.split_whitespace().next().map(str::to_owned)
    };
    let fields = |line: &str| {
        let name = line.get(..26)?.trim().to_owned();
        Some((name, (column(line, 26)?, column(line, 47)?)))
    };
    text.lines().skip(1).filter_map(fields).collect()
}

#[test]
fn no_function_dumps_core_locks_memory_or_takes_a_better_turn() {
    let own = &limits(std::process::id())["Max core file size"].1;
    let core = if own == "0" { "0" } else { "1" };
    let (_kept, family, _project) = running();
    for pid in family.zygotes.iter().chain(&family.workers) {
        let limits = limits(*pid);
        let soft = |name: &str| limits[name].0.as_str();
        // 1 is what keeps a core also from a program of core_pattern (core(5)); where the host allows less, that
        // they may not be looked into keeps it (the next test).
        assert_eq!(soft("Max core file size"), core, "{}", command_line(*pid));
        for none in [
            "Max locked memory",
            "Max msgqueue size",
            "Max nice priority",
            "Max realtime priority",
        ] {
            assert_eq!(soft(none), "0", "{none} of {}", command_line(*pid));
        }
        for some in [
            "Max processes",
            "Max open files",
            "Max file size",
            "Max address space",
        ] {
            assert_ne!(soft(some), "unlimited", "{some} of {}", command_line(*pid));
        }
    }
}

#[test]
fn nobody_of_the_same_user_reads_the_processes_of_a_run() {
    use std::os::unix::fs::MetadataExt;
    // The files of a process that may not be looked into are not its own user's (proc(5)).
    let is_own = |pid: u32| {
        let owner = std::fs::metadata(format!("/proc/{pid}/stat"))
            .unwrap()
            .uid();
        let user = status(pid)["Uid"].clone();
        user.split_whitespace().next() == Some(owner.to_string().as_str())
    };
    assert!(
        is_own(std::process::id()),
        "control: this test can be looked into"
    );
    let (_kept, family, _project) = running();
    for (what, pid) in everybody(&family) {
        // Root looks into everything; its spawner is the only process that stays root.
        if what != "spawner" || !is_root() {
            assert!(!is_own(pid), "a {what} can be looked into");
        }
    }
}

/// The numbers of the sockets that a process holds.
fn sockets(pid: u32) -> BTreeSet<String> {
    let folder = format!("/proc/{pid}/fd");
    let folder = std::path::Path::new(&folder);
    let links = names(folder).into_iter();
    let links = links.filter_map(|name| std::fs::read_link(folder.join(name)).ok());
    let number = |link: std::path::PathBuf| {
        let link = link.to_string_lossy().into_owned();
        Some(link.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())
    };
    links.filter_map(number).collect()
}

/// A Unix socket with a name, as /proc/PID/net/unix lists it (net/unix/af_unix.c, unix_seq_show).
#[derive(Debug)]
struct Named {
    /// Whether it listens: then anybody who may name it reaches it.
    listens: bool,
    /// 1 a stream, 2 datagrams, which anybody may send, 5 a connection of packets.
    kind: u32,
    /// 3 for one that is connected.
    state: u32,
    name: String,
}

/// Those of a process's sockets that have a name, in its own network namespace.
fn named(pid: u32) -> Vec<Named> {
    let held = sockets(pid);
    let text = std::fs::read_to_string(format!("/proc/{pid}/net/unix")).unwrap_or_default();
    let number = |field: &str| u32::from_str_radix(field, 16).unwrap();
    let found = text.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        (fields.len() > 7 && held.contains(fields[6])).then(|| Named {
            listens: number(fields[3]) & 0x10000 != 0,
            kind: number(fields[4]),
            state: number(fields[5]),
            name: fields[7].to_owned(),
        })
    });
    found.collect()
}

#[test]
fn no_socket_of_a_run_can_be_reached_by_a_name() {
    let test = "no_socket_of_a_run_can_be_reached_by_a_name";
    if !keylane_tests::skip::has_root(test) {
        return;
    }
    use std::os::linux::net::SocketAddrExt;
    let address = format!("keylane-test-{}", std::process::id());
    let address = std::os::unix::net::SocketAddr::from_abstract_name(address).unwrap();
    let _bound = std::os::unix::net::UnixListener::bind_addr(&address).unwrap();
    let control = named(std::process::id());
    assert!(control.iter().any(|socket| socket.listens), "{control:?}");
    let (_kept, family, _project) = running();
    let front = status(family.spawner.unwrap())["PPid"].parse().unwrap();
    for (what, pid) in everybody(&family).into_iter().chain([("front", front)]) {
        let talks = ["front", "spawner", "lane", "zygote"].contains(&what);
        assert!(!talks || !sockets(pid).is_empty(), "a {what} holds none");
        for socket in named(pid) {
            // The kernel itself names an end that asks for its peer's credentials, when it first sends
            // (unix_autobind). Connected packets are taken from the peer alone, whoever knows the name.
            let closed = !socket.listens && socket.kind == 5 && socket.state == 3;
            assert!(
                closed && socket.name.starts_with('@'),
                "of a {what}: {socket:?}"
            );
            let name = &socket.name.as_bytes()[1..];
            let address = std::os::unix::net::SocketAddr::from_abstract_name(name).unwrap();
            assert!(std::os::unix::net::UnixStream::connect_addr(&address).is_err());
            let sender = std::os::unix::net::UnixDatagram::unbound().unwrap();
            assert!(sender.send_to_addr(b"x", &address).is_err());
        }
    }
}

#[test]
fn outside_the_same_look_finds_capabilities_or_no_filter() {
    let own = status(std::process::id());
    assert!(
        own["NoNewPrivs"] == "0"
            || own["Seccomp"] == "0"
            || own["CapEff"] != "0000000000000000"
            // What a container's filter is counts as outside: the look above counts on top of it,
            // and outside it is alone.
            || own["Seccomp_filters"].parse::<u32>().is_ok_and(|count| count < 3),
        "this test runs in a jail of its own, so that the look above shows nothing: {own:#?}"
    );
}
