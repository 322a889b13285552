//! Processes that a function leaves behind, moving faster than anybody who looks for them.
//!
//! Attacker: a function whose handler starts chains of processes that each fork and exit at once.
//! Victim: the host, after Keylane has ended. With user namespaces the end of the pid namespace
//! ends them; without (the rig's `--no-userns`) one kill of their group does. A search through /proc
//! loses against them: they were left behind before.

use keylane_tests::kept::Kept;
use keylane_tests::project::Project;

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
