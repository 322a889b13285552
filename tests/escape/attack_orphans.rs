//! Processes that a function leaves behind, moving faster than anybody who looks for them.
//!
//! Attacker: a function whose handler starts chains of processes that each fork and exit at once.
//! Victim: the host, after Keylane has ended, and the function's next caller, after the worker has
//! ended. After Keylane: with user namespaces the end of the pid namespace ends them, without (the
//! rig's `--no-userns`) one kill of their group. After the worker: the group is stopped before it is
//! looked through. A search through /proc loses against them: they were left behind before.

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
