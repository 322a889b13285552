//! The rows of the network, tried with real calls under the profile that has them; under the largest
//! other one `rows.rs` tries them, where they are refused.
//!
//! What passing does not show: where a connection gets to (the escape suite does).

use crate::rows::{Trial, expect_inside};
use crate::rules::{FULL, Host, Verdict, combinations, verdict};
use keylane_policy::syscall::Group;
use keylane_policy::syscall::table::TABLE;

const POLICY: &str = "profiles = [\"network\"]\ndefault = \"network\"\n[network]\nports = [443]\n\
                      addresses = \"any\"\nunfiltered = true\n";

#[test]
fn every_row_of_the_network_decides_as_the_table_says_met_and_missed() {
    let rows = TABLE.iter().filter(|row| row.group == Group::Network);
    let mut trials: Vec<Trial> = rows
        .flat_map(|row| {
            let all = combinations(row).into_iter();
            all.map(|arguments| (row.number.into(), arguments))
        })
        .collect();
    // What is no row under this profile either.
    trials.extend([
        (43, [0; 6]),
        (49, [0; 6]),
        (50, [0; 6]),
        (288, [0; 6]),
        (307, [0; 6]),
    ]);
    let host = Host {
        network: true,
        ..FULL
    };
    let passed = trials
        .iter()
        .filter(|(number, arguments)| verdict(*number, arguments, host) == Verdict::Pass);
    let passed = passed.count();
    assert!(
        passed > 30 && trials.len() - passed > 300,
        "{passed} of {}",
        trials.len()
    );
    expect_inside(&trials, Some(POLICY));
}
