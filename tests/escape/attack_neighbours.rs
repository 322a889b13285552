//! Another user of the host looks at a run of root's.
//!
//! Attacker: any user, by what everybody can read. Victim: the staged files.

use keylane_tests::kept::Kept;
use keylane_tests::leftover::command_line;
use keylane_tests::project::Project;

const SLEEPER: &str = "import time\ndef handler(event, context):\n    time.sleep(1000)\n";

#[test]
fn no_command_line_tells_where_the_staged_files_are() {
    let project = Project::sequence(&[("sleeper", SLEEPER)]);
    let kept = Kept::start(&["run", project.arg(), "--lanes", "1"]);
    let family = kept.await_family(|family| !family.workers.is_empty());
    // The name of the folder in TMPDIR can be listed; the one in it is the secret.
    let stage = keylane_tests::leftover::names(&kept.temporary());
    assert!(!stage.is_empty(), "control: there is no stage to find");
    for pid in [family.inits, family.zygotes, family.workers, family.lanes].concat() {
        let line = command_line(pid);
        assert!(
            !line.contains("keylane-") || !line.contains(kept.temporary().to_str().unwrap()),
            "everybody can read where the files are: {line}"
        );
        assert!(!line.contains('/'), "a path in a command line: {line}");
    }
    keylane_tests::kept::kill(kept.pid, 2);
    kept.end();
}
