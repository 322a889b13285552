//! The measurements: their document is made, never edited.

use std::process::Command;

#[test]
fn the_measurements_are_what_their_script_makes_of_figures_and_explanations() {
    let answer = Command::new(keylane_tests::PYTHON)
        .args(["-B", "tests/bench/all", "--check"])
        .current_dir(keylane_tests::checkout())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&answer.stderr);
    assert!(
        answer.status.success(),
        "{said}: change tests/bench/words/, then `tests/bench/all --write`"
    );
}
