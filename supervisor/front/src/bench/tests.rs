//! The arithmetic of the measurements.

use super::numbers::{Summary, Times, ratios, sums};
use super::{handoff, hop};

fn times(rounds: &[&[f64]]) -> Times {
    let mut times = Times::default();
    for round in rounds {
        times.push(round.to_vec());
    }
    times
}

#[test]
fn a_summary_tells_the_middle_the_tail_and_the_spread() {
    let summary = Summary::of((1..=1000).map(f64::from).collect()).unwrap();
    assert_eq!(
        (summary.samples, summary.p50, summary.p99),
        (1000, 500.0, 990.0)
    );
    assert_eq!(summary.spread, 1.0);
    assert_eq!(Summary::of(vec![3.0, 1.0, 2.0]).unwrap().p99, 3.0);
    assert_eq!(Summary::of(Vec::new()), None);
}

#[test]
fn differences_are_taken_between_neighbours() {
    let two = times(&[&[10.0, 20.0, 30.0], &[40.0]]);
    let one = times(&[&[1.0, 12.0, 3.0], &[5.0]]);
    assert_eq!(two.less(&one).middles(), [9.0, 35.0]);
}

#[test]
fn ratios_and_sums_are_taken_within_a_round() {
    assert_eq!(ratios(&[4.0, 9.0, 1.0], &[2.0, 3.0, 0.0]), [2.0, 3.0]);
    assert_eq!(sums(&[1.0, 2.0], &[10.0, 20.0]), [11.0, 22.0]);
}

#[test]
fn a_payload_is_json_of_exactly_the_size_that_is_asked_for() {
    for size in [64, 4096, 65536] {
        let payload = hop::payload(size);
        assert_eq!(payload.len(), size);
        serde_json::from_str::<serde_json::Value>(&payload).unwrap();
    }
}

#[test]
fn the_floor_of_a_hand_over_is_refused_in_a_process_of_several_threads() {
    let core = keylane_sys::process::cores().unwrap()[0];
    // A test runs beside the thread that waits for it.
    let refused = handoff::HandOff::begin(core, core, handoff::Waiting::Sleeps, 64);
    assert!(refused.unwrap_err().to_string().contains("threads"));
}
