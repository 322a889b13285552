//! Processes that a function leaves behind, moving faster than anybody who looks for them.
//!
//! Attacker: a function whose handler starts chains of processes that each fork and exit at once.
//! Victim: the host, after Keylane has ended, and the function's next caller, after the worker has
//! ended. After Keylane: with user namespaces the end of the pid namespace ends them, without (the
//! rig's `--no-userns`) one kill of their group. After the worker: the group is stopped before it is
//! looked through. A search through /proc loses against them: they were left behind before.
//!
//! Attacker: a function whose import leaves a process that keeps making orphans, each ended within a
//! second and soon replaced. Victim: whoever shares the processor, between calls.

use keylane_tests::eventually;
use keylane_tests::kept::Kept;
use keylane_tests::leftover::descendants;
use keylane_tests::project::Project;
use keylane_tests::session::Session;
use serde_json::json;

const CHAINS: &str = "
import os, time
def handler(event, context):
    for _ in range(8):
        if os.fork() == 0:
            # Bounded, in case that nobody ends it.
            end = time.time() + 60
            while time.time() < end:
                try:
                    child = os.fork()
                except OSError:
                    continue
                if child:
                    os._exit(0)
            os._exit(0)
    return 'chained'
";

#[test]
fn no_chain_of_forks_outlives_the_command() {
    let project = Project::sequence(&[("culprit", CHAINS)]);
    let mut kept = Kept::start(&["run", project.arg(), "-q", "--lanes", "1"]);
    let said = kept.end();
    assert!(
        said.out.contains("chained"),
        "control: no chain began: {}",
        said.err
    );
    kept.expect_nothing_left();
}

#[test]
fn no_chain_of_forks_outruns_the_end_of_its_worker() {
    let source = CHAINS.replace(
        "    for _",
        "    if event == 'fine': return event\n    for _",
    );
    let source = source.replace("return 'chained'", "time.sleep(1)\n    os._exit(7)");
    let project = Project::sequence(&[("culprit", &source)]);
    let mut session = Session::start(project.arg(), &["--lanes", "1"]);
    session.output(&json!("fine"));
    let front = session.front();
    let before = descendants(front);
    let report = std::thread::scope(|scope| {
        let asked = scope.spawn(|| session.ask(&json!("chain")));
        let mut seen = std::collections::BTreeSet::new();
        while !asked.is_finished() {
            seen.extend(descendants(front));
        }
        let more = seen.difference(&before).count();
        assert!(more > 30, "control: the chains do not move: {more}");
        asked.join().unwrap()
    });
    assert_eq!(report["error"]["error"], "Lambda.Unknown", "{report}");
    // Long before the chains end by themselves.
    let since = std::time::Instant::now();
    while descendants(front).len() >= before.len() {
        assert!(
            since.elapsed().as_secs() < 20,
            "the chains live on: {:?}",
            descendants(front)
        );
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    session.output(&json!("fine"));
}

/// Below the zygote, a process that works next to nothing and forks others that leave spinners behind.
const SOWER: &str = "
import os, time
if os.fork() == 0:
    while True:
        time.sleep(0.2)
        if os.fork() == 0:
            for _ in range(2):
                if os.fork() == 0:
                    end = time.time() + 30
                    while time.time() < end: pass
            os._exit(0)
        os.wait()
def handler(event, context):
    return event
";

#[test]
fn processor_time_of_what_is_left_behind_and_replaced_is_its_zygotes() {
    let project = Project::sequence(&[("sower", SOWER)]);
    let mut session = Session::start_loud(project.arg(), &["--lanes", "1"]);
    assert_eq!(session.output(&json!(1)), 1);
    let (front, zygotes) = (session.front(), session.family().zygotes);
    let mut seen = std::collections::BTreeSet::new();
    let told = eventually(|| {
        seen.extend(descendants(front));
        session.errors().contains("function \"sower\": its zygote")
    });
    assert!(told, "nobody is told: {}", session.errors());
    assert!(seen.len() > 10, "control: nothing was sown: {seen:?}");
    assert!(
        eventually(|| session.family().zygotes.len() == 1),
        "{:?}",
        session.family()
    );
    assert_ne!(session.family().zygotes, zygotes);
    assert_eq!(session.output(&json!(2)), 2);
}

/// A call that works by processes whose parents have ended.
const HONEST: &str = "
import os, time
def handler(event, context):
    for _ in range(40):
        if os.fork() == 0:
            if os.fork() == 0:
                end = time.time() + 0.1
                while time.time() < end: pass
            os._exit(0)
        os.wait()
        time.sleep(0.2)
    return 'done'
";

#[test]
fn what_a_call_leaves_behind_while_it_is_answered_is_not_held_against_its_zygote() {
    let project = Project::sequence(&[("honest", HONEST)]);
    let mut session = Session::start_loud(project.arg(), &["--lanes", "1"]);
    assert_eq!(session.output(&json!(1)), "done");
    assert_eq!(session.output(&json!(2)), "done");
    assert!(
        !session.errors().contains("its zygote"),
        "{}",
        session.errors()
    );
}
