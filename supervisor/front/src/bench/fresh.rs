//! A call that gets a worker of its own, against a fork of a plain interpreter that loaded the same.

use super::hop::{BATCH, payload};
use super::interpreter::{self, Interpreter};
use super::numbers::{Times, ratios};
use super::project::{Language, Project};
use super::{Run, Stop};
use keylane_policy::reuse::Reuse;
use std::time::Duration;

/// Long enough for a lane to have its workers ready again, short enough to measure many.
const PAUSE: Duration = Duration::from_millis(10);

pub(super) fn measure(run: &mut Run<'_>) -> Result<(), Stop> {
    let case = "Python, 64 B";
    let text = payload(64);
    let floor = match interpreter::is_there() {
        true => Some(Interpreter::begin()?),
        false => {
            run.results
                .missing("fresh", "bare fork", "this host has no python3.11 to run");
            None
        }
    };
    let mut floor = floor.map(|interpreter| (interpreter, Times::default()));
    let project = Project::sequence(Language::Python, 1, Reuse::Fresh)?;
    let mut warm = project.start()?;
    let (mut ready, mut burst) = (Times::default(), Times::default());
    for round in 0..=run.rounds {
        run.tell_round("fresh", round);
        let (mut readies, mut bursts) = (Vec::new(), Vec::new());
        for (times, pause) in [(&mut readies, PAUSE), (&mut bursts, Duration::ZERO)] {
            for _ in 0..BATCH {
                std::thread::sleep(pause);
                let report = warm.execute(&text)?;
                let calls = report.functions.iter().map(|function| function.total_ns);
                times.push(calls.sum::<u64>() as f64);
            }
        }
        let forks = match &mut floor {
            Some((interpreter, _)) => Some(interpreter.fork(BATCH, &text)?),
            None => None,
        };
        if round > 0 {
            ready.push(readies);
            burst.push(bursts);
            if let (Some((_, times)), Some(forks)) = (&mut floor, forks) {
                times.push(forks);
            }
        }
    }
    warm.stop();
    let results = &mut *run.results;
    results.times(
        "fresh",
        case,
        "keylane: a fresh worker, one call every 10 ms",
        &ready,
    );
    results.times(
        "fresh",
        case,
        "keylane: a fresh worker, calls in a row",
        &burst,
    );
    if let Some((_, times)) = &floor {
        results.times("fresh", case, "floor: bare fork of python3.11", times);
        let forks = times.middles();
        let (ready, burst) = (
            ratios(&ready.middles(), &forks),
            ratios(&burst.middles(), &forks),
        );
        results.ratio(
            "fresh",
            case,
            "one call every 10 ms / bare fork",
            ready,
            None,
        );
        results.ratio(
            "fresh",
            case,
            "calls in a row / bare fork",
            burst,
            Some(1.25),
        );
    }
    Ok(())
}
